//! Carrying out what was drawn, in place.

use super::draw::{Blend, MixDraw, Mixed};
use crate::geometry::crop_box::CropBox;
use crate::image::Size;
use crate::round::{factor, level_half_even};

/// How the numbers of a picture lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// All of red, then all of green, then all of blue: `[3, height, width]`.
    Planar,
    /// `R G B` for each pixel: `[height, width, 3]`.
    Interleaved,
}

/// What a picture is made of.
pub trait Level: Copy {
    /// `self * lambda + other * rest`.
    #[must_use]
    fn blend(self, other: Self, lambda: f32, rest: f32) -> Self;
}

impl Level for f32 {
    fn blend(self, other: Self, lambda: f32, rest: f32) -> Self {
        self * lambda + other * rest
    }
}

/// Rounded to the nearest level, as in timm's `FastCollateMixup`.
impl Level for u8 {
    fn blend(self, other: Self, lambda: f32, rest: f32) -> Self {
        level_half_even(f32::from(self) * lambda + f32::from(other) * rest)
    }
}

impl MixDraw {
    /// Mixes the pictures of a batch, each of three channels and `size`. `kept` is memory for one picture; its content
    /// does not matter.
    ///
    /// # Panics
    /// When the batch does not have as many pictures as were drawn for.
    pub fn apply<T: Level>(&self, batch: &mut [T], size: Size, layout: Layout, kept: &mut Vec<T>) {
        let len = size.area() * 3;
        let count = self.pictures.len();
        assert_eq!(batch.len(), len * count, "a batch of {count} pictures of {size}");
        if len == 0 {
            return;
        }
        // Both of a pair read the other as it was. Partners are opposite, so the first half meets every pair.
        let (first, second) = batch.split_at_mut(count.div_ceil(2) * len);
        let pairs = first.chunks_exact_mut(len).zip(second.rchunks_exact_mut(len));
        for (own, (picture, partner)) in pairs.enumerate() {
            kept.clear();
            kept.extend_from_slice(picture);
            self.pictures[own].apply(picture, partner, size, layout);
            self.pictures[count - 1 - own].apply(partner, kept, size, layout);
        }
    }
}

impl Mixed {
    fn apply<T: Level>(self, own: &mut [T], partner: &[T], size: Size, layout: Layout) {
        let (planes, pixel) = match layout {
            Layout::Planar => (3, 1),
            Layout::Interleaved => (1, 3),
        };
        let stride = size.width as usize * pixel;
        match self.blend {
            Blend::Untouched => {}
            Blend::Sum => {
                let (lambda, rest) = (factor(self.lambda), factor(1.0 - self.lambda));
                for (own, &partner) in own.iter_mut().zip(partner) {
                    *own = own.blend(partner, lambda, rest);
                }
            }
            Blend::Paste(pasted) => {
                for (start, len) in rows(pasted, size, planes, pixel, stride) {
                    own[start..start + len].copy_from_slice(&partner[start..start + len]);
                }
            }
            Blend::PasteResized(pasted) => {
                let pasted = inside(pasted, size);
                let plane_len = size.area() * pixel;
                let source =
                    |at: u32, from: u32, to: u32| at as usize * from as usize / to as usize;
                for (own, partner) in
                    own.chunks_exact_mut(plane_len).zip(partner.chunks_exact(plane_len))
                {
                    for y in 0..pasted.height {
                        let from = source(y, size.height, pasted.height) * stride;
                        let to = (pasted.top + y) as usize * stride + pasted.left as usize * pixel;
                        for x in 0..pasted.width {
                            let from = from + source(x, size.width, pasted.width) * pixel;
                            let to = to + x as usize * pixel;
                            own[to..to + pixel].copy_from_slice(&partner[from..from + pixel]);
                        }
                    }
                }
            }
        }
    }
}

/// The box cut to the picture; may be empty.
fn inside(pasted: CropBox, size: Size) -> CropBox {
    let (left, top) = (pasted.left.min(size.width), pasted.top.min(size.height));
    let width = pasted.width.min(size.width - left);
    CropBox { left, top, width, height: pasted.height.min(size.height - top) }
}

/// First number and length of each row of the box, in every plane.
fn rows(
    pasted: CropBox,
    size: Size,
    planes: usize,
    pixel: usize,
    stride: usize,
) -> impl Iterator<Item = (usize, usize)> {
    let CropBox { left, top, width, height } = inside(pasted, size);
    (0..planes).flat_map(move |plane| {
        (top..top + height).map(move |y| {
            let row = plane * size.height as usize + y as usize;
            (row * stride + left as usize * pixel, width as usize * pixel)
        })
    })
}
