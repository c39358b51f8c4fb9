//! `kiln lr-find`.

use crate::arguments::{LrFindArguments, RuleName};
use crate::commands::train::without_handler;
use crate::experiment::Experiment;
use crate::output::say;
use crate::reporter::Reporter;
use anyhow::Context as _;
use kiln_analysis::{LrSuggestions, range_chart, standalone_svg};
use kiln_trainer::{RangeTest, RunDirectory, StopRequest, range_test};
use serde_json::json;
use std::process::ExitCode;

pub(crate) fn lr_find(arguments: &LrFindArguments) -> anyhow::Result<ExitCode> {
    let machine = &arguments.machine;
    let settings = without_handler(machine, StopRequest::default())?;
    let test = RangeTest {
        stage: arguments.stage.clone(),
        start_lr: arguments.start,
        end_lr: arguments.end,
        steps: arguments.steps,
        sweep: arguments.sweep.into(),
    };
    let experiment = Experiment::of_run_or_file(&arguments.experiment)?;
    let quiet = machine.quiet || arguments.json || arguments.apply;
    let mut reporter = Reporter::new(quiet);
    let record = range_test(&experiment.layers, &test, &settings, &mut reporter);
    reporter.finish();
    let record = record?;
    let suggestions = LrSuggestions::of(&record);
    let plot = &arguments.plot;
    std::fs::write(plot, standalone_svg(&range_chart(&record, &suggestions)))
        .with_context(|| plot.display().to_string())?;
    let run = &arguments.experiment.config;
    if run.join("run.json").is_file() {
        // For the run's report.
        let (directory, _) = RunDirectory::open(run)?;
        directory.write("lr-find.json", &serde_json::to_vec(&record)?)?;
    }
    if arguments.json {
        say(serde_json::to_string(&json!({ "test": record, "suggestions": suggestions }))?);
        return Ok(ExitCode::SUCCESS);
    }
    let lr = chosen(&suggestions, arguments.rule);
    if arguments.apply {
        let lr = lr.context("the loss does not fall anywhere: no rate to suggest")?;
        let setting = record.setting.as_ref().with_context(|| {
            format!(
                "stage {}: its schedule has several rates, so no one setting takes {lr:.2e}",
                record.stage
            )
        })?;
        say(format!("--set {setting}={lr:.2e}"));
        return Ok(ExitCode::SUCCESS);
    }
    let ended = if record.diverged { ", then the loss ran away" } else { "" };
    say(format!("stage {}: {} steps{ended}", record.stage, record.points.len()));
    for (name, lr) in suggestions.named() {
        let lr = lr.map_or("none".to_owned(), |lr| format!("{lr:.2e}"));
        say(format!("  {name:<13} {lr}"));
    }
    match (&record.setting, lr) {
        (_, None) => say("no rate to suggest: try more --steps, or another range"),
        (Some(setting), Some(lr)) => say(format!("to train with it: --set {setting}={lr:.2e}")),
        (None, Some(_)) => say("its schedule has several rates; choose them by hand"),
    }
    if arguments.stage.is_some() {
        say("it began with the first weights of the experiment, not with those of a stage before");
    }
    say(format!("plot: {}", plot.display()));
    Ok(ExitCode::SUCCESS)
}

fn chosen(suggestions: &LrSuggestions, rule: RuleName) -> Option<f64> {
    match rule {
        RuleName::Valley => suggestions.valley,
        RuleName::Steep => suggestions.steep,
        RuleName::Minimum => suggestions.minimum,
        RuleName::Slide => suggestions.slide,
    }
}
