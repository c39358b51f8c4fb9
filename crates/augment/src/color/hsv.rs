//! Hue, saturation and value in 8 bits each, as Pillow's `Image.convert("HSV")` and back.
//!
//! Pillow computes partly in `float` and partly in `double`. The same steps are narrowed here, which a test over
//! all colours holds to the last bit.

use crate::round::{level_nearest, level_towards_zero_f64};

/// `[red, green, blue]` to `[hue, saturation, value]`.
///
/// Everything is computed for every pixel and the right one chosen at the end, so that it can run in vectors.
#[inline(always)]
pub(crate) fn rgb_to_hsv([red, green, blue]: [u8; 3]) -> [u8; 3] {
    let highest = red.max(green).max(blue);
    let lowest = red.min(green).min(blue);
    let grey = highest == lowest;
    let range = f32::from(highest - lowest);
    let saturation = range / f32::from(highest);
    let from_red = f32::from(highest - red) / range;
    let from_green = f32::from(highest - green) / range;
    let from_blue = f32::from(highest - blue) / range;
    let if_red = from_blue - from_green;
    let if_green = narrow(2.0 + f64::from(from_red) - f64::from(from_blue));
    let if_blue = narrow(4.0 + f64::from(from_green) - f64::from(from_red));
    let otherwise = if green == highest { if_green } else { if_blue };
    let sixths = if red == highest { if_red } else { otherwise };
    // Pillow's `fmod(.., 1.0)`; the argument is positive and below 2.
    let turns = f64::from(sixths) / 6.0 + 1.0;
    let hue = narrow(if turns >= 1.0 { turns - 1.0 } else { turns });
    [
        if grey { 0 } else { level_towards_zero_f64(f64::from(hue) * 255.0) },
        if grey { 0 } else { level_towards_zero_f64(f64::from(saturation) * 255.0) },
        highest,
    ]
}

/// `[hue, saturation, value]` to `[red, green, blue]`.
#[inline(always)]
pub(crate) fn hsv_to_rgb([hue, saturation, value]: [u8; 3]) -> [u8; 3] {
    let sixths = f64::from(hue) * 6.0 / 255.0;
    let sector = level_towards_zero_f64(sixths);
    let fraction = narrow(sixths - f64::from(sector));
    let saturation = narrow(f64::from(saturation) / 255.0);
    let level = f64::from(value);
    // Without saturation all three are the value itself.
    let low = level_nearest(level * (1.0 - f64::from(saturation)));
    let falling = level_nearest(level * (1.0 - f64::from(saturation * fraction)));
    let rising = level_nearest(level * (1.0 - f64::from(saturation) * (1.0 - f64::from(fraction))));
    [
        choose(sector, [value, falling, low, low, rising, value]),
        choose(sector, [rising, value, value, falling, low, low]),
        choose(sector, [low, low, rising, value, value, falling]),
    ]
}

/// The level of one of six sectors; the seventh is the first again.
#[inline(always)]
fn choose(sector: u8, of: [u8; 6]) -> u8 {
    let first = if sector == 1 { of[1] } else { of[0] };
    let second = if sector == 2 { of[2] } else { of[3] };
    let third = if sector == 4 { of[4] } else { of[5] };
    let early = if sector == 2 || sector == 3 { second } else { first };
    if sector == 4 || sector == 5 { third } else { early }
}

#[allow(clippy::cast_possible_truncation, reason = "Pillow stores this in a `float`")]
#[inline(always)]
const fn narrow(value: f64) -> f32 {
    value as f32
}
