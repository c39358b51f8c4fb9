//! Image augmentation with reproducible randomness: ops, pipelines, keys.
//!
//! An experiment lists ops as data, [`OpSpec`]; [`OpSpec::build`] checks the settings once and makes a [`Transform`];
//! a [`Pipeline`] applies transforms in order. Applying cannot fail.
//!
//! All randomness comes from a [`RandomKey`]: seed, epoch and the picture's index. The same key gives the same
//! result on any thread, in any order, after any interruption. An [`Op`] decides first and acts second: `draw`
//! touches no pixel and `render` touches no randomness, so tests can check either alone.
//!
//! Names, defaults and arithmetic are those of a reference, torchvision, albumentations or timm, which each op's page
//! names; where an op differs, its section *Parity* says so.
//!
//! The readme below shows both ways in, from a configuration and from code.
#![doc = include_str!("../README.md")]
#![allow(
    clippy::inline_always,
    reason = "what `pulp` dispatches must be inlined, or it is not compiled for the processor's vectors"
)]

mod blur;
mod children;
mod color;
mod erasing;
mod error;
mod five_crop;
mod geometry;
mod image;
mod jpeg;
mod key;
pub mod mix;
mod noise;
mod normalize;
mod op;
// Loaded by path so that the table of ops lies beside the ops: a new one is a file there and two lines in it.
#[path = "ops/catalog.rs"]
pub mod ops;
mod pipeline;
mod policy;
mod round;
mod settings;

pub use erasing::hole_fill::{HoleFill, Holes};
pub use erasing::turned_grid::TurnedGrid;
pub use error::Error;
pub use five_crop::five_crop;
pub use geometry::crop_box::CropBox;
pub use geometry::interpolation::Interpolation;
pub use image::{Channels, Image8, Size};
pub use key::{Domain, OpRng, RandomKey};
pub use normalize::Normalize;
pub use op::{Op, Transform};
pub use ops::{CatalogOp, Family, OpDraw, OpSettings, OpSpec};
pub use pipeline::Pipeline;
pub use policy::action::{Action, Step, Variant};
pub use policy::learnt::LearntPolicy;
pub use settings::border_mode::BorderMode;
pub use settings::count::Count;
pub use settings::padding::{Padding, PaddingMode};
pub use settings::strength::Strength;
pub use settings::symmetric_range::SymmetricRange;
