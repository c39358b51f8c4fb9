//! The only place where a floating-point number becomes a level or a count of pixels.
//!
//! How a result is rounded decides whether it equals the reference, so each function is named after the
//! rounding of one reference and everything else goes through them.

/// From here on an `f32` has no fraction bits, so the lowest byte of the sum with a level is the level. A cast would
/// saturate, for which the compiler leaves the vectors.
const WHOLE: f32 = 8_388_608.0;
/// The same of an `f64`.
const WHOLE_F64: f64 = 4_503_599_627_370_496.0;

/// Pillow's clipping in `Image.blend`: towards zero, into `0..=255`.
#[allow(clippy::cast_possible_truncation, reason = "the low bits hold the level")]
#[inline(always)]
pub(crate) const fn level_towards_zero(value: f32) -> u8 {
    (value.clamp(0.0, 255.0).trunc() + WHOLE).to_bits() as u8
}

/// C's `(int)` followed by Pillow's `CLIP8`: towards zero, into `0..=255`.
#[allow(clippy::cast_possible_truncation, reason = "the low bits hold the level")]
#[inline(always)]
pub(crate) const fn level_towards_zero_f64(value: f64) -> u8 {
    (value.clamp(0.0, 255.0).trunc() + WHOLE_F64).to_bits() as u8
}

/// C's `round()` followed by Pillow's `CLIP8`: the nearest level, away from zero when two are equally near.
#[inline(always)]
pub(crate) fn level_nearest(value: f64) -> u8 {
    // Both operations are exact.
    let below = level_towards_zero_f64(value);
    below.saturating_add(u8::from(value - f64::from(below) >= 0.5))
}

/// `numpy.int32(value).astype(numpy.uint8)`: towards zero, then modulo 256.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the remainder modulo 256 is what is wanted"
)]
pub(crate) const fn level_modulo(value: f64) -> u8 {
    value as i32 as u8
}

/// A level and at most 255 more or less, into `0..=255`.
#[inline(always)]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a level")]
pub(crate) fn shifted_level(level: u8, amount: i16) -> u8 {
    (i16::from(level) + amount).clamp(0, 255) as u8
}

/// `numpy.trunc` of a shift in levels.
#[allow(clippy::cast_possible_truncation, reason = "Rust's float casts saturate")]
pub(crate) const fn shift_towards_zero(value: f64) -> i16 {
    value as i16
}

/// `numpy.rint` of noise in levels, of which at most 255 matter.
#[allow(clippy::cast_possible_truncation, reason = "the low bits hold the number")]
#[inline(always)]
pub(crate) fn shift_half_even(value: f32) -> i16 {
    // From here on a float has no fraction bits, and the addition rounds.
    const WHOLE: f32 = 12_582_912.0;
    ((value.clamp(-255.0, 255.0) + WHOLE).to_bits() as u16).cast_signed()
}

/// `numpy.rint` of a number that fits into 16 bits.
#[allow(clippy::cast_possible_truncation, reason = "Rust's float casts saturate")]
pub(crate) fn short_half_even(value: f64) -> i16 {
    value.round_ties_even() as i16
}

/// A factor computed in `f64` and applied in `f32`, as PyTorch does with Python's numbers.
#[allow(clippy::cast_possible_truncation, reason = "narrowing is what is wanted")]
pub(crate) const fn factor(value: f64) -> f32 {
    value as f32
}

/// Python's `int()` of a length that is not negative.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "Rust's float casts saturate, and no picture has that many pixels"
)]
pub(crate) const fn pixels_down(value: f64) -> u32 {
    value as u32
}

/// Python's `round()`: the nearest integer, the even one when two are equally near. At least 0.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "Rust's float casts saturate, and no picture has that many pixels"
)]
pub(crate) fn pixels_half_even(value: f64) -> u32 {
    value.round_ties_even() as u32
}

/// Pillow's `FIX`: the nearest number in 16.16 fixed point, upwards when two are equally near.
#[allow(clippy::cast_possible_truncation, reason = "Rust's float casts saturate")]
pub(crate) fn fixed_16(value: f64) -> i64 {
    // Within 48 bits, so that sums over a row cannot overflow.
    (value * 65_536.0 + 0.5).floor().clamp(-1e14, 1e14) as i64
}

/// The whole number at or below a coordinate.
#[inline(always)]
#[allow(clippy::cast_possible_truncation, reason = "Rust's float casts saturate")]
pub(crate) fn floor_i64(value: f64) -> i64 {
    let whole = value as i64;
    whole.saturating_sub(i64::from(value < whole as f64))
}

/// A whole number from 0 to 2^23, its bits read where they are.
#[inline(always)]
pub(crate) const fn index_of_f32(whole: f32) -> u32 {
    // From here on a float has no fraction bits.
    const WHOLE: f32 = 8_388_608.0;
    (whole + WHOLE).to_bits() & 0x007F_FFFF
}

/// A whole number from 0 to 2^32, its bits read where they are.
#[inline(always)]
#[allow(clippy::cast_possible_truncation, reason = "the low bits hold the number")]
pub(crate) const fn index_of_f64(whole: f64) -> u32 {
    const WHOLE: f64 = 4_503_599_627_370_496.0;
    (whole + WHOLE).to_bits() as u32
}

/// A number that has no fraction, or the nearest one that is far outside of any picture.
#[allow(clippy::cast_possible_truncation, reason = "clamped; what is no number becomes 0")]
pub(crate) const fn whole_i64(whole: f64) -> i64 {
    whole.clamp(-1e9, 1e9) as i64
}

/// Python's `math.ceil()`: the next whole number of pixels. At least 0.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "Rust's float casts saturate, and no picture has that many pixels"
)]
pub(crate) fn pixels_up(value: f64) -> u32 {
    value.ceil() as u32
}

/// C's `(int64)` of a coordinate.
#[allow(clippy::cast_possible_truncation, reason = "Rust's float casts saturate")]
pub(crate) const fn towards_zero(coordinate: f64) -> i64 {
    coordinate as i64
}

/// Python's `int()`: towards zero.
#[allow(clippy::cast_possible_truncation, reason = "Rust's float casts saturate")]
pub(crate) const fn pixels_towards_zero(value: f64) -> i32 {
    value as i32
}

/// C's `(int)` for a coordinate that is not negative: the pixel that it lies in.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "Rust's float casts saturate, and no picture has that many pixels"
)]
pub(crate) const fn pixel_at(coordinate: f64) -> usize {
    coordinate as usize
}

/// OpenCV's `saturate_cast<uchar>` of a sum that is surely from 0 to 255.5: the nearest level, the even one when two
/// are equally near. Compiles to three vector instructions, where a cast would clip as well.
#[allow(
    clippy::cast_possible_truncation,
    clippy::inline_always,
    reason = "the low bits hold the level; a call would end vectorised loops"
)]
#[inline(always)]
pub(crate) fn level_half_even(value: f32) -> u8 {
    // The addition rounds.
    (value + WHOLE).to_bits() as u8
}

/// [`level_half_even`] of a longer sum.
#[allow(
    clippy::cast_possible_truncation,
    clippy::inline_always,
    reason = "the low bits hold the level; a call would end vectorised loops"
)]
#[inline(always)]
pub(crate) fn level_half_even_f64(value: f64) -> u8 {
    (value + WHOLE_F64).to_bits() as u8
}

/// Python's `round()` and OpenCV's `cvRound`: the nearest integer, the even one when two are equally near.
#[allow(clippy::cast_possible_truncation, reason = "Rust's float casts saturate")]
pub(crate) fn integer_half_even(value: f64) -> i32 {
    value.round_ties_even() as i32
}

/// C's `(UINT32)` of 2^24 divided by a length of at least 1: towards zero.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "Rust's float casts cut the fraction off, which is what is wanted"
)]
pub(crate) fn share_of_24_bits(length: f32) -> u32 {
    (16_777_216.0 / length) as u32
}

#[cfg(test)]
mod tests {
    use super::{level_modulo, level_nearest, level_towards_zero, pixels_half_even};

    #[test]
    fn levels_are_cut_and_clipped() {
        let check = |value, expect| assert_eq!(level_towards_zero(value), expect, "{value}");
        check(-3.0, 0);
        check(0.999, 0);
        check(254.999, 254);
        check(255.0, 255);
        check(1e9, 255);
        check(f32::NAN, 0);
    }

    #[test]
    fn levels_are_rounded_away_from_zero() {
        let check = |value, expect| assert_eq!(level_nearest(value), expect, "{value}");
        check(0.5, 1);
        check(2.5, 3);
        check(-0.5, 0);
        check(0.5_f64.next_down(), 0);
        check(254.5, 255);
        check(300.0, 255);
    }

    #[test]
    fn levels_wrap() {
        let check = |value, expect| assert_eq!(level_modulo(value), expect, "{value}");
        check(127.5, 127);
        check(-0.9, 0);
        check(-1.0, 255);
        check(-127.5, 129);
    }

    #[test]
    fn pixels_are_rounded_to_even() {
        let check = |value, expect| assert_eq!(pixels_half_even(value), expect, "{value}");
        check(0.5, 0);
        check(1.5, 2);
        check(2.5, 2);
        check(2.51, 3);
        check(-1.0, 0);
    }
}
