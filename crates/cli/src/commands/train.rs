//! `kiln train` and `kiln resume`.

use crate::arguments::{Conduct, MachineArguments, ResumeArguments, TrainArguments};
use crate::commands::dry_run::dry_run;
use crate::commands::report::write_report;
use crate::exit::INTERRUPTED;
use crate::experiment::Experiment;
use crate::job::{self, Job};
use crate::output::{complain, say};
use crate::reporter::Reporter;
use kiln_parallel::Ranks;
use kiln_trainer::spec::Layer;
use kiln_trainer::{
    Destination, Observer as _, Outcome, ResumeOptions, RunSettings, StopRequest, begin,
    begin_or_resume, resume as resume_run,
};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

pub(crate) fn train(arguments: &TrainArguments) -> anyhow::Result<ExitCode> {
    let job = Job::join()?;
    let result = train_among(&job.ranks, arguments);
    job.conclude(result)
}

pub(crate) fn resume(arguments: &ResumeArguments) -> anyhow::Result<ExitCode> {
    let job = Job::join()?;
    let result = resume_among(&job.ranks, arguments);
    job.conclude(result)
}

fn train_among(ranks: &Ranks, arguments: &TrainArguments) -> anyhow::Result<ExitCode> {
    let experiment = Experiment::from_arguments(&arguments.experiment)?;
    let mut reporter = reporter(ranks, &arguments.machine, &arguments.conduct);
    if let Some(overlay) = &experiment.fallback {
        reporter.note(&format!(
            "no --data given: training at the scale of the overlay `{overlay}` on its own data; \
             for yours: cargo xtask {} --data DIR",
            experiment.name
        ));
    }
    if arguments.dry_run {
        job::alone()?;
        let folder = arguments.out.as_deref().unwrap_or(Path::new("."));
        let settings = without_handler(&arguments.machine, StopRequest::default())?;
        return dry_run(&experiment, &settings, folder, &mut reporter);
    }
    let settings = settings(ranks, &arguments.machine, &arguments.conduct)?;
    let destination = match &arguments.out {
        Some(path) => Destination::Exactly(path.clone()),
        None => Destination::Numbered(PathBuf::from("runs")),
    };
    let train = if arguments.auto_resume { begin_or_resume } else { begin };
    let outcome =
        train(&experiment.name, &experiment.layers, &destination, &settings, &mut reporter);
    reporter.finish();
    conclude(outcome?, &settings, arguments.machine.quiet)
}

fn resume_among(ranks: &Ranks, arguments: &ResumeArguments) -> anyhow::Result<ExitCode> {
    let settings = settings(ranks, &arguments.machine, &arguments.conduct)?;
    let mut reporter = reporter(ranks, &arguments.machine, &arguments.conduct);
    let changes = arguments.set.iter().map(|text| Layer::from_assignment(text));
    let options = ResumeOptions {
        pictures: arguments.data.clone(),
        changes: changes.collect::<Result<_, _>>()?,
        allow_changes: arguments.allow_changes,
    };
    let outcome = resume_run(&arguments.run, &options, &settings, &mut reporter);
    reporter.finish();
    conclude(outcome?, &settings, arguments.machine.quiet)
}

/// What shows the run, on the first rank.
fn reporter(ranks: &Ranks, machine: &MachineArguments, conduct: &Conduct) -> Reporter {
    if !ranks.is_first() {
        return Reporter::new(true);
    }
    if conduct.dashboard { Reporter::with_dashboard() } else { Reporter::new(machine.quiet) }
}

/// The machine, with Ctrl-C, SIGTERM and the time limit asking the run to stop. A second Ctrl-C ends the program at once; the last
/// checkpoint stays whole.
fn settings(
    ranks: &Ranks,
    machine: &MachineArguments,
    conduct: &Conduct,
) -> anyhow::Result<RunSettings> {
    let deadline = conduct.time_limit.and_then(|limit| Instant::now().checked_add(limit));
    let stop = StopRequest::at(deadline);
    let handle = stop.clone();
    let speaks = ranks.is_first();
    ctrlc::set_handler(move || {
        if handle.is_asked() {
            std::process::exit(i32::from(INTERRUPTED));
        }
        handle.request();
        if !speaks {
            return;
        }
        complain("stopping as soon as this step or validation is done; once more to leave at once");
    })?;
    Ok(RunSettings { ranks: ranks.clone(), ..without_handler(machine, stop)? })
}

/// The machine, for what a first Ctrl-C ends.
pub(crate) fn without_handler(
    machine: &MachineArguments,
    stop: StopRequest,
) -> anyhow::Result<RunSettings> {
    let device = machine.device.open()?;
    Ok(RunSettings { stop, ..RunSettings::new(device, workers(machine.workers)) })
}

/// The number asked for, or one for each processor.
pub(crate) fn workers(asked: Option<u16>) -> usize {
    asked.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from)
}

fn conclude(outcome: Outcome, settings: &RunSettings, quiet: bool) -> anyhow::Result<ExitCode> {
    if !settings.ranks.is_first() {
        return Ok(match outcome {
            Outcome::Finished { .. } => ExitCode::SUCCESS,
            Outcome::Interrupted { .. } => ExitCode::from(INTERRUPTED),
        });
    }
    let say = |directory: &Path, text: String| {
        if quiet {
            say(directory.display());
        } else {
            say(text);
        }
    };
    match outcome {
        Outcome::Finished { directory, evaluation } => {
            // The other ranks have nothing to do with it.
            let alone = RunSettings { ranks: Ranks::default(), ..settings.clone() };
            let report = write_report(&directory, None, &alone)?;
            let text = format!(
                "best checkpoint {}{}: val top-1 {:.1} %, top-5 {:.1} %, loss {:.4} on {} pictures\nreport: {}",
                evaluation.checkpoint,
                if evaluation.averaged { ", average of weights" } else { "" },
                100.0 * evaluation.top1,
                100.0 * evaluation.top5,
                evaluation.loss,
                evaluation.samples,
                report.display(),
            );
            say(&directory, text);
            Ok(ExitCode::SUCCESS)
        }
        Outcome::Interrupted { directory } => {
            let text = format!("interrupted; continue with: kiln resume {}", directory.display());
            say(&directory, text);
            Ok(ExitCode::from(INTERRUPTED))
        }
    }
}
