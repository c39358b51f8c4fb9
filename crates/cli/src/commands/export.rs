//! `kiln export`.

use crate::arguments::{ExportArguments, ExportFormat};
use crate::device::DeviceChoice;
use crate::exit::Usage;
use crate::output::{say, write_file};
use kiln_trainer::{RunDirectory, best_model, weights_bytes};
use std::process::ExitCode;

pub(crate) fn export(arguments: &ExportArguments) -> anyhow::Result<ExitCode> {
    let (directory, _) = RunDirectory::open(&arguments.run)?;
    let device = DeviceChoice::FLEX.open()?;
    let (network, card) = best_model(&directory, &device)?;
    let output =
        arguments.output.clone().unwrap_or_else(|| arguments.run.join("model.safetensors"));
    let beside = output.with_extension("json");
    if beside == output {
        let problem = format!("--output {}: the card goes there", output.display());
        return Err(Usage(problem).into());
    }
    let bytes = match arguments.format {
        ExportFormat::Safetensors => {
            weights_bytes(&output, &network, &card, arguments.layout.into())?
        }
    };
    write_file(&output, &bytes)?;
    write_file(&beside, serde_json::to_string_pretty(&card)?.as_bytes())?;
    say(output.display());
    say(beside.display());
    Ok(ExitCode::SUCCESS)
}
