//! Sizes of square kernels: odd, at least 3, every one in the range equally likely.

use crate::error::{Error, check};
use crate::key::OpRng;

/// The largest kernel.
pub(crate) const LARGEST: u32 = 255;

/// Checks a range of sizes and makes its ends odd, as albumentations does, by adding 1.
pub(crate) fn odd_range([low, high]: [u32; 2]) -> Result<[u32; 2], Error> {
    check(
        3 <= low && low <= high && high <= LARGEST,
        "blur_limit",
        "[min, max] with 3 <= min <= max <= 255",
        [low, high],
    )?;
    Ok([low | 1, high | 1])
}

/// One of the odd sizes in a range with odd ends. Uses one draw.
pub(crate) fn draw([low, high]: [u32; 2], rng: &mut OpRng) -> u32 {
    let sizes = u64::from((high - low) / 2) + 1;
    low + 2 * u32::try_from(rng.below(sizes)).unwrap_or(0)
}

/// A size that a kernel can have, for draws that were written by hand.
pub(crate) fn usable(size: u32) -> usize {
    size.clamp(1, LARGEST) as usize | 1
}
