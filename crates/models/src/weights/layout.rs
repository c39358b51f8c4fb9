//! Whose names the tensors of a file have.

use super::error::WeightsError;
use super::file::WeightsFile;
use crate::catalog::Network;
use serde::{Deserialize, Serialize};

/// Names of tensors. Residual networks have the same in both; EfficientNets have not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// `features.0.0.weight`: torchvision's, and Kiln's own.
    Torchvision,
    /// `conv_stem.weight`: timm's.
    Timm,
}

impl Layout {
    /// The layout of a file for `network`: the one that is asked for, or the one that its names show. Residual networks
    /// have torchvision's names in both.
    ///
    /// # Errors
    /// [`WeightsError::Layout`] when the names are not those of the layout asked for, or of none.
    pub fn of(
        file: &WeightsFile,
        network: &Network,
        asked: Option<Self>,
    ) -> Result<Self, WeightsError> {
        if !matches!(network, Network::EfficientNet(_)) {
            // The same names in both.
            return Ok(Self::Torchvision);
        }
        let shown = Self::shown_by(file);
        match (asked, shown) {
            (None, Some(shown)) => Ok(shown),
            (Some(asked), Some(shown)) if asked == shown => Ok(shown),
            (Some(asked), Some(shown)) => {
                let problem = format!("names are {shown:?}'s, {asked:?}'s were asked for");
                Err(WeightsError::layout(&file.path, problem.to_lowercase()))
            }
            (_, None) => {
                let first = file.tensors.keys().next().map_or("", String::as_str);
                let problem = format!(
                    "not an EfficientNet of torchvision (`features.0.0.weight`) or timm \
                     (`conv_stem.weight`): its first tensor is `{first}`"
                );
                Err(WeightsError::layout(&file.path, problem))
            }
        }
    }

    /// The layout of an EfficientNet's names; none for other names.
    pub fn shown_by(file: &WeightsFile) -> Option<Self> {
        let has = |name: &str| file.tensors.contains_key(name);
        if has("conv_stem.weight") {
            Some(Self::Timm)
        } else if has("features.0.0.weight") {
            Some(Self::Torchvision)
        } else {
            None
        }
    }

    /// Kiln's name of a tensor that has `name` in this layout, if the layout has such a name.
    pub(super) fn our_name(self, name: &str) -> Option<String> {
        match self {
            Self::Torchvision => Some(name.to_owned()),
            Self::Timm => from_timm(name),
        }
    }

    /// The name in this layout of Kiln's tensor `name`.
    pub(super) fn name_of(self, name: &str) -> String {
        match self {
            Self::Torchvision => name.to_owned(),
            Self::Timm => to_timm(name).unwrap_or_else(|| name.to_owned()),
        }
    }
}

/// The parts of timm's block without expansion, in the order of torchvision's numbers, each with its norm.
const PLAIN: [&[(&str, &str)]; 3] = [
    &[("conv_dw", "0"), ("bn1", "1")],
    &[("se.conv_reduce", "fc1"), ("se.conv_expand", "fc2")],
    &[("conv_pw", "0"), ("bn2", "1")],
];

/// The same with expansion.
const EXPANDED: [&[(&str, &str)]; 4] = [
    &[("conv_pw", "0"), ("bn1", "1")],
    &[("conv_dw", "0"), ("bn2", "1")],
    &[("se.conv_reduce", "fc1"), ("se.conv_expand", "fc2")],
    &[("conv_pwl", "0"), ("bn3", "1")],
];

/// Names at the ends of the network.
const ENDS: [(&str, &str); 5] = [
    ("conv_stem.", "features.0.0."),
    ("bn1.", "features.0.1."),
    ("conv_head.", "features.8.0."),
    ("bn2.", "features.8.1."),
    ("classifier.", "classifier.1."),
];

/// The parts of a block of timm's `stage`; only the first stage does not expand.
fn parts(stage: usize) -> &'static [&'static [(&'static str, &'static str)]] {
    if stage == 0 { &PLAIN } else { &EXPANDED }
}

fn from_timm(name: &str) -> Option<String> {
    for (theirs, ours) in ENDS {
        if let Some(rest) = name.strip_prefix(theirs) {
            return Some(format!("{ours}{rest}"));
        }
    }
    let (stage, rest) = name.strip_prefix("blocks.")?.split_once('.')?;
    let stage: usize = stage.parse().ok()?;
    let (block, rest) = rest.split_once('.')?;
    for (number, part) in parts(stage).iter().enumerate() {
        for (theirs, ours) in *part {
            if let Some(tensor) = rest.strip_prefix(theirs).and_then(|rest| rest.strip_prefix('.'))
            {
                return Some(format!(
                    "features.{}.{block}.block.{number}.{ours}.{tensor}",
                    stage + 1
                ));
            }
        }
    }
    None
}

fn to_timm(name: &str) -> Option<String> {
    for (theirs, ours) in ENDS {
        if let Some(rest) = name.strip_prefix(ours) {
            return Some(format!("{theirs}{rest}"));
        }
    }
    let (stage, rest) = name.strip_prefix("features.")?.split_once('.')?;
    let stage = stage.parse::<usize>().ok()?.checked_sub(1)?;
    let (block, rest) = rest.split_once(".block.")?;
    let (number, rest) = rest.split_once('.')?;
    let part = parts(stage).get(number.parse::<usize>().ok()?)?;
    let (inner, tensor) = rest.split_once('.')?;
    let (theirs, _) = part.iter().find(|(_, ours)| *ours == inner)?;
    Some(format!("blocks.{stage}.{block}.{theirs}.{tensor}"))
}
