//! Mixing the pictures of a batch: mixup, cutmix, resizemix.
//!
//! Unlike an op, mixing sees a whole batch and changes its labels: a picture becomes a part of its own class and a part
//! of its partner's, [`MixedLabel`]. Settings are [`MixSpec`]; [`Mix::draw`] decides and [`MixDraw::apply`] acts, on
//! `f32` planes after normalisation or on 8-bit pixels before.
//!
//! ```
//! use kiln_augment::mix::{Layout, MixSpec};
//! use kiln_augment::{Domain, RandomKey, Size};
//!
//! let spec: MixSpec = toml::from_str("mixup_alpha = 0.2\ncutmix_alpha = 1.0")?;
//! let mix = spec.build()?;
//!
//! let size = Size::square(8);
//! let mut batch = vec![0.5_f32; 4 * 3 * size.area()];
//! let key = RandomKey { seed: 42, domain: Domain::Mix, epoch: 0, index: 0 };
//! let draw = mix.draw(4, size, &mut key.rng(0));
//! draw.apply(&mut batch, size, Layout::Planar, &mut Vec::new());
//! let labels = draw.labels(&[3, 1, 4, 1]);
//! assert_eq!(labels[0].partner, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod apply;
mod draw;
mod label;
mod settings;

pub use apply::{Layout, Level};
pub use draw::{Blend, MixDraw, Mixed};
pub use label::MixedLabel;
pub use settings::{Mix, MixMode, MixSpec};
