//! `kiln compare`.

use crate::arguments::CompareArguments;
use crate::exit::Usage;
use crate::output::say;
use anyhow::Context as _;
use kiln_analysis::{ComparedRun, comparison_page, in_words, result_line};
use kiln_trainer::{Outputs, RunDirectory, differences, newest_run};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(crate) fn compare(arguments: &CompareArguments) -> anyhow::Result<ExitCode> {
    let mut runs: Vec<ComparedRun> = Vec::new();
    let mut first: Option<RunDirectory> = None;
    for given in &arguments.runs {
        let (directory, _) = RunDirectory::open(&find(given)?)?;
        let evaluation = directory.evaluation()?;
        let temperature = match &evaluation {
            Some(evaluation) => directory.temperature(&evaluation.checkpoint)?,
            None => None,
        };
        let differences = match &first {
            Some(first) => differences(first, &directory)?,
            None => Vec::new(),
        };
        runs.push(ComparedRun {
            name: directory.name(),
            records: directory.records()?,
            evaluation,
            outputs: Outputs::of_run(&directory)?,
            temperature,
            differences,
        });
        first.get_or_insert(directory);
    }
    let names: Vec<String> = runs.iter().map(|run| run.name.clone()).collect();
    for (number, run) in runs.iter_mut().enumerate() {
        // Two runs of one name are told apart by their folders.
        if names.iter().filter(|name| **name == run.name).count() > 1 {
            run.name = arguments.runs[number].display().to_string();
        }
    }
    for run in &runs {
        say(result_line(run));
    }
    if let Some((first, others)) = runs.split_first() {
        for other in others {
            say(in_words(first, other));
        }
    }
    let output = &arguments.output;
    std::fs::write(output, comparison_page(&runs)).with_context(|| output.display().to_string())?;
    say(format!("page: {}", output.display()));
    Ok(ExitCode::SUCCESS)
}

/// A run's directory, or the newest run of an experiment in `runs/`.
fn find(given: &Path) -> anyhow::Result<PathBuf> {
    if given.exists() {
        return Ok(given.to_owned());
    }
    let found = given.to_str().map(|name| newest_run(Path::new("runs"), name)).transpose()?;
    let problem = "neither a run directory nor an experiment with a run in runs/";
    Ok(found.flatten().ok_or_else(|| Usage(format!("{}: {problem}", given.display())))?)
}
