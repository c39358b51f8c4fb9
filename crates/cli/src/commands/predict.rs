//! `kiln predict`.

use crate::arguments::PredictArguments;
use crate::exit::Usage;
use crate::model_choice;
use crate::output::say;
use burn::tensor::Device;
use kiln_models::Network;
use kiln_trainer::{ModelCard, RunDirectory, best_model, logits, predict as classify};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

pub(crate) fn predict(arguments: &PredictArguments) -> anyhow::Result<ExitCode> {
    let device = arguments.device.open()?;
    let (network, card, images) = network(arguments, &device)?;
    if arguments.logits {
        return print_logits(arguments, &network, &card, images, &device);
    }
    let mut predictions = Vec::new();
    for image in images {
        predictions.push(classify(&network, &card, &device, image, arguments.top.into())?);
    }
    if arguments.json {
        say(serde_json::to_string(&predictions)?);
        return Ok(ExitCode::SUCCESS);
    }
    for prediction in predictions {
        say(prediction.path.display());
        for class in prediction.top {
            say(format!("  {:>5.1} %  {}", 100.0 * class.probability, class.class));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The network of a run, or of a file of weights, and the pictures.
fn network<'a>(
    arguments: &'a PredictArguments,
    device: &Device,
) -> anyhow::Result<(Network, ModelCard, &'a [PathBuf])> {
    if let Some(weights) = &arguments.weights {
        let chosen = model_choice::open(weights, &arguments.model, device)?;
        return Ok((chosen.network, chosen.card, &arguments.paths));
    }
    if arguments.model.is_given() {
        let problem = "options of a model need --weights; a run brings its own".to_owned();
        return Err(Usage(problem).into());
    }
    match arguments.paths.as_slice() {
        [run, images @ ..] if !images.is_empty() => {
            let (directory, _) = RunDirectory::open(run)?;
            let (network, card) = best_model(&directory, device)?;
            Ok((network, card, images))
        }
        _ => Err(Usage("expected a run and pictures, or --weights and pictures".to_owned()).into()),
    }
}

fn print_logits(
    arguments: &PredictArguments,
    network: &Network,
    card: &ModelCard,
    images: &[PathBuf],
    device: &Device,
) -> anyhow::Result<ExitCode> {
    let mut rows = Vec::new();
    for image in images {
        let logits = logits(network, card, device, image)?;
        if arguments.json {
            rows.push(json!({ "path": image, "logits": logits }));
            continue;
        }
        say(image.display());
        for (class, logit) in card.class_names.iter().zip(logits) {
            say(format!("  {logit:>9.4}  {class}"));
        }
    }
    if arguments.json {
        say(serde_json::to_string(&rows)?);
    }
    Ok(ExitCode::SUCCESS)
}
