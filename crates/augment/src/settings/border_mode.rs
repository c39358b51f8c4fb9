//! The setting `border_mode` of ops that move pixels by OpenCV's arithmetic.

use serde::{Deserialize, Serialize};

/// What is shown where a pixel comes from outside of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BorderMode {
    /// The fill.
    #[default]
    Constant,
    /// The picture mirrored at its outermost pixels, which are not repeated: `c b | a b c | b a`.
    #[serde(rename = "reflect_101")]
    Reflect101,
    /// The nearest pixel of the picture.
    Replicate,
}
