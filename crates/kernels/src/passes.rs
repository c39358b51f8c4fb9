//! Passes over maps, vector by vector, with values for each channel beside them.
//!
//! A channels-last map is rows of `channels` values. Short rows waste the ends of vectors and the start of loops, so
//! several rows are taken as one, with the channels' values repeated as often: [`Channels`].

use pulp::Simd;

/// Rows are put together until they fill vectors of this many floats, ...
const WHOLE: usize = 64;
/// ... unless they grow longer than this.
const LONGEST: usize = 4096;
/// Floats of a block of rows.
const BLOCK: usize = 16 * 1024;

/// How the channels of a map are laid out for a pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Channels {
    channels: usize,
    /// Rows that are taken as one.
    repeats: usize,
}

impl Channels {
    pub(crate) fn of(channels: usize) -> Self {
        // The fewest rows that fill whole vectors: channels / 2^k rows of them do, for the powers of two that it has.
        let shared = 1 << channels.trailing_zeros().min(WHOLE.trailing_zeros());
        let repeats = WHOLE / shared;
        let fits = channels * repeats <= LONGEST;
        Self { channels, repeats: if fits { repeats } else { 1 } }
    }

    /// Floats of the rows that are taken as one.
    pub(crate) fn width(self) -> usize {
        self.channels * self.repeats
    }

    /// Floats of a block, which a thread sums in one go: 64 KiB, in rows that are taken as one.
    pub(crate) fn block(self) -> usize {
        (BLOCK / self.width()).max(1) * self.width()
    }

    /// A value for each channel, repeated for each row.
    pub(crate) fn widen(self, values: &[f32]) -> Vec<f32> {
        values.repeat(self.repeats)
    }

    /// Adds the rows' sums up to one for each channel.
    pub(crate) fn fold(self, wide: &mut Vec<f32>) {
        let (sums, others) = wide.split_at_mut(self.channels);
        for other in others.chunks_exact(self.channels) {
            for (sum, other) in sums.iter_mut().zip(other) {
                *sum += other;
            }
        }
        wide.truncate(self.channels);
    }
}

/// What a pass does to the vectors at one place of its operands.
pub(crate) trait Formula<const READ: usize, const WRITTEN: usize>: Copy {
    /// From what is `read`, and from what stands in the places `written`, what shall stand there.
    fn at<S: Simd>(
        self,
        simd: S,
        read: [S::f32s; READ],
        written: [S::f32s; WRITTEN],
    ) -> [S::f32s; WRITTEN];
}

/// Applies a formula to operands of the same length.
#[inline(always)]
pub(crate) fn pass<S: Simd, F, const READ: usize, const WRITTEN: usize>(
    simd: S,
    formula: F,
    read: [&[f32]; READ],
    written: [&mut [f32]; WRITTEN],
) where
    F: Formula<READ, WRITTEN>,
{
    let length = written[0].len();
    let vectors = length / S::F32_LANES;
    let zero = simd.splat_f32s(0.0);
    let mut inputs: [&[S::f32s]; READ] = [&[]; READ];
    let mut input_ends: [&[f32]; READ] = [&[]; READ];
    for (operand, values) in read.into_iter().enumerate() {
        let (whole, end) = S::as_simd_f32s(&values[..length]);
        inputs[operand] = &whole[..vectors];
        input_ends[operand] = end;
    }
    let mut outputs: [&mut [S::f32s]; WRITTEN] = std::array::from_fn(|_| Default::default());
    let mut output_ends: [&mut [f32]; WRITTEN] = std::array::from_fn(|_| Default::default());
    for (operand, values) in written.into_iter().enumerate() {
        let (whole, end) = S::as_mut_simd_f32s(&mut values[..length]);
        outputs[operand] = &mut whole[..vectors];
        output_ends[operand] = end;
    }
    for place in 0..vectors {
        let mut from = [zero; READ];
        for operand in 0..READ {
            from[operand] = inputs[operand][place];
        }
        let mut to = [zero; WRITTEN];
        for operand in 0..WRITTEN {
            to[operand] = outputs[operand][place];
        }
        let to = formula.at(simd, from, to);
        for operand in 0..WRITTEN {
            outputs[operand][place] = to[operand];
        }
    }
    if length > vectors * S::F32_LANES {
        let mut from = [zero; READ];
        for operand in 0..READ {
            from[operand] = simd.partial_load_f32s(input_ends[operand]);
        }
        let mut to = [zero; WRITTEN];
        for operand in 0..WRITTEN {
            to[operand] = simd.partial_load_f32s(output_ends[operand]);
        }
        let to = formula.at(simd, from, to);
        for operand in 0..WRITTEN {
            simd.partial_store_f32s(output_ends[operand], to[operand]);
        }
    }
}

/// `sum += x`.
#[derive(Clone, Copy)]
pub(crate) struct Sum;

impl Formula<1, 1> for Sum {
    #[inline(always)]
    fn at<S: Simd>(self, simd: S, [x]: [S::f32s; 1], [sum]: [S::f32s; 1]) -> [S::f32s; 1] {
        [simd.add_f32s(sum, x)]
    }
}
