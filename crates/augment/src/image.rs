//! The picture that ops work on: 8-bit RGB, rows top to bottom, channels interleaved.

use crate::error::Error;

/// Width and height in pixels, both at least 1 in any [`Image8`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Size {
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Size {
    /// A size of `width` x `height` pixels.
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    /// A square of `side` x `side` pixels.
    pub const fn square(side: u32) -> Self {
        Self::new(side, side)
    }

    /// Number of pixels.
    pub const fn area(self) -> usize {
        self.width as usize * self.height as usize
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// An 8-bit RGB picture: `height * width * 3` bytes, row by row, `R G B` for each pixel.
#[derive(Clone, PartialEq, Eq)]
pub struct Image8 {
    size: Size,
    pixels: Vec<u8>,
}

impl Image8 {
    /// Colour channels per pixel.
    pub const CHANNELS: usize = 3;

    /// Wraps interleaved RGB bytes.
    ///
    /// # Errors
    /// [`Error::PixelCount`] when a side is 0 or `pixels.len()` is not `width * height * 3`.
    pub fn from_rgb(size: Size, pixels: Vec<u8>) -> Result<Self, Error> {
        let expected = size.area() * Self::CHANNELS;
        if size.area() == 0 || pixels.len() != expected {
            return Err(Error::PixelCount { size, expected, found: pixels.len() });
        }
        Ok(Self { size, pixels })
    }

    /// A picture of one colour. A side of 0 becomes 1.
    pub fn filled(size: Size, color: [u8; 3]) -> Self {
        let size = Size::new(size.width.max(1), size.height.max(1));
        let pixels = match color {
            [red, green, blue] if red == green && green == blue => {
                vec![red; size.area() * Self::CHANNELS]
            }
            _ => color.repeat(size.area()),
        };
        Self { size, pixels }
    }

    /// Width and height.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// All bytes, interleaved.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// All bytes, interleaved, for writing in place.
    pub fn pixels_mut(&mut self) -> &mut [u8] {
        &mut self.pixels
    }

    /// Bytes in one row.
    pub const fn stride(&self) -> usize {
        self.size.width as usize * Self::CHANNELS
    }

    /// The bytes of row `y`, which must be below the height.
    pub fn row(&self, y: u32) -> &[u8] {
        let start = y as usize * self.stride();
        &self.pixels[start..start + self.stride()]
    }

    /// Gives the bytes back.
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }
}

impl std::fmt::Debug for Image8 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Image8({})", self.size)
    }
}
