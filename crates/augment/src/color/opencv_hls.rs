//! Hue, lightness and saturation as OpenCV computes them in `f32`, without branches so that vectors can be used.

/// Turns of the colour wheel in sixths.
pub(crate) const SIXTHS: f32 = 6.0;

/// Hue in degrees from 0 to 360, lightness and saturation from 0 to 1, of a colour from 0 to 1: `COLOR_RGB2HLS`.
#[inline(always)]
pub(crate) fn from_rgb([red, green, blue]: [f32; 3]) -> [f32; 3] {
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    let (range, sum) = (most - least, most + least);
    let lightness = sum * 0.5;
    // For grays these are no numbers, and not taken.
    let below = if lightness < 0.5 { sum } else { 2.0 - most - least };
    let scale = 60.0 / range;
    let from_red = (green - blue) * scale;
    let from_green = (blue - red) * scale + 120.0;
    let from_blue = (red - green) * scale + 240.0;
    let others = if most == green { from_green } else { from_blue };
    let hue = if most == red { from_red } else { others };
    let hue = if hue < 0.0 { hue + 360.0 } else { hue };
    let coloured = range > f32::EPSILON;
    let saturation = range / below;
    [if coloured { hue } else { 0.0 }, lightness, if coloured { saturation } else { 0.0 }]
}

/// The colour of a hue from 0 to 6, a lightness and a saturation: `COLOR_HLS2RGB`.
#[inline(always)]
pub(crate) fn to_rgb([hue, lightness, saturation]: [f32; 3]) -> [f32; 3] {
    let dark = lightness <= 0.5;
    let product = lightness * saturation;
    let highest =
        if dark { lightness * (1.0 + saturation) } else { lightness + saturation - product };
    let lowest = 2.0 * lightness - highest;
    let hue = if hue >= SIXTHS { hue - SIXTHS } else { hue };
    let from = |share: f32| lowest + (highest - lowest) * share.clamp(0.0, 1.0);
    [from((hue - 3.0).abs() - 1.0), from(2.0 - (hue - 2.0).abs()), from(2.0 - (hue - 4.0).abs())]
}
