//! A file of weights on the command line.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// What a file of weights is and was trained on. What is left out is the file's card, or torchvision's for the model.
#[derive(Debug, Args)]
pub(crate) struct ModelArguments {
    /// The model's name, such as `resnet50`; without it the tensors show it.
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// One of the model's settings, such as `constants=tensorflow`; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", requires = "model")]
    pub(crate) model_set: Vec<String>,
    /// Whose names the tensors have; without it they show.
    #[arg(long, value_enum)]
    pub(crate) layout: Option<LayoutName>,
    /// Side of the square input, in pixels.
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(1..=16_384))]
    pub(crate) size: Option<u32>,
    /// The shorter side becomes size / ratio before the centre is cropped.
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    pub(crate) crop_ratio: Option<f64>,
    /// The filter of that resize.
    #[arg(long, value_enum)]
    pub(crate) interpolation: Option<FilterName>,
    /// Mean of each channel, such as `0.485,0.456,0.406`.
    #[arg(long, value_name = "R,G,B", value_parser = channels)]
    pub(crate) mean: Option<Channels>,
    /// Standard deviation of each channel.
    #[arg(long, value_name = "R,G,B", value_parser = deviations)]
    pub(crate) std: Option<Channels>,
    /// Names of the classes, one on each line.
    #[arg(long, value_name = "FILE")]
    pub(crate) class_names: Option<PathBuf>,
}

impl ModelArguments {
    /// Whether any of them is there.
    pub(crate) fn is_given(&self) -> bool {
        self.model.is_some()
            || self.layout.is_some()
            || self.size.is_some()
            || self.crop_ratio.is_some()
            || self.interpolation.is_some()
            || self.mean.is_some()
            || self.std.is_some()
            || self.class_names.is_some()
    }
}

/// A number for each channel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Channels(pub(crate) [f32; 3]);

fn channels(text: &str) -> Result<Channels, String> {
    let numbers: Vec<f32> = text
        .split(',')
        .map(|part| part.trim().parse().ok().filter(|number: &f32| number.is_finite()))
        .collect::<Option<_>>()
        .ok_or("expected three numbers")?;
    let numbers = numbers.try_into().map_err(|_| "expected three numbers")?;
    Ok(Channels(numbers))
}

fn deviations(text: &str) -> Result<Channels, String> {
    let found = channels(text)?;
    if found.0.iter().all(|std| *std > 0.0) { Ok(found) } else { Err("must be above 0".to_owned()) }
}

fn ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok().filter(|ratio| *ratio > 0.0 && *ratio <= 1.0);
    ratio.ok_or_else(|| "must be above 0 and at most 1".to_owned())
}

/// Names of tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LayoutName {
    /// `features.0.0.weight`.
    Torchvision,
    /// `conv_stem.weight`.
    Timm,
}

impl From<LayoutName> for kiln_models::Layout {
    fn from(name: LayoutName) -> Self {
        match name {
            LayoutName::Torchvision => Self::Torchvision,
            LayoutName::Timm => Self::Timm,
        }
    }
}

/// Filters that weights were trained with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FilterName {
    /// Linear weights.
    Bilinear,
    /// Cubic weights.
    Bicubic,
}

impl From<FilterName> for kiln_augment::Interpolation {
    fn from(name: FilterName) -> Self {
        match name {
            FilterName::Bilinear => Self::Bilinear,
            FilterName::Bicubic => Self::Bicubic,
        }
    }
}
