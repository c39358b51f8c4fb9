//! What happens to pictures on a device that is not the CPU: levels are unpacked, normalised and mixed there, so that a
//! quarter of the bytes of their numbers goes to it.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use kiln_augment::mix::{Blend, Mixed};
use kiln_augment::{CropBox, Normalize, Size};
use std::ops::Range;

/// Levels on a device, four to a word, for not every graphics interface has bytes.
#[derive(Debug)]
pub(crate) struct Levels {
    words: Tensor<1, Int>,
    size: Size,
}

impl Levels {
    /// Begins to bring `levels`, `[count, height, width, 3]` of pictures of `size`, to the device; does not wait until they are there.
    pub(crate) fn upload(levels: &[u8], size: Size, device: &Device) -> Self {
        let (whole, rest) = levels.as_chunks::<4>();
        let mut last = [0; 4];
        last[..rest.len()].copy_from_slice(rest);
        let last = (!rest.is_empty()).then_some(last);
        let words: Vec<i32> = whole.iter().copied().chain(last).map(i32::from_le_bytes).collect();
        let length = words.len();
        let words = Tensor::from_data(TensorData::new(words, [length]), (device, DType::I32));
        Self { words, size }
    }

    /// Some of the pictures as the network takes them.
    ///
    /// # Shapes
    /// `[range.len(), 3, height, width]`.
    pub(crate) fn normalized(&self, range: Range<usize>, normalize: &Normalize) -> Tensor<4> {
        let device = self.words.device();
        let (height, width) = (self.size.height as usize, self.size.width as usize);
        let (count, picture) = (range.len(), height * width * 3);
        let (first, last) = (range.start * picture, range.end * picture);
        // A picture may begin inside of a word.
        let (begin, end) = (first / 4, last.div_ceil(4));
        let words = self.words.clone().narrow(0, begin, end - begin);
        let byte = |shift: i64| {
            let byte = words.clone().bitwise_right_shift_scalar(shift).bitwise_and_scalar(255);
            byte.reshape([end - begin, 1])
        };
        let levels = Tensor::cat([0, 8, 16, 24].map(byte).to_vec(), 1);
        let levels = levels.reshape([(end - begin) * 4]).narrow(0, first - begin * 4, last - first);
        let levels = levels.reshape([count, height, width, 3]).permute([0, 3, 1, 2]);
        let of_channels = |values: [f32; 3]| {
            Tensor::<4>::from_data(
                TensorData::new(values.to_vec(), [1, 3, 1, 1]),
                (&device, DType::F32),
            )
        };
        // The reference's order.
        let unit = levels.float().cast(DType::F32) / 255.0;
        (unit - of_channels(normalize.mean)) / of_channels(normalize.std)
    }
}

/// Mixes pictures with their `partners` as [`MixDraw::apply`](kiln_augment::mix::MixDraw::apply) does, by what was `drawn`
/// for each.
///
/// # Shapes
/// All of them `[drawn.len(), 3, height, width]`.
pub(crate) fn mixed(pictures: Tensor<4>, partners: &Tensor<4>, drawn: &[Mixed]) -> Tensor<4> {
    let device = pictures.device();
    let [count, _, height, width] = pictures.dims();
    let mut result = pictures;
    if drawn.iter().any(|mixed| mixed.blend == Blend::Sum) {
        #[allow(clippy::cast_possible_truncation, reason = "a part of a picture, from 0 to 1")]
        let parts = |part: fn(f64) -> f64| {
            let parts = drawn.iter().map(|mixed| match mixed.blend {
                Blend::Sum => part(mixed.lambda) as f32,
                _ => part(1.0) as f32,
            });
            let parts = TensorData::new(parts.collect::<Vec<f32>>(), [count, 1, 1, 1]);
            Tensor::<4>::from_data(parts, (&device, DType::F32))
        };
        result = result * parts(|lambda| lambda) + partners.clone() * parts(|lambda| 1.0 - lambda);
    }
    let boxes: Vec<Option<CropBox>> = drawn
        .iter()
        .map(|mixed| match mixed.blend {
            Blend::Paste(pasted) => Some(pasted),
            _ => None,
        })
        .collect();
    if boxes.iter().any(Option::is_some) {
        // Rows and columns of the rectangles; where both are, the partner shows.
        let inside =
            |from: fn(CropBox) -> u32, length: fn(CropBox) -> u32, pixels: usize, shape| {
                let mut marks = Vec::with_capacity(count * pixels);
                for pasted in &boxes {
                    let range = pasted.map_or(0..0, |pasted| {
                        let begin = from(pasted) as usize;
                        begin..begin + length(pasted) as usize
                    });
                    marks.extend((0..pixels).map(|pixel| i32::from(range.contains(&pixel))));
                }
                Tensor::<4, Int>::from_data(TensorData::new(marks, shape), (&device, DType::I32))
            };
        let rows =
            inside(|pasted| pasted.top, |pasted| pasted.height, height, [count, 1, height, 1]);
        let columns =
            inside(|pasted| pasted.left, |pasted| pasted.width, width, [count, 1, 1, width]);
        let mask = (rows * columns).greater_elem(0).expand([count, 3, height, width]);
        result = result.mask_where(mask, partners.clone());
    }
    for (own, picture) in drawn.iter().enumerate() {
        if let Blend::PasteResized(pasted) = picture.blend {
            result = pasted_whole(result, partners, own, pasted);
        }
    }
    result
}

/// Puts the whole partner of picture `own` into the rectangle, by the nearest pixels above and to the left.
fn pasted_whole(result: Tensor<4>, partners: &Tensor<4>, own: usize, pasted: CropBox) -> Tensor<4> {
    let [_, channels, height, width] = partners.dims();
    let (top, left) = (pasted.top as usize, pasted.left as usize);
    let rows = (pasted.height as usize).min(height.saturating_sub(top));
    let columns = (pasted.width as usize).min(width.saturating_sub(left));
    if rows == 0 || columns == 0 {
        return result;
    }
    let device = partners.device();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        reason = "a pixel's place"
    )]
    let places = |from: usize, to: usize| {
        let places: Vec<i32> = (0..to).map(|place| (place * from / to) as i32).collect();
        Tensor::<1, Int>::from_data(TensorData::new(places, [to]), (&device, DType::I32))
    };
    let whole = partners.clone().narrow(0, own, 1);
    let small = whole.select(2, places(height, rows)).select(3, places(width, columns));
    result.slice_assign([own..own + 1, 0..channels, top..top + rows, left..left + columns], small)
}

#[cfg(test)]
mod tests {
    use super::{Levels, mixed};
    use burn::tensor::{DType, Device, Tensor, TensorData};
    use kiln_augment::mix::{Layout, Mix, MixMode, MixSpec};
    use kiln_augment::{Domain, Image8, Normalize, RandomKey, Size};

    const SIZE: Size = Size::new(7, 5);

    fn batch(count: usize) -> Vec<Image8> {
        let level = |i: usize| u8::try_from(i * 31 % 256).unwrap_or(0);
        let len = SIZE.area() * 3;
        let pixels = |n: usize| (0..len).map(|i| level(n * len + i)).collect();
        (0..count).filter_map(|n| Image8::from_rgb(SIZE, pixels(n)).ok()).collect()
    }

    fn on_cpu(images: &[Image8]) -> Vec<f32> {
        let len = SIZE.area() * 3;
        let mut planes = vec![0.0; images.len() * len];
        for (image, planes) in images.iter().zip(planes.chunks_mut(len)) {
            Normalize::IMAGENET.to_planar(image, planes);
        }
        planes
    }

    fn values(tensor: Tensor<4>) -> Vec<f32> {
        tensor.into_data().iter::<f32>().collect()
    }

    #[test]
    fn levels_become_the_numbers_that_the_loader_makes() {
        // 105 levels each: some words are incomplete.
        for count in [1, 2, 3, 4] {
            let images = batch(count);
            let levels: Vec<u8> = images.iter().flat_map(|image| image.pixels().to_vec()).collect();
            let uploaded = Levels::upload(&levels, SIZE, &Device::flex());
            for range in [0..count, 0..1, count - 1..count, count / 2..count] {
                let found = uploaded.normalized(range.clone(), &Normalize::IMAGENET);
                assert_eq!(found.dims(), [range.len(), 3, 5, 7]);
                assert_eq!(values(found), on_cpu(&images[range]));
            }
        }
    }

    #[test]
    fn mixing_is_that_of_the_cpu() {
        let images = batch(6);
        let planes = on_cpu(&images);
        let shape = [6, 3, SIZE.height as usize, SIZE.width as usize];
        for mode in [MixMode::Batch, MixMode::Pair, MixMode::Elem] {
            for (mixup_alpha, cutmix_alpha, resizemix) in
                [(0.8, 0.0, None), (0.0, 1.0, None), (0.0, 0.0, Some([0.1, 0.8])), (0.8, 1.0, None)]
            {
                let spec =
                    MixSpec { mixup_alpha, cutmix_alpha, resizemix, mode, ..MixSpec::default() };
                let Ok(mix): Result<Mix, _> = spec.build() else { continue };
                for index in 0..8 {
                    let key = RandomKey { seed: 3, domain: Domain::Mix, epoch: 0, index };
                    let draw = mix.draw(6, SIZE, &mut key.rng(0));
                    let mut expected = planes.clone();
                    draw.apply(&mut expected, SIZE, Layout::Planar, &mut Vec::new());
                    let data = TensorData::new(planes.clone(), shape);
                    let all = Tensor::<4>::from_data(data, (&Device::flex(), DType::F32));
                    let partners = all.clone().flip([0]);
                    let found = mixed(all, &partners, &draw.pictures);
                    assert_eq!(values(found), expected, "{draw:?}");
                }
            }
        }
    }
}
