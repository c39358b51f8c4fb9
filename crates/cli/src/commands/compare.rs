//! `kiln compare`.

use crate::arguments::CompareArguments;
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
        let differences = match &first {
            Some(first) => differences(first, &directory)?,
            None => Vec::new(),
        };
        runs.push(ComparedRun {
            name: directory.name(),
            records: directory.records()?,
            evaluation: directory.evaluation()?,
            outputs: Outputs::of_run(&directory)?,
            differences,
        });
        first.get_or_insert(directory);
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
    found.flatten().with_context(|| {
        let given = given.display();
        format!("{given}: neither a run directory nor an experiment with a run in runs/")
    })
}
