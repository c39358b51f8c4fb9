//! `kiln train --dry-run`.

use crate::experiment::Experiment;
use crate::output::{say, write_file};
use crate::reporter::{Reporter, share};
use anyhow::Context as _;
use kiln_analysis::{contact_sheet, png};
use kiln_trainer::{Preview, RunSettings, preview};
use std::path::Path;
use std::process::ExitCode;

/// Pictures of a contact sheet at most.
const SHOWN: usize = 64;

pub(crate) fn dry_run(
    experiment: &Experiment,
    settings: &RunSettings,
    folder: &Path,
    reporter: &mut Reporter,
) -> anyhow::Result<ExitCode> {
    let (stages, advice) = preview(&experiment.layers, settings, reporter)?;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    for stage in &stages {
        let path = folder.join(format!("{}-{}.png", experiment.name, stage.plan.name));
        let shown = &stage.pictures[..stage.pictures.len().min(SHOWN)];
        let sheet = contact_sheet(shown).context("no picture to show")?;
        write_file(&path, &png(&sheet))?;
        say(lines(stage));
        say(format!("  first pictures  {}: {}", path.display(), classes(stage)));
    }
    advice.iter().for_each(say);
    Ok(ExitCode::SUCCESS)
}

fn lines(Preview { plan, learning, parameters, memory, .. }: &Preview) -> String {
    let lr = |step| plan.schedule.at(step).lr;
    let highest = (0..plan.total_steps).map(lr).fold(0.0, f64::max);
    let (micro, accumulate) = (plan.shape.micro(), plan.shape.accumulate());
    let seen = plan.total_steps * plan.shape.effective();
    let mib = |bytes: u64| format!("{:.0} MiB", bytes as f64 / f64::from(1 << 20));
    let sizes = match plan.train_recipe(0).size.width {
        first if first == plan.card.size => format!("{first} px"),
        first => format!("{first} px growing to {}", plan.card.size),
    };
    let pass = memory.pass.map_or("unknown".to_owned(), mib);
    [
        format!("stage {}", plan.name),
        format!(
            "  length          {} epochs, {} steps, {seen} pictures seen",
            plan.epochs, plan.total_steps
        ),
        format!("  a step          {micro} x {accumulate} pictures at {sizes}"),
        format!(
            "  learning rate   {:.2e} first, {highest:.2e} highest, {:.2e} last",
            lr(0),
            lr(plan.total_steps - 1)
        ),
        format!("  trained         {} parameters", share(*learning, *parameters)),
        format!(
            "  memory          weights {}, optimizer {}, one pass of {} pictures {pass}",
            mib(memory.weights),
            mib(memory.optimizer),
            memory.pictures_in_pass,
        ),
    ]
    .join("\n")
}

/// The names of the first pictures' classes.
fn classes(Preview { plan, labels, .. }: &Preview) -> String {
    let name = |class: u32| plan.card.class_names.get(class as usize).map_or("?", String::as_str);
    let shown = labels.iter().take(8).map(|label| {
        if label.class == label.partner || label.lambda == 1.0 {
            return name(label.class).to_owned();
        }
        let part = 100.0 * label.lambda;
        format!("{} ({part:.0} %) with {}", name(label.class), name(label.partner))
    });
    let shown: Vec<String> = shown.collect();
    shown.join(", ") + if labels.len() > shown.len() { ", ..." } else { "" }
}
