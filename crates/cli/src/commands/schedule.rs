//! `kiln schedule`.

use crate::arguments::{ScheduleArguments, ScheduleCommand};
use crate::device::DeviceChoice;
use crate::experiment::Experiment;
use crate::output::say;
use kiln_trainer::{Silent, StagePlan, stages};
use serde::Serialize;
use std::process::ExitCode;

/// What one optimizer step uses.
#[derive(Serialize)]
struct Row<'a> {
    stage: &'a str,
    /// Of the stage, from 0.
    step: u64,
    /// Passed of the stage when the step begins.
    epochs: f64,
    lr: f64,
    /// Where the schedule cycles it.
    #[serde(skip_serializing_if = "Option::is_none")]
    momentum: Option<f64>,
    /// The rates of rules that have one of their own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<Group<'a>>,
}

#[derive(Serialize)]
struct Group<'a> {
    path: &'a str,
    lr: f64,
}

pub(crate) fn schedule(arguments: &ScheduleArguments) -> anyhow::Result<ExitCode> {
    let ScheduleCommand::Show { experiment, rows, json } = &arguments.command;
    let experiment = Experiment::from_arguments(experiment)?;
    let stages = stages(&experiment.layers, &mut Silent)?;
    let device = DeviceChoice::FLEX.open()?;
    let shown = |stage| Shown { stage, groups: StagePlan::scaled_rates(stage, &device) };
    let stages: Vec<Shown> = stages.iter().map(shown).collect();
    if *json {
        let all: Vec<Row> = stages
            .iter()
            .flat_map(|shown| (0..shown.stage.total_steps).map(|step| shown.row(step)))
            .collect();
        say(serde_json::to_string_pretty(&all)?);
        return Ok(ExitCode::SUCCESS);
    }
    for stage in &stages {
        say(stage.table(u64::from(*rows)));
    }
    Ok(ExitCode::SUCCESS)
}

/// A stage, and the groups of its parameters that have rates of their own: names, and rates over the schedule's.
struct Shown<'a> {
    stage: &'a StagePlan,
    groups: Vec<(String, f64)>,
}

impl Shown<'_> {
    fn row(&self, step: u64) -> Row<'_> {
        let Self { stage, groups } = self;
        let rates = stage.schedule.at(step);
        Row {
            stage: &stage.name,
            step,
            epochs: step as f64 / stage.steps_per_epoch as f64,
            lr: rates.lr,
            momentum: rates.momentum,
            groups: groups
                .iter()
                .map(|(path, scale)| Group { path, lr: rates.lr * scale })
                .collect(),
        }
    }

    /// `rows` steps of the stage, the first and the last among them, with a bar as long as the rate is high.
    fn table(&self, rows: u64) -> String {
        let stage = self.stage;
        let last = stage.total_steps - 1;
        let rows = rows.min(stage.total_steps).max(2);
        let mut steps: Vec<u64> = (0..rows).map(|i| i * last / (rows - 1)).collect();
        steps.dedup();
        let shown: Vec<Row> = steps.into_iter().map(|step| self.row(step)).collect();
        let highest = shown.iter().map(|row| row.lr).fold(0.0, f64::max);

        let cycled = shown.iter().any(|row| row.momentum.is_some());
        let mut header = vec![format!("{:>8}  {:>8}  {:>9}", "step", "epochs", "lr")];
        header.extend(self.groups.iter().map(|(path, _)| format!("{path:>9}")));
        header.extend(cycled.then(|| "momentum".to_owned()));
        let lines = shown.iter().map(|row| {
            let mut cells = vec![format!("{:>8}  {:>8.2}  {:>9.2e}", row.step, row.epochs, row.lr)];
            cells.extend(row.groups.iter().map(|group| {
                let width = group.path.chars().count().max(9);
                format!("{:>width$.2e}", group.lr)
            }));
            cells.extend(row.momentum.map(|momentum| format!("{momentum:>8.4}")));
            cells.push(bar(row.lr / highest));
            cells.join("  ")
        });
        let title = format!(
            "stage {}: {} steps, {} an epoch",
            stage.name, stage.total_steps, stage.steps_per_epoch
        );
        let falls = stage.plateau.as_ref().map(|plateau| {
            let (factor, patience) = (plateau.factor, plateau.patience);
            format!("falls to {factor} times after more than {patience} epochs without improvement")
        });
        let header = [title].into_iter().chain(falls).chain([header.join("  ")]);
        let lines: Vec<String> = header.chain(lines).collect();
        lines.join("\n")
    }
}

/// Up to 40 blocks.
fn bar(part: f64) -> String {
    let length = (0..40).filter(|block| f64::from(*block) + 0.5 <= part * 40.0).count();
    "█".repeat(length)
}
