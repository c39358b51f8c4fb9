//! Networks from files of weights, of other programs or other runs.

use crate::card::ModelCard;
use crate::checkpoint;
use crate::error::Error;
use crate::run_directory::RunDirectory;
use crate::spec::InputSpec;
use burn::tensor::Device;
use kiln_models::{
    Constants, Layout, LoadReport, LoadSettings, ModelSpec, Network, WeightsError, WeightsFile,
    load_weights, state_dict, state_dict_shapes, to_safetensors,
};
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// Key of the model card in the header of a safetensors file.
pub(crate) const CARD: &str = "kiln.card";

/// The `[weights]` table: where the first stage's values come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightsSpec {
    /// A `.pth`, `.pt` or `.safetensors` file, or the directory of a run.
    pub path: PathBuf,
    /// Which of a run's checkpoints; absent: the best.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub take: Option<Take>,
    /// Whose names its tensors have; absent: as they show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
    /// Whether the classifier starts anew, for other classes than those of the file; absent: no.
    #[serde(default)]
    pub new_head: bool,
}

/// Which weights of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Take {
    /// Those of the best epoch.
    Best,
    /// The last ones.
    Newest,
}

impl WeightsSpec {
    /// The file itself, or that of a run's checkpoint.
    fn file(&self) -> Result<PathBuf, Error> {
        let fault = |problem: &dyn Display| {
            let (path, problem) = (self.path.clone(), problem.to_string());
            Error::from(WeightsError::File { path, problem })
        };
        if !self.path.is_dir() {
            return match self.take {
                None => Ok(self.path.clone()),
                Some(_) => {
                    Err(fault(&"is a file or missing; `take` is for the directory of a run"))
                }
            };
        }
        RunDirectory::open(&self.path)
            .and_then(|(run, _)| checkpoint::find(&run, self.take.unwrap_or(Take::Best)))
            .map(|weights| weights.file())
            .map_err(|error| fault(&error))
    }

    /// `network`, which is a `model` for `class_names`, with the file's values, and what there is to say about them.
    /// `input` is how pictures are prepared.
    pub(crate) fn load(
        &self,
        network: Network,
        model: &ModelSpec,
        input: &InputSpec,
        class_names: &[String],
    ) -> Result<(Network, Vec<String>), Error> {
        let file = WeightsFile::open(&self.file()?)?;
        let card = card_in(&file)?;
        if let Some(card) = &card {
            self.check(card, model, class_names).map_err(|problem| {
                Error::from(WeightsError::File { path: file.path.clone(), problem })
            })?;
        }
        let settings = LoadSettings { layout: self.layout, new_head: self.new_head };
        let (network, report) = load_weights(network, &file, settings)?;
        let kept = match report.kept.len() {
            0 => String::new(),
            kept => format!("; {kept} of the classifier start anew"),
        };
        let path = file.path.display();
        let mut notes = vec![format!("weights: {} tensors of {path}{kept}", report.loaded)];
        if let Some(card) = card {
            let (theirs, ours) = (card.input.in_words(), input.in_words());
            if theirs != ours {
                notes.push(format!("weights: trained with {theirs}; this experiment has {ours}"));
            }
        } else if report.layout == Layout::Timm {
            notes.push(format!(
                "weights: names are timm's, whose networks need constants = \"timm\" or \"tensorflow\"; \
                 this experiment has {}",
                architecture(model)
            ));
        }
        Ok((network, notes))
    }

    /// Whether weights with this card are of `model`, and of the same classes unless their head is left out.
    fn check(
        &self,
        card: &ModelCard,
        model: &ModelSpec,
        class_names: &[String],
    ) -> Result<(), String> {
        let (theirs, ours) = (architecture(&card.model), architecture(model));
        if theirs != ours {
            return Err(format!("they are of the model {theirs}, this experiment has {ours}"));
        }
        let named = card.class_names != numbered_classes(card.class_names.len());
        if named && !self.new_head && card.class_names != class_names {
            return Err(format!(
                "their classes are {}, those of the pictures {}; `new_head = true` starts the classifier anew",
                shortened(&card.class_names),
                shortened(class_names)
            ));
        }
        Ok(())
    }
}

/// The first names of a list, and how many it has.
fn shortened(names: &[String]) -> String {
    let first: Vec<&str> = names.iter().take(4).map(String::as_str).collect();
    let more = if names.len() > first.len() { ", ..." } else { "" };
    format!("{}{more} ({})", first.join(", "), names.len())
}

/// The model's table without what only training and the classifier know.
pub(crate) fn architecture(model: &ModelSpec) -> String {
    let mut table = serde_json::to_value(model).unwrap_or_default();
    if let Some(table) = table.as_object_mut() {
        for key in ["block_dropout", "dropout", "stochastic_depth", "zero_init_last_gamma", "head"]
        {
            table.remove(key);
        }
    }
    table.to_string()
}

/// The card in a safetensors file that Kiln wrote.
///
/// # Errors
/// [`Error::Weights`] when there is one that cannot be read.
pub fn card_in(file: &WeightsFile) -> Result<Option<ModelCard>, Error> {
    let Some(text) = file.metadata.get(CARD) else { return Ok(None) };
    let card: Result<ModelCard, _> = serde_json::from_str(text);
    let card = card.map_err(|error| error.to_string());
    let checked = card.and_then(|card| card.check().map(|()| card));
    let checked = checked.map_err(|problem| WeightsError::File {
        path: file.path.clone(),
        problem: format!("the model card in its header: {problem}"),
    })?;
    Ok(Some(checked))
}

/// Names for classes that have none: their numbers.
pub fn numbered_classes(count: usize) -> Vec<String> {
    (0..count).map(|class| class.to_string()).collect()
}

/// How many classes the file's classifier has, if it is one of `model`'s kind.
///
/// # Errors
/// [`Error::Weights`] when the classifier is missing.
pub fn classes_in(file: &WeightsFile, model: &ModelSpec) -> Result<usize, Error> {
    let endings = ["fc.weight", "fc.3.weight", "classifier.1.weight", "classifier.1.3.weight"];
    let timm = ["classifier.weight"];
    let found = endings.iter().chain(&timm).find_map(|name| file.tensors.get(*name));
    match found.map(|tensor| tensor.shape.as_slice()) {
        // Both, for then the file holds as many values.
        Some([classes, features]) if *classes > 0 && *features > 0 => Ok(*classes),
        _ => {
            let problem = format!(
                "no classifier in it, `fc.weight` or `classifier.1.weight`, as {} has",
                model.name()
            );
            Err(WeightsError::File { path: file.path.clone(), problem }.into())
        }
    }
}

/// The network of `card` with the values of a file.
///
/// # Errors
/// [`Error::Weights`] naming every tensor that does not fit; [`Error::Config`] when the card's settings are out of range.
pub fn network_from(
    file: &WeightsFile,
    card: &ModelCard,
    layout: Option<Layout>,
    device: &Device,
) -> Result<(Network, LoadReport), Error> {
    card.model.validate().map_err(|error| Error::Config {
        origin: "model".to_owned(),
        path: card.model.name(),
        problem: error.to_string(),
    })?;
    let network = card.model.build(card.class_names.len(), device);
    Ok(load_weights(network, file, LoadSettings { layout, new_head: false })?)
}

/// The model of the catalog, with its default settings, that has exactly the file's tensors, and whose names they are.
///
/// Names and shapes do not show whose constants an EfficientNet has: under timm's names it gets timm's, though
/// `tf_efficientnet_*` needs the authors'.
pub fn model_of(file: &WeightsFile, device: &Device) -> Option<(ModelSpec, Layout)> {
    ModelSpec::all().into_iter().find_map(|model| {
        let classes = classes_in(file, &model).ok()?;
        let network = model.build(classes, device);
        let layout = Layout::of(file, &network, None).ok()?;
        if !file.fits(layout, &state_dict_shapes(&network)) {
            return None;
        }
        let is_timms = layout == Layout::Timm;
        Some((if is_timms { model.with_constants(Constants::Timm) } else { model }, layout))
    })
}

/// The bytes of a safetensors file with the network's weights and their card.
///
/// # Errors
/// [`Error::Weights`] when they cannot be encoded.
pub fn weights_bytes(
    path: &Path,
    network: &Network,
    card: &ModelCard,
    layout: Layout,
) -> Result<Vec<u8>, Error> {
    let fault = |error: &dyn Display| WeightsError::File {
        path: path.to_owned(),
        problem: error.to_string(),
    };
    let text = serde_json::to_string(card).map_err(|error| fault(&error))?;
    let tensors = kiln_models::in_layout(state_dict(network), layout);
    Ok(to_safetensors(&tensors, &[(CARD, text)]).map_err(|error| fault(&error))?)
}
