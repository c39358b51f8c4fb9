//! CIE L\*a\*b\* as `OpenCV` has it in 8 bits: lightness times 2.55, `a` and `b` with 128 added.
//!
//! Both directions run in fixed point with tables, and are equal to the bit for every colour. No entry of a table lies
//! closer than a millionth of a unit to the middle between two, so the tables do not depend on how exact a machine's
//! powers and roots are. Two that are closer than a thousandth are what `OpenCV`'s `f32` made of them.

use crate::color::planes::PixelFunction;
use crate::round::integer_half_even;
use std::sync::LazyLock;

/// One in the fixed point of the cube roots.
const ROOT_ONE: f64 = 32_768.0;
/// One in the fixed point of the inverse: of lightness, and of X, Y and Z.
const ONE: i32 = 1 << 14;
/// Reds, greens and blues to X, Y and Z, each as a part of white's, times 4096. Every row sums to 4096.
const TO_XYZ: [[i32; 3]; 3] = [[1777, 1541, 778], [871, 2929, 296], [73, 448, 3575]];
/// The inverse, times 4096.
const FROM_XYZ: [[i32; 3]; 3] = [[12_615, -6296, -2223], [-3773, 7684, 185], [217, -836, 4715]];

/// What a level or a sum becomes. Entries have 32 bits, which vectors gather.
struct Tables {
    /// Linear light of a level, times 2040.
    linear: [i32; 256],
    /// The root of CIE's formula of X, Y or Z in units of 1 / 2040, times 32768.
    root: [i32; 2048],
    /// Y of a lightness, and its root in the upper half, times 16384.
    lightness: [i32; 256],
    /// The level of linear light in units of 1 / 4096.
    level: [i32; 4096],
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    // The cube root, continued by its tangent below (6 / 29)^3.
    let root = |x: f64| {
        if x < 216.0 / 24_389.0 { x * 841.0 / 108.0 + 16.0 / 116.0 } else { x.cbrt() }
    };
    let linear = |x: f64| {
        if x <= 0.040_45 { x / 12.92 } else { ((x + 0.055) / 1.055).powf(2.4) }
    };
    let level = |x: f64| {
        if x <= 0.003_130_8 { x * 12.92 } else { x.powf(1.0 / 2.4) * 1.055 - 0.055 }
    };
    // Y of a lightness of up to 8 is on the tangent, and so is its root.
    let lightness = |level: f64| {
        let root = level * 100.0 / (255.0 * 116.0) + 16.0 / 116.0;
        let y = if level <= 20.0 { (root - 16.0 / 116.0) * 108.0 / 841.0 } else { root.powi(3) };
        let one = f64::from(ONE);
        integer_half_even(y * one) | integer_half_even(root * one) << 16
    };
    let mut tables = Tables {
        linear: std::array::from_fn(|i| integer_half_even(linear(i as f64 / 255.0) * 2040.0)),
        root: std::array::from_fn(|i| integer_half_even(root(i as f64 / 2040.0) * ROOT_ONE)),
        lightness: std::array::from_fn(|i| lightness(i as f64)),
        level: std::array::from_fn(|i| integer_half_even(level(i as f64 / 4096.0) * 255.0)),
    };
    (tables.root[49], tables.root[628]) = (9454, 22_126);
    tables
});

/// Changes red, green and blue into lightness, `a` and `b`.
#[derive(Clone, Copy)]
pub(crate) struct ToLab {
    tables: &'static Tables,
}

impl ToLab {
    /// With the tables, which are made when first asked for.
    pub(crate) fn new() -> Self {
        Self { tables: &TABLES }
    }
}

impl PixelFunction for ToLab {
    #[inline(always)]
    #[allow(clippy::many_single_char_names, reason = "axes of colour spaces have one letter")]
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sums are at most 2040, and results are clamped to levels"
    )]
    fn of(self, pixel: [u8; 3]) -> [u8; 3] {
        const HALF: i32 = 1 << 14;
        let [red, green, blue] = pixel.map(|level| self.tables.linear[usize::from(level)]);
        let [x, y, z] = TO_XYZ.map(|[of_red, of_green, of_blue]| {
            let sum = (red * of_red + green * of_green + blue * of_blue + (1 << 11)) >> 12;
            self.tables.root[sum as usize & 2047]
        });
        // 16 * 255 / 100 and 116 * 255 / 100 in the fixed point of the roots.
        let lightness = (296 * y - 1_336_934 + HALF) >> 15;
        let a = ((500 * (x - y) + HALF) >> 15) + 128;
        let b = ((200 * (y - z) + HALF) >> 15) + 128;
        [lightness, a, b].map(|value| value.clamp(0, 255) as u8)
    }
}

/// Changes lightness, `a` and `b` into red, green and blue.
#[derive(Clone, Copy)]
pub(crate) struct FromLab {
    tables: &'static Tables,
}

impl FromLab {
    /// With the tables, which are made when first asked for.
    pub(crate) fn new() -> Self {
        Self { tables: &TABLES }
    }
}

impl PixelFunction for FromLab {
    #[inline(always)]
    #[allow(clippy::many_single_char_names, reason = "axes of colour spaces have one letter")]
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "indices are clamped and the table holds levels"
    )]
    fn of(self, [lightness, a, b]: [u8; 3]) -> [u8; 3] {
        let lightness = self.tables.lightness[usize::from(lightness)];
        let (y, root) = (lightness & 0xFFFF, lightness >> 16);
        // a / 500 and b / 200 without the offset of 128, with `OpenCV`'s rounding.
        let from_a = ((5 * i32::from(a) * 53_687 + (1 << 7)) >> 13) - 4194;
        let from_b = ((i32::from(b) * 41_943 + (1 << 4)) >> 9) - 10_484;
        let (x, z) = (cubed(root + from_a), cubed(root - from_b));
        FROM_XYZ.map(|[of_x, of_y, of_z]| {
            let sum = (of_x * x + of_y * y + of_z * z + (1 << 13)) >> 14;
            self.tables.level[sum.clamp(0, 4095) as usize & 4095] as u8
        })
    }
}

/// X or Z of its root.
#[inline(always)]
const fn cubed(root: i32) -> i32 {
    // 6 / 29, where the tangent ends.
    if root <= 3390 { root * 108 / 841 - 290 } else { (((root * root) >> 14) * root) >> 14 }
}

#[cfg(test)]
mod tests {
    use super::{FromLab, ToLab};
    use crate::color::planes::each_pixel;
    use crate::image::{Image8, Size};

    /// Sums that `OpenCV` 5.0 gives: each result times the colour's number, which begins with 1.
    #[test]
    fn all_colors_become_those_of_opencv() {
        let bytes = (0..1_u32 << 24).flat_map(|color| color.to_be_bytes().into_iter().skip(1));
        let colors = Image8::from_rgb(Size::square(4096), bytes.collect()).unwrap();
        let sum = |image: Image8| {
            let (pixels, _) = image.pixels().as_chunks::<3>();
            (1_u64..).zip(pixels).fold(0_u64, |sum, (number, &[first, second, third])| {
                let packed = u64::from(u32::from_be_bytes([0, first, second, third]));
                sum.wrapping_add(number.wrapping_mul(packed))
            })
        };
        let mut lab = colors.clone();
        each_pixel(&mut lab, ToLab::new());
        assert_eq!(sum(lab), 11_371_672_732_426_589_257);
        let mut rgb = colors;
        each_pixel(&mut rgb, FromLab::new());
        assert_eq!(sum(rgb), 13_845_405_434_067_210_847);
    }
}
