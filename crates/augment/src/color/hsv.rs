//! Hue, saturation and value in 8 bits each, as Pillow's `Image.convert("HSV")` and back.
//!
//! Pillow computes partly in `float` and partly in `double`. The same steps are narrowed here, which a test over
//! all colours holds to the last bit.

use crate::round::{level_nearest, level_towards_zero_f64};

/// `[red, green, blue]` to `[hue, saturation, value]`.
pub(crate) fn rgb_to_hsv(pixel: [u8; 3]) -> [u8; 3] {
    let [red, green, blue] = pixel;
    let highest = red.max(green).max(blue);
    let lowest = red.min(green).min(blue);
    if highest == lowest {
        return [0, 0, highest];
    }
    let range = f32::from(highest - lowest);
    let saturation = range / f32::from(highest);
    let below = |level: u8| f32::from(highest - level) / range;
    let (from_red, from_green, from_blue) = (below(red), below(green), below(blue));
    let sixths = if red == highest {
        from_blue - from_green
    } else if green == highest {
        narrow(2.0 + f64::from(from_red) - f64::from(from_blue))
    } else {
        narrow(4.0 + f64::from(from_green) - f64::from(from_red))
    };
    // Pillow's `fmod(.., 1.0)`; the argument is positive and below 2.
    let turns = f64::from(sixths) / 6.0 + 1.0;
    let hue = narrow(if turns >= 1.0 { turns - 1.0 } else { turns });
    [
        level_towards_zero_f64(f64::from(hue) * 255.0),
        level_towards_zero_f64(f64::from(saturation) * 255.0),
        highest,
    ]
}

/// `[hue, saturation, value]` to `[red, green, blue]`.
pub(crate) fn hsv_to_rgb([hue, saturation, value]: [u8; 3]) -> [u8; 3] {
    if saturation == 0 {
        return [value; 3];
    }
    let sixths = f64::from(hue) * 6.0 / 255.0;
    let sector = level_towards_zero_f64(sixths);
    let fraction = narrow(sixths - f64::from(sector));
    let saturation = narrow(f64::from(saturation) / 255.0);
    let scaled = |by: f64| level_nearest(f64::from(value) * by);
    let low = scaled(1.0 - f64::from(saturation));
    let falling = scaled(1.0 - f64::from(saturation * fraction));
    let rising = scaled(1.0 - f64::from(saturation) * (1.0 - f64::from(fraction)));
    match sector % 6 {
        0 => [value, rising, low],
        1 => [falling, value, low],
        2 => [low, value, rising],
        3 => [low, falling, value],
        4 => [rising, low, value],
        _ => [value, low, falling],
    }
}

#[allow(clippy::cast_possible_truncation, reason = "Pillow stores this in a `float`")]
const fn narrow(value: f64) -> f32 {
    value as f32
}
