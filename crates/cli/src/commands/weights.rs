//! `kiln weights`.

use crate::arguments::{ConvertArguments, WeightsCommand};
use crate::commands::fetch::{fetch, list};
use crate::device::DeviceChoice;
use crate::model_choice;
use crate::output::{say, write_file};
use kiln_models::{Format, NumberType, WeightsFile};
use kiln_trainer::{card_in, model_of, weights_bytes};
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn weights(command: &WeightsCommand) -> anyhow::Result<ExitCode> {
    match command {
        WeightsCommand::Inspect { file, json } => inspect(file, *json),
        WeightsCommand::Convert(arguments) => convert(arguments),
        WeightsCommand::Fetch(arguments) => fetch(arguments),
        WeightsCommand::List { filter } => list(filter.as_deref()),
    }
}

fn inspect(path: &Path, as_json: bool) -> anyhow::Result<ExitCode> {
    let file = WeightsFile::open(path)?;
    let device = DeviceChoice::FLEX.open()?;
    let card = card_in(&file)?;
    let model = match &card {
        Some(card) => Some(card.model.clone()),
        None => model_of(&file, &device).map(|(model, _)| model),
    };
    let format = match file.format {
        Format::PyTorch => "pytorch",
        Format::Safetensors => "safetensors",
    };
    let values: usize = file.tensors.values().map(|t| t.shape.iter().product::<usize>()).sum();
    if as_json {
        let tensors: Vec<_> = file
            .tensors
            .iter()
            .map(|(name, tensor)| {
                json!({
                    "name": name,
                    "shape": tensor.shape,
                    "type": type_name(tensor.number_type),
                })
            })
            .collect();
        say(json!({
            "path": path,
            "format": format,
            "entry": file.entry,
            "model": model,
            "card": card,
            "metadata": file.metadata,
            "values": values,
            "tensors": tensors,
        }));
        return Ok(ExitCode::SUCCESS);
    }
    say(format!("{}: {format}, {} tensors, {values} values", path.display(), file.tensors.len()));
    if let Some(entry) = &file.entry {
        say(format!("taken from the checkpoint's entry `{entry}`"));
    }
    match &model {
        Some(model) => say(format!("model: {}", serde_json::to_string(model)?)),
        None => say("model: none of the catalog's with default settings"),
    }
    if let Some(card) = &card {
        let input = &card.input;
        say(format!(
            "card: {} classes, {} px, crop ratio {:.4}, {:?}, mean {:?}, std {:?}",
            card.class_names.len(),
            card.size,
            input.crop_ratio,
            input.interpolation,
            input.mean,
            input.std
        ));
    }
    for (name, tensor) in &file.tensors {
        say(format!("  {name} {:?} {}", tensor.shape, type_name(tensor.number_type)));
    }
    Ok(ExitCode::SUCCESS)
}

fn type_name(number_type: NumberType) -> &'static str {
    match number_type {
        NumberType::F16 => "f16",
        NumberType::BF16 => "bf16",
        NumberType::F32 => "f32",
        NumberType::F64 => "f64",
        NumberType::Other(name) => name,
    }
}

fn convert(arguments: &ConvertArguments) -> anyhow::Result<ExitCode> {
    let device = DeviceChoice::FLEX.open()?;
    let chosen = model_choice::open(&arguments.input, &arguments.model, &device)?;
    let layout = arguments.to_layout.into();
    let bytes = weights_bytes(&arguments.output, &chosen.network, &chosen.card, layout)?;
    write_file(&arguments.output, &bytes)?;
    say(format!(
        "{}: {} with {} classes, {} tensors",
        arguments.output.display(),
        chosen.card.model.name(),
        chosen.card.class_names.len(),
        chosen.report.loaded
    ));
    Ok(ExitCode::SUCCESS)
}
