//! Hue, saturation and value in 8 bits each, as Pillow's `Image.convert("HSV")` and back.
//!
//! Pillow computes partly in `float` and partly in `double`. Here everything runs in `f32`, of which vectors hold twice
//! as many, in steps that are rounded to the same numbers or whose remainder is known. Tests over all colours hold both
//! directions to the last bit.

use crate::round::level_towards_zero;

/// `[red, green, blue]` to `[hue, saturation, value]`.
///
/// Everything is computed for every pixel and the right one chosen at the end, so that it can run in vectors.
#[inline(always)]
pub(crate) fn rgb_to_hsv([red, green, blue]: [u8; 3]) -> [u8; 3] {
    let highest = red.max(green).max(blue);
    let lowest = red.min(green).min(blue);
    let middle = red.min(green).max(red.max(green).min(blue));
    let range = f32::from(highest - lowest);
    // Pillow has such a part for each channel; that of the lowest one is 1 and that of the highest one 0.
    let part = f32::from(highest - middle) / range;
    // In sixths of the circle: up from the corner of one colour or down from that of the next.
    let (from, to) = if red == highest {
        if green == lowest { (-1.0, part) } else { (1.0, -part) }
    } else if green == highest {
        if blue == lowest { (1.0, part) } else { (3.0, -part) }
    } else if red == lowest {
        (3.0, part)
    } else {
        (5.0, -part)
    };
    let turns = (from + to) / 6.0;
    let hue = times_255(if turns < 0.0 { 1.0 + turns } else { turns });
    let saturation = times_255(range / f32::from(highest));
    // Without colour the divisions above are by 0.
    let grey = highest == lowest;
    [if grey { 0 } else { hue }, if grey { 0 } else { saturation }, highest]
}

/// `[hue, saturation, value]` to `[red, green, blue]`.
#[inline(always)]
pub(crate) fn hsv_to_rgb([hue, saturation, value]: [u8; 3]) -> [u8; 3] {
    let sixths = u16::from(hue) * 6;
    let sector = sixths / 255;
    let fraction = f32::from(sixths - sector * 255) / 255.0;
    let part = f32::from(saturation) / 255.0;
    // A quotient by an odd number never lies between two levels.
    #[allow(clippy::cast_possible_truncation, reason = "at most the value")]
    let low = ((u16::from(value) * u16::from(255 - saturation) + 127) / 255) as u8;
    let falling = lessened(value, part * fraction, 0.0);
    // The product of `part` and `1 - fraction` in two numbers, as Pillow has it in a `double`.
    let rest = 1.0 - fraction;
    let missing = (1.0 - rest) - fraction;
    let product = part * rest;
    let rising = lessened(value, product, part.mul_add(rest, -product) + part * missing);
    [
        choose(sector, [value, falling, low, low, rising, value]),
        choose(sector, [rising, value, value, falling, low, low]),
        choose(sector, [low, low, rising, value, value, falling]),
    ]
}

/// `value (1 - part - remainder)`, rounded to the nearest level; the remainder is below the last bit of the part.
#[inline(always)]
fn lessened(value: u8, part: f32, remainder: f32) -> u8 {
    let value = f32::from(value);
    let below = level_towards_zero((-value).mul_add(part, value));
    // Exact near 0, where it matters.
    let beyond = (-value).mul_add(part, value - (f32::from(below) + 0.5)) - value * remainder;
    below + u8::from(beyond >= 0.0)
}

/// The whole part of 255 times a number from 0 to 1.
#[inline(always)]
fn times_255(part: f32) -> u8 {
    let rounded = level_towards_zero(part * 255.0);
    // The product may have been rounded up to a whole number.
    rounded - u8::from(part.mul_add(255.0, -f32::from(rounded)) < 0.0)
}

/// The level of one of six sectors; the seventh is the first again.
#[inline(always)]
fn choose(sector: u16, of: [u8; 6]) -> u8 {
    let first = if sector == 1 { of[1] } else { of[0] };
    let second = if sector == 2 { of[2] } else { of[3] };
    let third = if sector == 4 { of[4] } else { of[5] };
    let early = if sector == 2 || sector == 3 { second } else { first };
    if sector == 4 || sector == 5 { third } else { early }
}

#[cfg(test)]
mod tests {
    use super::hsv_to_rgb;

    /// The way back as Pillow goes it, in its types.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "C's casts, which Pillow has there"
    )]
    fn as_pillow([hue, saturation, value]: [u8; 3]) -> [u8; 3] {
        let sixths = f64::from(hue) * 6.0 / 255.0;
        let sector = sixths.floor();
        let fraction = (sixths - sector) as f32;
        let saturation = (f64::from(saturation) / 255.0) as f32;
        let level = |part: f64| (f64::from(value) * part).round() as u8;
        let low = level(1.0 - f64::from(saturation));
        let falling = level(1.0 - f64::from(saturation * fraction));
        let rising = level(1.0 - f64::from(saturation) * (1.0 - f64::from(fraction)));
        match sector as u8 % 6 {
            0 => [value, rising, low],
            1 => [falling, value, low],
            2 => [low, value, rising],
            3 => [low, falling, value],
            4 => [rising, low, value],
            _ => [value, low, falling],
        }
    }

    #[test]
    fn the_way_back_is_pillows() {
        for number in 0..1_u32 << 24 {
            let [value, saturation, hue, _] = number.to_le_bytes();
            let hsv = [hue, saturation, value];
            assert_eq!(hsv_to_rgb(hsv), as_pillow(hsv), "{hsv:?}");
        }
    }
}
