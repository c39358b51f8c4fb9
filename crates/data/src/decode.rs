//! From a file to an 8-bit RGB picture.
//!
//! # Parity
//! What torchvision's default loader does (`Image.open(path).convert("RGB")`), with the deviations named:
//!
//! - The EXIF orientation is *not* applied. A photograph that relies on it is seen as the sensor recorded it.
//! - Grey becomes three equal channels; alpha is dropped, not blended; CMYK and YCCK are converted without a colour
//!   profile.
//! - 16 bits keep their high byte. For grey without alpha this deviates: Pillow clips such levels to 255, which leaves
//!   a white picture of all but the darkest.
//! - The content decides the format, not the file's name: a PNG named `.jpg` decodes.
//! - A JPEG that was cut off is an error, though damage in its middle is not.
//!
//! With the feature `libjpeg` a JPEG has Pillow's pixels to the bit, because Pillow decodes with code of the same origin;
//! CMYK and YCCK excepted. Without it levels differ, on photographs by up to 5. Arithmetic coding is not decoded.
//!
//! # Damage
//! A damaged file may hit a defect of a decoder. Such a panic is caught here and makes the file a bad picture like
//! any other, which can be skipped; otherwise one file would end a long run.

use crate::caught::caught;
use crate::jpeg_markers::is_cut_off;
#[cfg(feature = "libjpeg")]
use crate::libjpeg;
use image::{ColorType, DynamicImage, ImageDecoder, ImageFormat, ImageReader};
use kiln_augment::{Image8, Size};
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

/// Pictures of more pixels are refused, as Pillow refuses them: such a file is damaged or malicious.
const MAX_PIXELS: u64 = 178_956_970;
/// Pictures with a longer side are refused, PNGs included: no JPEG has one, and a single row of 100 million pixels, a
/// file of some hundred kilobytes, would take gigabytes to resize.
const MAX_SIDE: u32 = 65_535;

/// A file that could not be read or is not a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadImage {
    /// The file.
    pub path: PathBuf,
    /// What the reader or decoder said.
    pub why: String,
}

/// Reads and decodes files, reusing one buffer for their bytes.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
}

impl Decoder {
    /// A decoder with an empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// The picture in the file at `path`.
    ///
    /// # Errors
    /// [`BadImage`] naming the file.
    pub fn decode(&mut self, path: &Path) -> Result<Image8, BadImage> {
        self.bytes.clear();
        File::open(path)
            .and_then(|mut file| file.read_to_end(&mut self.bytes))
            .map_err(|error| error.to_string())
            .and_then(|_| decode_bytes(&self.bytes))
            .map_err(|why| BadImage { path: path.to_path_buf(), why })
    }
}

/// The picture in the file at `path`.
///
/// # Errors
/// [`BadImage`] naming the file; it converts into [`Error`](crate::Error).
pub fn decode_file(path: &Path) -> Result<Image8, BadImage> {
    Decoder::new().decode(path)
}

/// The picture in `bytes`, the content of a JPEG or PNG file.
///
/// # Errors
/// Why it cannot be decoded, in words.
pub fn decode_bytes(bytes: &[u8]) -> Result<Image8, String> {
    without_panic(|| {
        let format = format_of(bytes)?;
        #[cfg(feature = "libjpeg")]
        if format == ImageFormat::Jpeg
            && let Some(image) = libjpeg::decode(bytes)?
        {
            return Ok(image);
        }
        let decoder = open(bytes, format)?;
        let (width, height) = decoder.dimensions();
        let pixels = rgb(decoder)?;
        Image8::from_rgb(Size::new(width, height), pixels).map_err(|error| error.to_string())
    })
}

/// What can be told of `bytes` without decoding pixels: format and size, or why they are unusable.
pub(crate) fn read_header(bytes: &[u8]) -> Result<(ImageFormat, Size), String> {
    without_panic(|| {
        let format = format_of(bytes)?;
        #[cfg(feature = "libjpeg")]
        if format == ImageFormat::Jpeg {
            return Ok((format, libjpeg::size(bytes)?));
        }
        let (width, height) = open(bytes, format)?.dimensions();
        Ok((format, Size::new(width, height)))
    })
}

fn without_panic<T>(decode: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    caught(decode).unwrap_or_else(|message| Err(format!("the decoder panicked: {message}")))
}

/// The format that the content shows, of a file that is whole as far as can be told at once.
fn format_of(bytes: &[u8]) -> Result<ImageFormat, String> {
    if bytes.is_empty() {
        return Err("the file is empty".to_owned());
    }
    let Ok(format @ (ImageFormat::Jpeg | ImageFormat::Png)) = image::guess_format(bytes) else {
        return Err("it is neither a JPEG nor a PNG".to_owned());
    };
    if format == ImageFormat::Jpeg && is_cut_off(bytes) {
        return Err("the JPEG is cut off: it has no end-of-image marker".to_owned());
    }
    Ok(format)
}

/// Refuses a picture before memory is taken for its pixels.
pub(crate) fn check_size(width: u32, height: u32) -> Result<(), String> {
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(format!("{width}x{height} is more than {MAX_PIXELS} pixels"));
    }
    if width.max(height) > MAX_SIDE {
        return Err(format!("a side of {width}x{height} is longer than {MAX_SIDE} pixels"));
    }
    Ok(())
}

fn open(bytes: &[u8], format: ImageFormat) -> Result<impl ImageDecoder, String> {
    let reader = ImageReader::with_format(Cursor::new(bytes), format);
    let decoder = reader.into_decoder().map_err(|error| error.to_string())?;
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    Ok(decoder)
}

/// Decodes into interleaved RGB.
fn rgb(decoder: impl ImageDecoder) -> Result<Vec<u8>, String> {
    let channels = usize::from(decoder.color_type().channel_count());
    let color = decoder.color_type();
    let picture = DynamicImage::from_decoder(decoder).map_err(|error| error.to_string())?;
    Ok(match color {
        ColorType::Rgb8 => picture.into_bytes(),
        ColorType::L8 | ColorType::La8 | ColorType::Rgba8 => {
            first_three(picture.as_bytes(), channels, |level| level)
        }
        ColorType::L16 | ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16 => {
            let levels = match &picture {
                DynamicImage::ImageLuma16(p) => p.as_raw(),
                DynamicImage::ImageLumaA16(p) => p.as_raw(),
                DynamicImage::ImageRgb16(p) => p.as_raw(),
                DynamicImage::ImageRgba16(p) => p.as_raw(),
                _ => return Err(format!("{color:?} pixels are not supported")),
            };
            first_three(levels, channels, |level: u16| level.to_be_bytes()[0])
        }
        _ => picture.into_rgb8().into_raw(),
    })
}

/// The colour of each pixel of `channels` levels: the first three, or the first three times; alpha is left out.
fn first_three<T: Copy>(levels: &[T], channels: usize, to_byte: impl Fn(T) -> u8) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(levels.len() / channels * 3);
    for pixel in levels.chunks_exact(channels) {
        match *pixel {
            [r, g, b, ..] => pixels.extend([r, g, b].map(&to_byte)),
            [grey, ..] => pixels.extend([to_byte(grey); 3]),
            [] => {}
        }
    }
    pixels
}
