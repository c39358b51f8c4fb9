//! RGB to luma and chroma and back: ITU-R 601 in 16-bit fixed point, rounded as by libjpeg.

/// One half in fixed point.
const HALF: i32 = 1 << 15;

/// The luma of a pixel.
#[inline(always)]
pub(crate) fn luma([red, green, blue]: [i32; 3]) -> i32 {
    (19_595 * red + 38_470 * green + 7_471 * blue + HALF) >> 16
}

/// The two chroma levels of a pixel, around 128.
#[inline(always)]
pub(crate) fn chroma([red, green, blue]: [i32; 3]) -> [i32; 2] {
    // A little less than a half, which keeps pure blue and pure red at 255.
    const OFFSET: i32 = (128 << 16) + HALF - 1;
    [
        (-11_059 * red - 21_709 * green + 32_768 * blue + OFFSET) >> 16,
        (32_768 * red - 27_439 * green - 5_329 * blue + OFFSET) >> 16,
    ]
}

/// The pixel of a luma and two chroma levels.
#[inline(always)]
pub(crate) fn rgb(luma: u8, blueness: u8, redness: u8) -> [u8; 3] {
    let (luma, blueness) = (i32::from(luma), i32::from(blueness) - 128);
    let redness = i32::from(redness) - 128;
    [
        level(luma + ((91_881 * redness + HALF) >> 16)),
        level(luma + ((-22_554 * blueness - 46_802 * redness + HALF) >> 16)),
        level(luma + ((116_130 * blueness + HALF) >> 16)),
    ]
}

/// Into `0..=255`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
#[inline(always)]
pub(crate) fn level(value: i32) -> u8 {
    value.clamp(0, 255) as u8
}
