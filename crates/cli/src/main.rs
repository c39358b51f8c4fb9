//! `kiln`: trains, evaluates and explains image classifiers. `kiln --help` lists the commands.

mod arguments;
mod bench;
mod commands;
mod dashboard;
mod device;
mod device_check;
mod exit;
mod experiment;
mod explaining;
mod fetch;
mod job;
mod model_choice;
mod output;
mod reporter;
mod torture;

use crate::output::complain;
use arguments::{Arguments, BenchCommand, Command};
use clap::Parser as _;
use std::io::IsTerminal as _;
use std::process::ExitCode;

/// 8 % more images/s than the system allocator in a training step on the CPU: tensors come and go by the megabyte.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_max_level(if arguments.verbose {
            tracing::Level::DEBUG
        } else {
            tracing::Level::WARN
        })
        .with_target(false)
        .without_time()
        .init();
    let result = run(arguments.command);
    match result {
        Ok(code) => code,
        Err(error) => {
            complain(format!("error: {error:#}"));
            exit::code_of(&error)
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let shares_work = match &command {
        Command::Train(_) | Command::Resume(_) => true,
        Command::Bench(bench) => matches!(bench.command, BenchCommand::AllReduce),
        _ => false,
    };
    if !shares_work {
        job::alone()?;
    }
    match command {
        Command::Train(arguments) => commands::train::train(&arguments),
        Command::Resume(arguments) => commands::train::resume(&arguments),
        Command::Evaluate(arguments) => commands::evaluate::evaluate(&arguments),
        Command::Predict(arguments) => commands::predict::predict(&arguments),
        Command::Average(arguments) => commands::average::average(&arguments),
        Command::Export(arguments) => commands::export::export(&arguments),
        Command::Weights(arguments) => commands::weights::weights(&arguments.command),
        Command::LrFind(arguments) => commands::lr_find::lr_find(&arguments),
        Command::GradCam(arguments) => commands::grad_cam::grad_cam(&arguments),
        Command::Report(arguments) => commands::report::report(&arguments),
        Command::Compare(arguments) => commands::compare::compare(&arguments),
        Command::Watch(arguments) => commands::watch::watch(&arguments),
        Command::Devices(arguments) => commands::devices::devices(&arguments),
        Command::Config(arguments) => commands::config::config(&arguments),
        Command::Schedule(arguments) => commands::schedule::schedule(&arguments),
        Command::Data(arguments) => commands::data::data(&arguments),
        Command::DeviceCheck(arguments) => device_check::device_check(&arguments),
        Command::Bench(arguments) => bench::bench(&arguments),
        Command::Torture(arguments) => torture::torture(&arguments),
    }
}
