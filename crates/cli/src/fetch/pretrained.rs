//! The weights that torchvision and timm have published: `tools/list_pretrained.py` writes the table.

use super::error::FetchError;
use kiln_augment::Interpolation;
use kiln_models::{Layout, ModelSpec};
use kiln_trainer::spec::InputSpec;
use kiln_trainer::{ModelCard, numbered_classes};
use serde::Deserialize;

/// One set of weights.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pretrained {
    /// The network and the publisher's tag, such as `resnet50.imagenet1k_v2`.
    pub(crate) name: String,
    pub(crate) url: String,
    /// The first digits, as the publisher puts them into the file's name.
    pub(crate) sha256: String,
    pub(crate) layout: Layout,
    pub(crate) model: ModelSpec,
    size: u32,
    crop_ratio: f64,
    interpolation: Interpolation,
    mean: [f32; 3],
    std: [f32; 3],
    classes: usize,
}

impl Pretrained {
    /// What travels with the weights.
    pub(crate) fn card(&self) -> ModelCard {
        ModelCard {
            model: self.model.clone(),
            class_names: numbered_classes(self.classes),
            size: self.size,
            input: InputSpec {
                mean: self.mean,
                std: self.std,
                crop_ratio: self.crop_ratio,
                interpolation: self.interpolation,
            },
            temperature: None,
        }
    }

    /// The file's name at its address.
    pub(crate) fn file(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or(&self.url)
    }
}

/// All of the table, by name.
pub(crate) fn all() -> anyhow::Result<Vec<Pretrained>> {
    Ok(serde_json::from_str(include_str!("pretrained.json"))?)
}

/// The weights called `name`.
pub(crate) fn find(name: &str) -> anyhow::Result<Pretrained> {
    let all = all()?;
    if let Some(found) = all.iter().find(|entry| entry.name == name) {
        return Ok(found.clone());
    }
    let likeness = |entry: &&Pretrained| strsim::jaro_winkler(name, &entry.name);
    let nearest = all.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let nearest = nearest.filter(|entry| likeness(entry) > 0.75).map(|entry| entry.name.clone());
    Err(FetchError::Unknown { name: name.to_owned(), nearest }.into())
}

#[cfg(test)]
mod tests {
    use super::all;
    use burn::tensor::Device;

    #[test]
    fn every_entry_has_a_model_a_card_and_a_checksum() {
        for entry in all().unwrap() {
            assert!(entry.sha256.len() >= 8, "{}", entry.name);
            assert!(entry.file().contains(&entry.sha256), "{}", entry.name);
            assert!(entry.card().evaluation_recipe().is_ok(), "{}", entry.name);
            entry.model.validate().unwrap();
        }
        let smallest = all().unwrap().into_iter().find(|entry| entry.name == "resnet18.tv_in1k");
        let network = smallest.unwrap().model.build(1000, &Device::flex());
        assert_eq!(kiln_models::parameter_count(&network), 11_689_512);
    }
}
