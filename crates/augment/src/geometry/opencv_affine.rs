//! Pictures whose every pixel comes from a place that a matrix tells, by OpenCV's arithmetic.
//!
//! # Parity
//!
//! `cv2.warpAffine` of version 5: places in `f32`. Bit for bit but for the last columns of a row, fewer than a vector
//! has, which OpenCV rounds otherwise: there one level in a thousand or so is one off.

use super::beyond::Beyond;
use super::bilinear::{Arithmetic, BLOCK, Places, interpolated};
use crate::image::Image8;
use crate::round::factor;

/// `x' = a x + b y + c`, `y' = d x + e y + f` between the centres of pixels, the first at 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct OpenCvAffine([f32; 6]);

impl OpenCvAffine {
    /// The map from the result to the source, where `forward` is that from the source to the result; everything from
    /// one place if that is no way back.
    pub(crate) fn inverse_of(forward: [f64; 6]) -> Self {
        let [across_x, down_x, at_x, across_y, down_y, at_y] = forward;
        let determinant = across_x * down_y - down_x * across_y;
        let scale = if determinant == 0.0 { 0.0 } else { 1.0 / determinant };
        let (back_across_x, back_down_y) = (down_y * scale, across_x * scale);
        let (back_down_x, back_across_y) = (down_x * -scale, across_y * -scale);
        let back_x = -back_across_x * at_x - back_down_x * at_y;
        let back_y = -back_across_y * at_x - back_down_y * at_y;
        Self([back_across_x, back_down_x, back_x, back_across_y, back_down_y, back_y].map(factor))
    }

    /// Interpolated between the four neighbours of each place.
    pub(crate) fn bilinear(self, image: Image8, beyond: Beyond, fill: [u8; 3]) -> Image8 {
        interpolated(image, self, beyond, fill)
    }

    /// The pixel that is nearest to each place.
    pub(crate) fn nearest(self, image: Image8, beyond: Beyond, fill: [u8; 3]) -> Image8 {
        interpolated(image, Rounded(self), beyond, fill)
    }
}

impl Places for OpenCvAffine {
    type Number = f32;

    #[inline(always)]
    fn block(&mut self, x: u32, y: u32, across: &mut [f32; BLOCK], down: &mut [f32; BLOCK]) {
        let [across_x, down_x, at_x, across_y, down_y, at_y] = self.0;
        let y = f32::of(y);
        let (start_x, start_y) = (y * down_x + at_x, y * down_y + at_y);
        for (i, x) in (x..).take(BLOCK).enumerate() {
            let x = f32::of(x);
            across[i] = x.mul_add(across_x, start_x);
            down[i] = x.mul_add(across_y, start_y);
        }
    }
}

/// The centre of the pixel that a place lies in. Between it and its neighbours all weight is on the pixel.
struct Rounded(OpenCvAffine);

impl Places for Rounded {
    type Number = f32;

    #[inline(always)]
    fn block(&mut self, x: u32, y: u32, across: &mut [f32; BLOCK], down: &mut [f32; BLOCK]) {
        self.0.block(x, y, across, down);
        for place in across.iter_mut().chain(down) {
            *place = place.round_ties_even();
        }
    }
}
