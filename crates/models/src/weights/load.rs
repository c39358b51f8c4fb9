//! From a file into a network.

use super::error::{Mismatch, WeightsError};
use super::file::WeightsFile;
use super::first_convolution;
use super::layout::Layout;
use crate::catalog::Network;
use crate::state_dict::{NamedTensor, load_state_dict, state_dict_shapes};
use std::collections::BTreeMap;

/// How a file is fitted to a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LoadSettings {
    /// Whose names; absent: as they show.
    pub layout: Option<Layout>,
    /// Leave the classifier as it is, for other classes than those of the file.
    pub new_head: bool,
}

/// What was done to fit a file.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadReport {
    /// Whose names the file has.
    pub layout: Layout,
    /// Tensors taken from the file.
    pub loaded: usize,
    /// Tensors of the classifier that keep their values.
    pub kept: Vec<String>,
    /// Channels of the file's first convolution, if they were adapted.
    pub adapted_from: Option<usize>,
}

/// Gives `network` the tensors of a file: all of them, in their shapes, and no float tensor of the file is left over.
///
/// Two differences are allowed. With [`LoadSettings::new_head`] the classifier keeps its values, whatever the file has for
/// it. A network built for other pictures than coloured ones ([`ModelSpec::build_for`](crate::ModelSpec::build_for)) takes a first convolution of three: one channel gets their sum,
/// more get them in turn, scaled by `3 / channels` (timm's rule).
///
/// ```
/// use burn::tensor::Device;
/// use kiln_models::{LoadSettings, ModelSpec, ResNetSpec, WeightsFile, load_weights, state_dict, to_safetensors};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let device = Device::flex();
/// let spec = ModelSpec::Resnet18(ResNetSpec::default());
/// let path = std::env::temp_dir().join(format!("kiln-doc-{}.safetensors", std::process::id()));
/// let bytes = to_safetensors(&state_dict(&spec.build(10, &device)), &[])?;
/// std::fs::write(&path, bytes)?;
///
/// let file = WeightsFile::open(&path)?;
/// let settings = LoadSettings { new_head: true, ..LoadSettings::default() };
/// let (network, report) = load_weights(spec.build(37, &device), &file, settings)?;
/// assert_eq!(report.kept, ["fc.weight", "fc.bias"]);
/// # std::fs::remove_file(&path)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`WeightsError::Mismatch`] naming every tensor that does not fit; see [`WeightsFile::read`] and [`Layout::of`] for the
/// others. The network is lost then: no part of a file is ever loaded.
pub fn load_weights(
    network: Network,
    file: &WeightsFile,
    settings: LoadSettings,
) -> Result<(Network, LoadReport), WeightsError> {
    let layout = Layout::of(file, &network, settings.layout)?;
    let (head, first) = (network.head_prefix(), network.first_weight());
    // Ours to theirs.
    let mut names: BTreeMap<String, &String> = BTreeMap::new();
    let mut strangers = Vec::new();
    for name in file.float_names() {
        match layout.our_name(name) {
            Some(ours) if !names.contains_key(&ours) => {
                names.insert(ours, name);
            }
            _ => strangers.push(name.clone()),
        }
    }
    let mut report = LoadReport { layout, loaded: 0, kept: Vec::new(), adapted_from: None };
    let mut mismatch = Mismatch::default();
    let mut found: BTreeMap<String, Vec<f32>> = BTreeMap::new();
    let mut model_names = Vec::new();
    for (name, shape) in state_dict_shapes(&network) {
        model_names.push(name.clone());
        if settings.new_head && name.starts_with(head) {
            report.kept.push(name);
            continue;
        }
        let Some(&theirs) = names.get(&name) else {
            mismatch.missing.push((name, None));
            continue;
        };
        let stored = &file.tensors[theirs].shape;
        let adapts = name == first && can_adapt(&shape, stored);
        if *stored != shape && !adapts {
            mismatch.misshapen.push((name, shape, stored.clone()));
            continue;
        }
        let mut values = file.read(theirs)?;
        if adapts {
            report.adapted_from = Some(stored[1]);
            values = first_convolution::adapt(&values, shape[2] * shape[3], shape[1]);
        }
        report.loaded += 1;
        found.insert(name, values);
    }
    let known =
        |name: &String| model_names.contains(name) || (settings.new_head && name.starts_with(head));
    mismatch.unexpected = names.keys().filter(|name| !known(name)).cloned().collect();
    mismatch.unexpected.extend(strangers);
    if !mismatch.is_empty() {
        suggest(&mut mismatch);
        let path = file.path.clone();
        return Err(WeightsError::Mismatch { path, mismatch: Box::new(mismatch) });
    }
    let kept = head_values(&network, &report.kept);
    let network = load_state_dict(network, |name, shape| {
        let values = found.remove(name).or_else(|| kept.get(name).cloned())?;
        Some(NamedTensor { name: name.to_owned(), shape: shape.to_vec(), values })
    });
    let network = network.map_err(|error| WeightsError::file(&file.path, error))?;
    Ok((network, report))
}

/// Whether weights of three channels stand where another number is wanted.
fn can_adapt(ours: &[usize], theirs: &[usize]) -> bool {
    match (ours, theirs) {
        ([outputs, channels, ours @ ..], [their_outputs, 3, theirs @ ..]) => {
            *channels != 3 && outputs == their_outputs && ours == theirs
        }
        _ => false,
    }
}

/// The values that the classifier has.
fn head_values(network: &Network, kept: &[String]) -> BTreeMap<String, Vec<f32>> {
    if kept.is_empty() {
        return BTreeMap::new();
    }
    let tensors = crate::state_dict::state_dict(network).into_iter();
    let kept = tensors.filter(|tensor| kept.contains(&tensor.name));
    kept.map(|tensor| (tensor.name, tensor.values)).collect()
}

/// Puts the likeliest of the unexpected names beside each missing one.
fn suggest(mismatch: &mut Mismatch) {
    for (name, nearest) in &mut mismatch.missing {
        *nearest = mismatch
            .unexpected
            .iter()
            .map(|other| (strsim::jaro_winkler(name, other), other))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .filter(|(likeness, _)| *likeness > 0.8)
            .map(|(_, other)| other.clone());
    }
}
