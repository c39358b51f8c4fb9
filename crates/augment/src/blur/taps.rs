//! A small kernel of any shape: `cv2.filter2D`, without the places whose weight is 0.
//!
//! Places of equal weight are summed as integers first and multiplied once. Where a sum can lie exactly between two
//! levels, the last bit of each product decides, so there is a second way that sums in OpenCV's order.

use super::border::{BLOCK, Border, Padded, with_border};
use crate::image::Image8;
use crate::round::level_half_even;
use pulp::{Arch, Simd, WithSimd};

/// Levels whose sum is sure to fit into 16 bits.
const MOST: usize = 257;

/// A place of the kernel, counted from its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) row: usize,
    pub(crate) column: usize,
}

/// Places that have one weight, at most 257.
#[derive(Debug)]
struct Group {
    weight: f32,
    places: Vec<Place>,
}

/// A square kernel whose weights are not negative and sum to 1.
#[derive(Debug)]
pub(crate) struct Taps {
    radius: usize,
    groups: Vec<Group>,
}

impl Taps {
    /// A kernel of `2 * radius + 1` rows, sorted into groups of equal weight.
    pub(crate) fn grouped(radius: usize, weights: &[f32]) -> Self {
        let side = 2 * radius + 1;
        let mut taps: Vec<(f32, Place)> = weights
            .iter()
            .enumerate()
            .filter(|&(_, &weight)| weight > 0.0)
            .map(|(at, &weight)| (weight, Place { row: at / side, column: at % side }))
            .collect();
        taps.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let groups = taps
            .chunk_by(|(a, _), (b, _)| a.to_bits() == b.to_bits())
            .flat_map(|equal| equal.chunks(MOST))
            .map(|part| Group {
                weight: part[0].0,
                places: part.iter().map(|(_, place)| *place).collect(),
            })
            .collect();
        Self { radius, groups }
    }

    /// Equal weights at `places`, which are sorted by rows and not more than 257.
    pub(crate) fn mean(radius: usize, places: Vec<Place>) -> Self {
        #[allow(clippy::cast_precision_loss, reason = "at most 257")]
        let weight = 1.0 / places.len().max(1) as f32;
        // A mean lies between two levels only if the number of places is even. If it is a power of two, all the
        // products are exact.
        let count = places.len();
        let groups = if count.is_multiple_of(2) && !count.is_power_of_two() || count > MOST {
            places.into_iter().map(|place| Group { weight, places: vec![place] }).collect()
        } else {
            vec![Group { weight, places }]
        };
        Self { radius, groups }
    }

    /// Replaces each pixel by the weighted sum of those around it.
    pub(crate) fn filter(&self, image: &mut Image8) {
        with_border(image, self.radius, Border::Reflect101, |padded, target| {
            Arch::new().dispatch(Filter { padded, target, taps: self });
        });
    }
}

struct Filter<'a> {
    padded: &'a Padded<'a>,
    target: &'a mut [u8],
    taps: &'a Taps,
}

impl WithSimd for Filter<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { padded, target, taps } = self;
        for (y, row) in (0_isize..).zip(target.chunks_exact_mut(padded.len)) {
            let top = y - taps.radius.cast_signed();
            for (block, target) in row.chunks_mut(BLOCK).enumerate() {
                let mut acc = [0.0_f32; BLOCK];
                for Group { weight, places } in &taps.groups {
                    let sums = sum(padded, top, block * BLOCK, places);
                    for (acc, sum) in acc.iter_mut().zip(sums) {
                        *acc = f32::from(sum).mul_add(*weight, *acc);
                    }
                }
                let mut levels = [0; BLOCK];
                for (level, acc) in levels.iter_mut().zip(acc) {
                    *level = level_half_even(acc);
                }
                target.copy_from_slice(&levels[..target.len()]);
            }
        }
    }
}

#[inline(always)]
fn sum(padded: &Padded<'_>, top: isize, start: usize, places: &[Place]) -> [u16; BLOCK] {
    let mut sums = [0_u16; BLOCK];
    for place in places {
        let at = start + place.column * padded.channels;
        let levels = &padded.row(top + place.row.cast_signed())[at..at + BLOCK];
        for (sum, &level) in sums.iter_mut().zip(levels) {
            *sum += u16::from(level);
        }
    }
    sums
}
