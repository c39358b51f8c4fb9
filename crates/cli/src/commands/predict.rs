//! `kiln predict`.

use crate::arguments::PredictArguments;
use crate::output::say;
use kiln_trainer::{RunDirectory, best_model, predict as classify};
use std::process::ExitCode;

pub(crate) fn predict(arguments: &PredictArguments) -> anyhow::Result<ExitCode> {
    let (directory, _) = RunDirectory::open(&arguments.run)?;
    let device = arguments.device.open()?;
    let (network, card) = best_model(&directory, &device)?;
    let mut predictions = Vec::new();
    for image in &arguments.images {
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
