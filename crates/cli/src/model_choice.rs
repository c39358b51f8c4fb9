//! A network from a file of weights, as the command line describes it.

use crate::arguments::ModelArguments;
use crate::exit::Usage;
use crate::output::complain;
use burn::tensor::Device;
use kiln_models::{Constants, Layout, LoadReport, ModelSpec, Network, WeightsFile};
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
                note_timm(&model);
            }
            preset(file, model)?
        }
        (Some(name), Some(card)) if card.model.name() == *name => {
            let model = model(&card.model, &arguments.model_set)?;
            ModelCard { model, ..card }
        }
        (Some(name), found) => {
            let model = named(name, &arguments.model_set)?;
            let chosen = arguments.model_set.iter().any(|set| set.starts_with("constants="));
            let model = if !chosen && Layout::shown_by(file) == Some(Layout::Timm) {
                note_timm(&model);
                model.with_constants(Constants::Timm)
            } else {
                model
            };
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

/// timm's names do not show whose constants the weights were trained with.
fn note_timm(model: &ModelSpec) {
    let name = model.name();
    complain(format!(
        "note: taken for timm's {name}; weights of tf_{name} have the same names and need \
         --model {name} --model-set constants=tensorflow"
    ));
}

/// The model of a name with settings such as `constants=tensorflow`.
fn named(name: &str, settings: &[String]) -> Result<ModelSpec, Usage> {
    let table = Map::from_iter([("type".to_owned(), Value::String(name.to_owned()))]);
    let plain: ModelSpec = serde_json::from_value(Value::Object(table))
        .map_err(|error| Usage(format!("--model {name}: {error}")))?;
    model(&plain, settings)
}

/// A model with some of its settings changed.
fn model(before: &ModelSpec, settings: &[String]) -> Result<ModelSpec, Usage> {
    let name = before.name();
    let fault = |problem: String| Usage(format!("--model {name}: {problem}"));
    let mut table = serde_json::to_value(before).map_err(|error| fault(error.to_string()))?;
    for setting in settings {
        let given = setting.split_once('=').filter(|(key, _)| *key != "type");
        let (key, text) = given.ok_or_else(|| {
            Usage(format!("--model-set {setting}: expected KEY=VALUE of a setting"))
        })?;
        let value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
        table[key] = value;
    }
    serde_json::from_value(table).map_err(|error| fault(error.to_string()))
}
