//! `kiln config`.

use crate::arguments::{ConfigArguments, ConfigCommand};
use crate::experiment::Experiment;
use crate::output::say;
use std::process::ExitCode;

pub(crate) fn config(arguments: &ConfigArguments) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        ConfigCommand::Show(arguments) => {
            let experiment = Experiment::from_arguments(arguments)?;
            let spec = experiment.layers.resolve()?;
            kiln_trainer::check(&spec, &experiment.layers)?;
            say(spec.to_toml()?.trim_end());
            Ok(ExitCode::SUCCESS)
        }
    }
}
