//! The configuration and the machine of small runs.

use burn::tensor::Device;
use kiln_trainer::RunSettings;
use kiln_trainer::spec::{Layer, Layers};
use std::path::Path;

/// The defaults, `experiment`, and over it the cache in `folder` and `extra`.
pub(crate) fn layers_of(experiment: &str, folder: &Path, extra: &str) -> Layers {
    let mut layers = Layers::with_defaults().unwrap();
    layers.push(Layer::from_toml("test", experiment).unwrap());
    let cache = format!("data.cache = '{}'\n{extra}", folder.join("cache").display());
    layers.push(Layer::from_toml("extra", &cache).unwrap());
    layers
}

/// One worker on the CPU, and nobody who asks to stop.
pub(crate) fn settings() -> RunSettings {
    RunSettings::new(Device::flex(), 1)
}
