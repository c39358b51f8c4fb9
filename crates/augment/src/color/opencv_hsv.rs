//! Hue, saturation and value as `OpenCV` has them in 8 bits: hue from 0 to 179, in steps of two degrees.
//!
//! To HSV `OpenCV` computes in fixed point of twelve bits with tables of quotients, and back in `f32` with fused
//! multiplications, cut to whole levels. Both directions are equal to the bit for every colour, but for the
//! last pixels of a row that do not fill a vector, where `OpenCV` rounds instead.

use crate::round::level_towards_zero;

/// `round((255 << 12) / value)`, and 0 for 0.
pub(crate) const SATURATION: [i32; 256] = quotients(255 << 12);
/// `round((180 << 12) / (6 range))`, and 0 for 0.
pub(crate) const HUE: [i32; 256] = quotients(30 << 12);

/// The quotients of `dividend`, the even one when two are equally near.
const fn quotients(dividend: i32) -> [i32; 256] {
    let mut table = [0; 256];
    let mut divisor = 1;
    while divisor < 256 {
        let (whole, twice) = (dividend / divisor, dividend % divisor * 2);
        let up = twice > divisor || (twice == divisor && whole % 2 == 1);
        #[allow(clippy::cast_sign_loss, reason = "from 1 to 255")]
        {
            table[divisor as usize] = whole + up as i32;
        }
        divisor += 1;
    }
    table
}

/// `[red, green, blue]` to `[hue, saturation, value]`.
#[inline(always)]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the results are in range"
)]
pub(crate) fn rgb_to_hsv([red, green, blue]: [u8; 3]) -> [u8; 3] {
    let value = red.max(green).max(blue);
    let range = value - red.min(green).min(blue);
    let [r, g, b, d] = [red, green, blue, range].map(i32::from);
    let otherwise = if value == green { b - r + 2 * d } else { r - g + 4 * d };
    let sixths = if value == red { g - b } else { otherwise };
    let saturation = (d * SATURATION[usize::from(value)] + (1 << 11)) >> 12;
    let hue = (sixths * HUE[usize::from(range)] + (1 << 11)) >> 12;
    let hue = if hue < 0 { hue + 180 } else { hue };
    [hue as u8, saturation as u8, value]
}

/// `[hue, saturation, value]` to `[red, green, blue]`.
#[inline(always)]
pub(crate) fn hsv_to_rgb([hue, saturation, value]: [u8; 3]) -> [u8; 3] {
    let sixths = f32::from(hue) * (6.0 / 180.0);
    let sector = sixths.floor();
    let fraction = sixths - sector;
    let (saturation, value) =
        (f32::from(saturation) * (1.0 / 255.0), f32::from(value) * (1.0 / 255.0));
    let level = |part: f32| level_towards_zero(part * 255.0);
    let full = level(value);
    let low = level(value * (1.0 - saturation));
    let falling = level(value * (-saturation).mul_add(fraction, 1.0));
    let rising = level(value * (-saturation).mul_add(1.0 - fraction, 1.0));
    let choose = |of: [u8; 6]| {
        let first = if sector == 1.0 { of[1] } else { of[0] };
        let second = if sector == 2.0 { of[2] } else { of[3] };
        let third = if sector == 4.0 { of[4] } else { of[5] };
        let early = if sector == 2.0 || sector == 3.0 { second } else { first };
        if sector == 4.0 || sector == 5.0 { third } else { early }
    };
    [
        choose([full, falling, low, low, rising, full]),
        choose([rising, full, full, falling, low, low]),
        choose([low, low, rising, full, full, falling]),
    ]
}
