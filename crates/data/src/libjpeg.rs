//! JPEGs through code of the same origin as that which Pillow decodes with.
//!
//! What a JPEG looks like is not laid down to the last bit: decoders round differently in the cosine transform, and
//! differ in how they enlarge the colour planes. libjpeg-turbo's choices are what the weights of this world were
//! trained and measured with; `mozjpeg` has them too.

use crate::caught::caught;
use crate::decode::check_size;
use kiln_augment::{Image8, Size};
use mozjpeg::{ColorSpace, Decompress};

/// The picture in `bytes`; `None` when its colours are CMYK or YCCK, which libjpeg leaves as they are.
///
/// Damage in the middle of a file is passed over, as Pillow does.
///
/// # Errors
/// What libjpeg says, or that the picture is too large.
pub(crate) fn decode(bytes: &[u8]) -> Result<Option<Image8>, String> {
    unwinding(|| {
        let jpeg = open(bytes)?;
        if matches!(jpeg.color_space(), ColorSpace::JCS_CMYK | ColorSpace::JCS_YCCK) {
            return Ok(None);
        }
        let size = size_of(&jpeg)?;
        let mut rows = jpeg.rgb().map_err(|error| error.to_string())?;
        let pixels: Vec<[u8; 3]> = rows.read_scanlines().map_err(|error| error.to_string())?;
        let image = Image8::from_rgb(size, pixels.into_flattened());
        image.map(Some).map_err(|error| error.to_string())
    })
}

/// The size that the header tells.
///
/// # Errors
/// As [`decode`].
pub(crate) fn size(bytes: &[u8]) -> Result<Size, String> {
    unwinding(|| size_of(&open(bytes)?))
}

/// libjpeg leaves its functions by unwinding when it cannot go on.
fn unwinding<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    caught(work).unwrap_or_else(Err)
}

fn open(bytes: &[u8]) -> Result<Decompress<&[u8]>, String> {
    Decompress::new_mem(bytes).map_err(|error| error.to_string())
}

fn size_of(jpeg: &Decompress<&[u8]>) -> Result<Size, String> {
    let side = |side: usize| u32::try_from(side).map_err(|error| error.to_string());
    let (width, height) = (side(jpeg.width())?, side(jpeg.height())?);
    check_size(width, height)?;
    Ok(Size::new(width, height))
}
