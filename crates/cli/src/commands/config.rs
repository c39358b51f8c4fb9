//! `kiln config`.

use crate::arguments::{ConfigArguments, ConfigCommand};
use crate::experiment::Experiment;
use std::process::ExitCode;

pub(crate) fn config(arguments: &ConfigArguments) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        ConfigCommand::Show(arguments) => {
            let experiment = Experiment::from_arguments(arguments)?;
            let spec = experiment.layers.resolve()?;
            kiln_trainer::check(&spec, &experiment.layers)?;
            print!("{}", spec.to_toml()?);
            Ok(ExitCode::SUCCESS)
        }
    }
}
