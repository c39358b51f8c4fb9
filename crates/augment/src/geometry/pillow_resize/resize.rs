//! The two passes, in Pillow's order.

use super::columns::Columns;
use super::rows::{Rows, Scratch};
use super::weights::{Filter, Weights};
use crate::geometry::crop_box::CropBox;
use crate::geometry::interpolation::Interpolation;
use crate::geometry::nearest::nearest;
use crate::geometry::pass_order::columns_first;
use crate::image::{Channels, Image8, Size};
use pulp::Arch;
use std::cell::RefCell;

/// What is kept from picture to picture.
#[derive(Default)]
struct Workspace {
    /// The picture between the two passes.
    between: Vec<u8>,
    rows: Scratch,
}

thread_local! {
    static WORKSPACE: RefCell<Workspace> = RefCell::default();
}

/// The picture resized to `size`, whose sides are at least 1, with Pillow's levels to the bit. `resample::resize_part` is
/// faster and a little off.
pub(crate) fn resize_whole(image: Image8, size: Size, interpolation: Interpolation) -> Image8 {
    if size == image.size() {
        return image;
    }
    let mut resized = Image8::black(size, image.channels());
    match Filter::of(interpolation) {
        None => nearest(&image, CropBox::whole(image.size()), &mut resized),
        Some(filter) => match image.channels() {
            Channels::Gray => filtered::<1>(&image, &mut resized, filter),
            Channels::Rgb => filtered::<3>(&image, &mut resized, filter),
        },
    }
    resized
}

fn filtered<const C: usize>(image: &Image8, resized: &mut Image8, filter: Filter) {
    let (from, to) = (image.size(), resized.size());
    let (pixels, target) = (image.pixels(), resized.pixels_mut());
    let arch = Arch::new();
    WORKSPACE.with_borrow_mut(|Workspace { between, rows: scratch }| {
        let mut rows = |from_pixels: &[u8], to_pixels: &mut [u8]| {
            arch.dispatch(Rows::<C> {
                from: from_pixels,
                from_width: from.width as usize,
                to: to_pixels,
                to_width: to.width as usize,
                weights: &Weights::new(from.width, to.width, filter),
                scratch,
            });
        };
        let columns = |from_pixels: &[u8], to_pixels: &mut [u8], width: u32| {
            let down = Weights::new(from.height, to.height, filter);
            let len = width as usize * C;
            arch.dispatch(Columns { from: from_pixels, to: to_pixels, len, weights: &down });
        };
        // A pass with only weights of 0 and 1 is left out: it would change nothing.
        if from.height == to.height {
            rows(pixels, target);
        } else if from.width == to.width {
            columns(pixels, target, to.width);
        } else if columns_first(from, to) {
            between.resize(Size::new(from.width, to.height).area() * C, 0);
            columns(pixels, between, from.width);
            rows(between, target);
        } else {
            between.resize(Size::new(to.width, from.height).area() * C, 0);
            rows(pixels, between);
            columns(between, target, to.width);
        }
    });
}
