//! JPEGs through the code that Pillow decodes with.
//!
//! What a JPEG looks like is not laid down to the last bit: decoders round differently in the cosine transform, and
//! differ in how they enlarge the colour planes. libjpeg-turbo's choices are what the weights of this world were
//! trained and measured with.

use crate::caught::caught;
use kiln_augment::{Image8, Size};
use mozjpeg::{ColorSpace, Decompress};

/// The picture in `bytes`; `None` when its colours are CMYK or YCCK, which libjpeg leaves as they are.
///
/// Damage in the middle of a file is passed over, as Pillow does.
///
/// # Errors
/// What libjpeg says, or that there are more than `max_pixels` pixels.
pub(crate) fn decode(bytes: &[u8], max_pixels: u64) -> Result<Option<Image8>, String> {
    // libjpeg leaves its functions by unwinding when it cannot go on.
    caught(|| {
        let jpeg = Decompress::new_mem(bytes).map_err(|error| error.to_string())?;
        if matches!(jpeg.color_space(), ColorSpace::JCS_CMYK | ColorSpace::JCS_YCCK) {
            return Ok(None);
        }
        let (width, height) = jpeg.size();
        if (width as u64) * (height as u64) > max_pixels {
            return Err(format!("{width}x{height} is more than {max_pixels} pixels"));
        }
        let mut rows = jpeg.rgb().map_err(|error| error.to_string())?;
        let pixels: Vec<[u8; 3]> = rows.read_scanlines().map_err(|error| error.to_string())?;
        let side = |side: usize| u32::try_from(side).map_err(|error| error.to_string());
        let size = Size::new(side(width)?, side(height)?);
        Image8::from_rgb(size, pixels.into_flattened()).map(Some).map_err(|error| error.to_string())
    })
    .unwrap_or_else(Err)
}
