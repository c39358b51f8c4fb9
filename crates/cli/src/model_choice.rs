//! A network from a file of weights, as the command line describes it.

use crate::arguments::ModelArguments;
use crate::exit::Usage;
use crate::output::complain;
use burn::tensor::Device;
use kiln_models::{Layout, LoadReport, ModelSpec, Network, WeightsFile};
use kiln_trainer::{ModelCard, card_in, classes_in, model_of, network_from, numbered_classes};
use serde_json::{Map, Value};
use std::path::Path;

/// A network, what travels with it, and what was done to fit it.
pub(crate) struct Chosen {
    pub(crate) network: Network,
    pub(crate) card: ModelCard,
    pub(crate) report: LoadReport,
}

/// Opens `weights` as the model that is asked for, that the file's own card names, or whose tensors it has.
pub(crate) fn open(
    weights: &Path,
    arguments: &ModelArguments,
    device: &Device,
) -> anyhow::Result<Chosen> {
    let file = WeightsFile::open(weights)?;
    let card = card(&file, arguments, device)?;
    let (network, report) = network_from(&file, &card, arguments.layout.map(Into::into), device)?;
    Ok(Chosen { network, card, report })
}

fn card(
    file: &WeightsFile,
    arguments: &ModelArguments,
    device: &Device,
) -> anyhow::Result<ModelCard> {
    let mut card = match (&arguments.model, card_in(file)?) {
        (None, Some(card)) => card,
        (None, None) => {
            let (model, layout) = model_of(file, device).ok_or_else(|| {
                Usage(format!(
                    "weights {}: not the tensors of any model with default settings; name one with --model",
                    file.path.display()
                ))
            })?;
            if layout == Layout::Timm {
                let name = model.name();
                complain(format!(
                    "note: taken for timm's {name}; weights of tf_{name} have the same names and need \
                     --model {name} --model-set constants=tensorflow"
                ));
            }
            preset(file, model)?
        }
        (Some(name), found) => {
            let model = model(name, &arguments.model_set)?;
            match found {
                Some(card) => ModelCard { model, ..card },
                None => preset(file, model)?,
            }
        }
    };
    apply(arguments, &mut card);
    if let Some(path) = &arguments.class_names {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Usage(format!("--class-names {}: {error}", path.display())))?;
        let names: Vec<String> = text.lines().map(str::to_owned).collect();
        let classes = card.class_names.len();
        if names.len() != classes {
            let found = names.len();
            let path = path.display();
            let problem = format!("--class-names {path}: {found} lines for {classes} classes");
            return Err(Usage(problem).into());
        }
        card.class_names = names;
    }
    Ok(card)
}

fn preset(file: &WeightsFile, model: ModelSpec) -> anyhow::Result<ModelCard> {
    let classes = classes_in(file, &model)?;
    Ok(ModelCard::preset(model, numbered_classes(classes)))
}

/// What is said about the pictures goes over what the card says.
fn apply(arguments: &ModelArguments, card: &mut ModelCard) {
    let input = &mut card.input;
    card.size = arguments.size.unwrap_or(card.size);
    input.crop_ratio = arguments.crop_ratio.unwrap_or(input.crop_ratio);
    input.interpolation = arguments.interpolation.map_or(input.interpolation, Into::into);
    input.mean = arguments.mean.map_or(input.mean, |mean| mean.0);
    input.std = arguments.std.map_or(input.std, |std| std.0);
}

/// The model table of a name and settings such as `constants=tensorflow`.
fn model(name: &str, settings: &[String]) -> Result<ModelSpec, Usage> {
    let mut table = Map::from_iter([("type".to_owned(), Value::String(name.to_owned()))]);
    for setting in settings {
        let (key, text) = setting
            .split_once('=')
            .ok_or_else(|| Usage(format!("--model-set {setting}: expected KEY=VALUE")))?;
        let value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
        table.insert(key.to_owned(), value);
    }
    serde_json::from_value(Value::Object(table))
        .map_err(|error| Usage(format!("--model {name}: {error}")))
}
