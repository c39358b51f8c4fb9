//! Standard normal numbers from 16 random bits.
//!
//! The table has the quantiles of the standard normal distribution at `(i + 1/2) / 65536`, multiplied by 7500 and
//! rounded: a number for each value of 16 bits, each as likely as the others. The largest is 4.3 standard deviations.

use std::fmt;
use std::sync::LazyLock;

/// One for each value of 16 bits.
const ENTRIES: usize = 1 << 16;

/// What the table has for 1.
pub(crate) const UNIT: f64 = 7500.0;

/// The table.
#[derive(Clone, Copy)]
pub(crate) struct NormalQuantiles(&'static [i16; ENTRIES]);

/// The same for all ops, because it is computed in milliseconds.
static TABLE: LazyLock<Box<[i16; ENTRIES]>> = LazyLock::new(|| {
    let mut table = Box::new([0; ENTRIES]);
    for (entry, place) in table.iter_mut().zip(0_u32..) {
        let quantile = quantile((f64::from(place) + 0.5) / ENTRIES as f64);
        *entry = crate::round::short_half_even(quantile * UNIT);
    }
    table
});

impl NormalQuantiles {
    /// Computes the table if it is the first.
    pub(crate) fn new() -> Self {
        Self(&TABLE)
    }

    /// Replaces random bits by normal numbers.
    #[inline(always)]
    pub(crate) fn look_up(self, bits: &mut [u16]) {
        for bits in bits {
            *bits = self.0[usize::from(*bits)].cast_unsigned();
        }
    }
}

impl fmt::Debug for NormalQuantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NormalQuantiles").finish_non_exhaustive()
    }
}

impl PartialEq for NormalQuantiles {
    /// There is but one table.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// The number below which a standard normal number is with probability `p`, from 1e-11 to `1 - 1e-11`: Wichura,
/// "Algorithm AS 241: The percentage points of the normal distribution", 1988, within 1e-15.
fn quantile(p: f64) -> f64 {
    const CENTRE: [[f64; 8]; 2] = [
        [
            2_509.080_928_730_122_7,
            33_430.575_583_588_13,
            67_265.770_927_008_7,
            45_921.953_931_549_87,
            13_731.693_765_509_46,
            1_971.590_950_306_551_3,
            133.141_667_891_784_38,
            3.387_132_872_796_366_5,
        ],
        [
            5_226.495_278_852_854,
            28_729.085_735_721_943,
            39_307.895_800_092_71,
            21_213.794_301_586_597,
            5_394.196_021_424_751,
            687.187_007_492_057_9,
            42.313_330_701_600_91,
            1.0,
        ],
    ];
    const TAIL: [[f64; 8]; 2] = [
        [
            7.745_450_142_783_414e-4,
            0.022_723_844_989_269_184,
            0.241_780_725_177_450_6,
            1.270_458_252_452_368_4,
            3.647_848_324_763_204_5,
            5.769_497_221_460_691,
            4.630_337_846_156_546,
            1.423_437_110_749_683_5,
        ],
        [
            1.050_750_071_644_416_9e-9,
            5.475_938_084_995_345e-4,
            0.015_198_666_563_616_457,
            0.148_103_976_427_480_08,
            0.689_767_334_985_1,
            1.676_384_830_183_803_8,
            2.053_191_626_637_759,
            1.0,
        ],
    ];
    let ratio = |[above, below]: [[f64; 8]; 2], x: f64| {
        let value = |powers: [f64; 8]| powers.into_iter().fold(0.0, |sum, c| sum * x + c);
        value(above) / value(below)
    };
    let from_median = p - 0.5;
    if from_median.abs() <= 0.425 {
        return from_median * ratio(CENTRE, 0.180_625 - from_median * from_median);
    }
    let depth = (-p.min(1.0 - p).ln()).sqrt() - 1.6;
    ratio(TAIL, depth).copysign(from_median)
}

#[cfg(test)]
mod tests {
    use super::{NormalQuantiles, UNIT, quantile};

    #[test]
    fn quantiles_are_those_of_tables() {
        for (p, expect) in [
            (1.0 / 131_072.0, -4.324_919_040_826_044),
            (0.001, -3.090_232_306_167_813_5),
            (0.025, -1.959_963_984_540_054_2),
            (0.3, -0.524_400_512_708_040_9),
            (0.5, 0.0),
            (0.9, 1.281_551_565_544_600_5),
        ] {
            assert!((quantile(p) - expect).abs() < 1e-13, "{p}: {}", quantile(p));
        }
    }

    #[test]
    fn the_table_is_symmetric_and_rises() {
        let table = NormalQuantiles::new().0;
        assert!(table.is_sorted());
        assert!(table.iter().zip(table.iter().rev()).all(|(low, high)| *low == -high));
        let variance: f64 = table.iter().map(|n| (f64::from(*n) / UNIT).powi(2)).sum();
        assert!((variance / table.len() as f64 - 1.0).abs() < 2e-4);
    }
}
