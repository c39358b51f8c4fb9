//! Resizing a part of a picture, as fast as it goes.
//!
//! For `random_resized_crop` and `downscale`, which training draws at random; `pillow_resize` is for the ops that
//! evaluation is made of.
//!
//! # Parity
//!
//! The reference is Pillow's `Image.crop` followed by `Image.resize`.
//!
//! The filters have the same weights on both sides, but Pillow keeps 22 bits of them and `fast_image_resize` 14 or a
//! few more. Both convolve columns and rows one after the other and round to 8 bits in between.
//!
//! `Bilinear` stays within one level; of 34 million levels compared, one or two differed by two. Columns are convolved
//! first because that is faster. Pillow mostly takes rows first, but with weights that are never negative either order
//! is off by hardly more than one level from the exact result.
//!
//! `Bicubic` and `Lanczos` have negative weights and overshoot. What is clipped in between depends on the order, which
//! can move a level by tens, so the order is Pillow's here. The rest stays within two levels: a difference of one in
//! between grows by the sum of the weights' sizes, which is above one.

use crate::geometry::crop_box::CropBox;
use crate::geometry::interpolation::Interpolation;
use crate::geometry::nearest::nearest;
use crate::geometry::pass_order::columns_first;
use crate::image::{Channels, Image8, Size};
use fast_image_resize::images::{TypedCroppedImage, TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x3};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};
use std::cell::RefCell;
use std::error::Error;

/// What is kept from picture to picture.
#[derive(Default)]
struct Workspace {
    /// Has buffers of its own and has found out what the processor can do.
    resizer: Resizer,
    /// The picture between the two passes.
    rows: Vec<u8>,
}

thread_local! {
    static WORKSPACE: RefCell<Workspace> = RefCell::new(Workspace::default());
}

/// The pixels of `part`, which is clamped to the picture, resized to `size`, whose sides are at least 1; within a level
/// or two of `pillow_resize::resize_whole`.
pub(crate) fn resize_part(
    image: Image8,
    part: CropBox,
    size: Size,
    interpolation: Interpolation,
) -> Image8 {
    let part = part.clamped(image.size());
    if part == CropBox::whole(image.size()) && size == image.size() {
        return image;
    }
    let mut resized = Image8::black(size, image.channels());
    match filter(interpolation) {
        None => nearest(&image, part, &mut resized),
        Some(filter) => {
            let convolve = match image.channels() {
                Channels::Gray => convolve::<U8>,
                Channels::Rgb => convolve::<U8x3>,
            };
            #[allow(
                clippy::expect_used,
                reason = "no input can cause it; a silently black picture would be worse"
            )]
            convolve(&image, part, &mut resized, filter)
                .expect("buffers have the length of their pictures and the part is inside");
        }
    }
    resized
}

fn filter(interpolation: Interpolation) -> Option<FilterType> {
    match interpolation {
        Interpolation::Nearest => None,
        Interpolation::Bilinear => Some(FilterType::Bilinear),
        Interpolation::Bicubic => Some(FilterType::CatmullRom),
        Interpolation::Lanczos => Some(FilterType::Lanczos3),
    }
}

/// The size between two passes where the order of passes matters and Pillow takes rows first.
fn after_rows(part: CropBox, size: Size, filter: FilterType) -> Option<Size> {
    let overshoots = matches!(filter, FilterType::CatmullRom | FilterType::Lanczos3);
    (overshoots && !columns_first(part.size(), size)).then_some(Size::new(size.width, part.height))
}

fn convolve<P: PixelTrait>(
    image: &Image8,
    part: CropBox,
    resized: &mut Image8,
    filter: FilterType,
) -> Result<(), Box<dyn Error>> {
    let (from, to) = (image.size(), resized.size());
    let source = TypedImageRef::<P>::from_buffer(from.width, from.height, image.pixels())?;
    // `SrcCropping::Crop` would only move the centres of the kernels and let their flanks read pixels around the
    // part. torchvision crops first, so nothing outside may have an influence. A cropped view ends at the part's
    // edges, where the weights are normalised again, and copies nothing.
    let view = TypedCroppedImage::from_ref(&source, part.left, part.top, part.width, part.height)?;
    let mut target = TypedImage::<P>::from_buffer(to.width, to.height, resized.pixels_mut())?;
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter));
    WORKSPACE.with_borrow_mut(|Workspace { resizer, rows }| {
        let Some(between) = after_rows(part, to, filter) else {
            resizer.resize_typed(&view, &mut target, &options)?;
            return Ok(());
        };
        rows.resize(between.area() * P::size(), 0);
        let mut rows = TypedImage::<P>::from_buffer(between.width, between.height, rows)?;
        resizer.resize_typed(&view, &mut rows, &options)?;
        resizer.resize_typed(&rows, &mut target, &options)?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::resize_part;
    use crate::geometry::crop_box::CropBox;
    use crate::geometry::interpolation::Interpolation;
    use crate::image::{Image8, Size};
    use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, proptest};

    /// A picture whose levels jump, so that a pixel from the wrong place shows.
    fn checkered(size: Size) -> Image8 {
        let pixels = (0..size.area() * 3).map(|i| (i * 89 % 256).to_le_bytes()[0]).collect();
        Image8::from_rgb(size, pixels).unwrap()
    }

    fn sizes() -> impl Strategy<Value = Size> {
        (1..40_u32, 1..40_u32).prop_map(|(width, height)| Size::new(width, height))
    }

    fn pictures_and_parts() -> impl Strategy<Value = (Size, CropBox)> {
        sizes().prop_flat_map(|size| {
            let box_in = (0..size.width, 0..size.height, any::<u32>(), any::<u32>()).prop_map(
                move |(left, top, width, height)| CropBox {
                    left,
                    top,
                    width: 1 + width % (size.width - left),
                    height: 1 + height % (size.height - top),
                },
            );
            (Just(size), box_in)
        })
    }

    proptest! {
        #[test]
        fn nothing_outside_of_the_part_matters(
            (size, part) in pictures_and_parts(),
            to in sizes(),
            filter in 0..Interpolation::ALL.len(),
        ) {
            let filter = Interpolation::ALL[filter];
            let image = checkered(size);
            let cut: Vec<u8> = (part.top..part.top + part.height)
                .flat_map(|y| {
                    let (from, to) = (part.left as usize * 3, (part.left + part.width) as usize * 3);
                    image.row(y)[from..to].to_vec()
                })
                .collect();
            let cut = Image8::from_rgb(part.size(), cut).unwrap();
            let expect = resize_part(cut, CropBox::whole(part.size()), to, filter);
            prop_assert_eq!(expect, resize_part(image, part, to, filter));
        }

        #[test]
        fn one_colour_stays_that_colour(
            from in sizes(),
            to in sizes(),
            color in any::<[u8; 3]>(),
            filter in 0..Interpolation::ALL.len(),
        ) {
            let filter = Interpolation::ALL[filter];
            let resized = resize_part(Image8::filled(from, color), CropBox::whole(from), to, filter);
            prop_assert_eq!(resized.size(), to);
            prop_assert!(resized.pixels().chunks(3).all(|pixel| pixel == color));
        }
    }
}
