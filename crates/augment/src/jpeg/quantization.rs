//! Where JPEG loses what it loses: each coefficient becomes a multiple of its step.

/// The steps at quality 50 of the standard's annex K, for luma and for chroma.
const STANDARD: [[u16; 64]; 2] = [
    [
        16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69,
        56, 14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81,
        104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
    ],
    [
        17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99,
        99, 47, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    ],
];

/// The steps of one component, row by row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Steps {
    steps: [u16; 64],
    /// Of eight times the step, for the forward transform yields eight times the coefficient.
    reciprocals: [f32; 64],
}

impl Steps {
    /// For luma and for chroma at a `quality` from 1 to 100, as in `jpeg_set_quality`.
    pub(crate) fn of_quality(quality: u32) -> [Self; 2] {
        let quality = quality.clamp(1, 100);
        let percent = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
        STANDARD.map(|standard| {
            let scaled = |step: u16| ((u32::from(step) * percent + 50) / 100).clamp(1, 255);
            let steps = standard.map(|step| u16::try_from(scaled(step)).unwrap_or(255));
            Self { steps, reciprocals: steps.map(|step| 0.125 / f32::from(step)) }
        })
    }

    /// Rounds the coefficients of a strip of eight rows to multiples of the steps.
    #[inline(always)]
    pub(crate) fn quantize(&self, strip: &mut [i16], stride: usize) {
        let (steps, _) = self.steps.as_chunks::<8>();
        let (reciprocals, _) = self.reciprocals.as_chunks::<8>();
        for ((row, steps), reciprocals) in
            strip.chunks_exact_mut(stride).zip(steps).zip(reciprocals)
        {
            // Two blocks at once.
            let step: [i16; 16] = std::array::from_fn(|i| steps[i % 8].cast_signed());
            let reciprocal: [f32; 16] = std::array::from_fn(|i| reciprocals[i % 8]);
            for coefficients in row.as_chunks_mut::<16>().0 {
                for i in 0..16 {
                    let size = f32::from(coefficients[i].unsigned_abs());
                    let count = nearest(size, reciprocal[i]);
                    let size = count.wrapping_mul(step[i]);
                    coefficients[i] = if coefficients[i] < 0 { -size } else { size };
                }
            }
        }
    }
}

/// A whole number divided by another: the nearest whole number, the larger one when two are equally near.
#[allow(clippy::cast_possible_truncation, reason = "the low bits hold the number")]
#[inline(always)]
fn nearest(size: f32, reciprocal: f32) -> i16 {
    // From here on a float has no fraction bits, and the addition rounds. The quarter tips what lies between two
    // without reaching the next size.
    const WHOLE: f32 = 8_388_608.0;
    ((size + 0.25) * reciprocal + WHOLE).to_bits() as i16
}
