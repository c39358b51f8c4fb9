//! The picture that ops work on: 8 bits per channel, rows top to bottom, channels interleaved.

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

/// What a pixel has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channels {
    /// One level.
    Gray = 1,
    /// Red, green and blue.
    Rgb = 3,
}

impl Channels {
    /// Bytes of a pixel.
    pub const fn count(self) -> usize {
        self as usize
    }
}

/// An 8-bit picture: `height * width` pixels row by row, each of one byte (gray) or of three (`R G B`).
///
/// Ops that move or erase pixels keep the channels. Ops that need colour make a gray picture an RGB one first, as
/// [`into_rgb`](Self::into_rgb) does, so that every op gives the same picture for either form.
#[derive(Clone, PartialEq, Eq)]
pub struct Image8 {
    size: Size,
    channels: Channels,
    pixels: Vec<u8>,
}

impl Image8 {
    /// Wraps interleaved RGB bytes.
    ///
    /// # Errors
    /// [`Error::PixelCount`] when a side is 0 or `pixels.len()` is not `width * height * 3`.
    pub fn from_rgb(size: Size, pixels: Vec<u8>) -> Result<Self, Error> {
        Self::from_bytes(size, Channels::Rgb, pixels)
    }

    /// Wraps gray levels.
    ///
    /// # Errors
    /// [`Error::PixelCount`] when a side is 0 or `pixels.len()` is not `width * height`.
    pub fn from_gray(size: Size, pixels: Vec<u8>) -> Result<Self, Error> {
        Self::from_bytes(size, Channels::Gray, pixels)
    }

    /// Wraps bytes of either kind.
    ///
    /// # Errors
    /// [`Error::PixelCount`] when a side is 0 or `pixels.len()` is not `width * height * channels`.
    pub fn from_bytes(size: Size, channels: Channels, pixels: Vec<u8>) -> Result<Self, Error> {
        let expected = size.area().saturating_mul(channels.count());
        if size.area() == 0 || pixels.len() != expected {
            return Err(Error::PixelCount { size, channels, expected, found: pixels.len() });
        }
        Ok(Self { size, channels, pixels })
    }

    /// An RGB picture of one colour. A side of 0 becomes 1.
    pub fn filled(size: Size, color: [u8; 3]) -> Self {
        let mut image = Self::black(size, Channels::Rgb);
        if color != [0; 3] {
            image.rgb_mut().fill(color);
        }
        image
    }

    /// A picture of zeros. A side of 0 becomes 1.
    pub fn black(size: Size, channels: Channels) -> Self {
        let size = Size::new(size.width.max(1), size.height.max(1));
        // Zeroed memory is free where the allocator gets it from the system.
        Self { size, channels, pixels: vec![0; size.area() * channels.count()] }
    }

    /// A picture whose bytes `write` appends to an empty list, so that none is written twice. What is missing is 0.
    pub(crate) fn appended(
        size: Size,
        channels: Channels,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Self {
        let len = size.area() * channels.count();
        let mut pixels = Vec::with_capacity(len);
        write(&mut pixels);
        pixels.resize(len, 0);
        Self { size, channels, pixels }
    }

    /// Width and height.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// What a pixel has.
    pub const fn channels(&self) -> Channels {
        self.channels
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
        self.size.width as usize * self.channels.count()
    }

    /// The bytes of row `y`, which must be below the height.
    pub fn row(&self, y: u32) -> &[u8] {
        let start = y as usize * self.stride();
        &self.pixels[start..start + self.stride()]
    }

    /// Three equal channels for a gray picture, itself otherwise.
    #[must_use]
    pub fn into_rgb(self) -> Self {
        match self.channels {
            Channels::Rgb => self,
            Channels::Gray => {
                let mut pixels = Vec::with_capacity(self.pixels.len() * 3);
                for level in self.pixels {
                    pixels.extend_from_slice(&[level; 3]);
                }
                Self { size: self.size, channels: Channels::Rgb, pixels }
            }
        }
    }

    /// The pixels for changing colours; a gray picture becomes an RGB one.
    pub fn rgb_mut(&mut self) -> &mut [[u8; 3]] {
        if self.channels == Channels::Gray {
            let gray = std::mem::replace(self, Self::black(Size::square(1), Channels::Gray));
            *self = gray.into_rgb();
        }
        self.pixels.as_chunks_mut::<3>().0
    }

    /// Gives the bytes back.
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }
}

impl std::fmt::Debug for Image8 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Image8({}, {:?})", self.size, self.channels)
    }
}
