//! Compresses to JPEG and decompresses again.
//!
//! No file is written: what JPEG does to pixels happens before its coefficients are packed, and unpacking them gives them
//! back. The picture is the same without the bit stream, and the work several times less. `WebP` is left out.
//!
//! # Randomness
//! One draw: whether to act; then one for the quality, each in the range being equally likely.
//!
//! # Parity
//! libjpeg-turbo with its defaults, as in OpenCV's `imencode` and `imdecode` (chroma 4:2:0, accurate integer transform,
//! smooth upsampling); `render` bit for bit. albumentations' `ImageCompression` hands its RGB pictures to OpenCV, which
//! takes them for BGR, so that red and blue have each other's weights; here red is red.
//!
//! # Example
//! ```toml
//! pipeline = [{ type = "image_compression", quality_range = [40, 90], p = 0.5 }]
//! ```

use super::OpSettings;
use crate::error::{Error, check, check_probability};
use crate::image::{Image8, Size};
use crate::jpeg::compress::compress;
use crate::key::OpRng;
use crate::op::Op;
use serde::{Deserialize, Serialize};

/// Settings of [`ImageCompression`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImageCompressionSpec {
    /// Lowest and highest quality, from 1 to 100.
    pub quality_range: [u32; 2],
    /// How often to act, from 0 to 1.
    pub p: f64,
}

impl Default for ImageCompressionSpec {
    fn default() -> Self {
        Self { quality_range: [99, 100], p: 0.5 }
    }
}

impl OpSettings for ImageCompressionSpec {
    type Op = ImageCompression;

    fn build(&self, _: Size) -> Result<ImageCompression, Error> {
        check_probability(self.p)?;
        let [low, high] = self.quality_range;
        check(
            1 <= low && low <= high && high <= 100,
            "quality_range",
            "[min, max] with 1 <= min <= max <= 100",
            self.quality_range,
        )?;
        Ok(ImageCompression { qualities: self.quality_range, p: self.p })
    }

    fn example() -> Self {
        Self { quality_range: [20, 60], p: 1.0 }
    }
}

/// Compresses to JPEG and decompresses again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImageCompression {
    qualities: [u32; 2],
    p: f64,
}

impl Op for ImageCompression {
    /// The quality; `None`: rests.
    type Draw = Option<u32>;

    fn draw(&self, _: Size, rng: &mut OpRng) -> Option<u32> {
        rng.bernoulli(self.p).then(|| {
            let [low, high] = self.qualities;
            rng.integer(low, high)
        })
    }

    fn render(&self, mut image: Image8, quality: &Option<u32>) -> Image8 {
        if let Some(quality) = quality {
            compress(&mut image, *quality);
        }
        image
    }
}
