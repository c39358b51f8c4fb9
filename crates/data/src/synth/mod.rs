//! A data set out of nothing: shapes with textures on busy backgrounds, the same bytes from the same spec.
//!
//! For trying things without downloading anything: it is quick to render, hard enough that training shows a
//! learning curve, and easy enough for a small network. Whether a network does better on the training pictures than
//! on the others depends on the network and on the augmentation, so nothing is promised there.
//! What makes it hard is in `difficulty.rs`.

mod backdrop;
mod color;
mod difficulty;
mod folder;
mod geometry;
mod patch;
mod render;
mod scene;
mod shape;
mod spec;
mod texture;

pub(crate) use folder::folder_name;
pub use folder::{Rendered, write};
pub use render::render;
pub use spec::{CLASSES, Part, SynthSpec};
