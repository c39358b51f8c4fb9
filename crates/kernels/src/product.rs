//! The two matrix products behind every convolution, as register tiles.
//!
//! Both keep a tile of up to [`MAX_HEIGHT`] x 2 vectors of the result in registers while they walk along the summed
//! dimension, so that each step costs one load per operand and no store. Neither needs its left operand packed: the
//! first takes rows from wherever they lie (the pixels of a map, for instance, which makes im2col unnecessary), the
//! second takes columns.
//!
//! Cost: `2 * height * width` FLOP for each step of the sum. On AVX-512 a tile of 12 x 32 runs at the machine's peak
//! rate, for the broadcast of the left operand is part of the multiply-add instruction.

use crate::parallel::with_scratch;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use std::sync::LazyLock;

/// The most rows that a tile can have.
pub(crate) const MAX_HEIGHT: usize = 12;

/// Rows of a tile that leave registers for the other operands, with `vectors` vectors in each row.
pub(crate) fn tile_height(vectors: usize) -> usize {
    if machine().registers >= 32 || vectors == 1 { MAX_HEIGHT } else { MAX_HEIGHT / 2 }
}

/// A tile of the result: `HEIGHT` rows of `VECTORS` vectors.
pub(crate) type Tile<S, const HEIGHT: usize, const VECTORS: usize> =
    [[<S as Simd>::f32s; VECTORS]; HEIGHT];

/// A tile of zeros.
#[inline(always)]
pub(crate) fn zeros<S: Simd, const HEIGHT: usize, const VECTORS: usize>(
    simd: S,
) -> Tile<S, HEIGHT, VECTORS> {
    [[simd.splat_f32s(0.0); VECTORS]; HEIGHT]
}

/// `tile[r] += sum over k of rows[r][k] * panel[k]`, where every row is as long as the panel.
#[inline(always)]
pub(crate) fn add_rows_times_panel<S: Simd, const HEIGHT: usize, const VECTORS: usize>(
    simd: S,
    tile: &mut Tile<S, HEIGHT, VECTORS>,
    rows: [&[f32]; HEIGHT],
    panel: &[[S::f32s; VECTORS]],
) {
    let depth = panel.len();
    let mut rows = rows;
    // Loops, for a call of `map` is not always inlined, and then every vector goes through memory.
    for row in &mut rows {
        *row = &row[..depth];
    }
    let mut sums = *tile;
    for k in 0..depth {
        let right = panel[k];
        for r in 0..HEIGHT {
            let left = simd.splat_f32s(rows[r][k]);
            for v in 0..VECTORS {
                sums[r][v] = simd.mul_add_e_f32s(left, right[v], sums[r][v]);
            }
        }
    }
    *tile = sums;
}

/// Where [`add_columns_times_rows`] finds its operands: `count` steps of the sum, each `left_step` floats further in
/// the left operand and `right_step` in the right one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) left: usize,
    pub(crate) right: usize,
    pub(crate) count: usize,
    pub(crate) left_step: usize,
    pub(crate) right_step: usize,
}

/// `tile[r] += sum over j of left[run.left + j * left_step + r] * right[run.right + j * right_step ..]`.
#[inline(always)]
pub(crate) fn add_columns_times_rows<S: Simd, const HEIGHT: usize, const VECTORS: usize>(
    simd: S,
    tile: &mut Tile<S, HEIGHT, VECTORS>,
    left: &[f32],
    right: &[f32],
    run: Run,
) {
    let width = VECTORS * S::F32_LANES;
    let mut sums = *tile;
    let mut at_left = run.left;
    let mut at_right = run.right;
    for _ in 0..run.count {
        let column: &[f32] = &left[at_left..at_left + HEIGHT];
        let (row, _) = S::as_simd_f32s(&right[at_right..at_right + width]);
        let row = &row[..VECTORS];
        for r in 0..HEIGHT {
            let left = simd.splat_f32s(column[r]);
            for v in 0..VECTORS {
                sums[r][v] = simd.mul_add_e_f32s(left, row[v], sums[r][v]);
            }
        }
        at_left += run.left_step;
        at_right += run.right_step;
    }
    *tile = sums;
}

/// Adds a tile to the rows of a matrix, `pitch` floats apart, from column `first` on.
#[inline(always)]
pub(crate) fn add_tile<S: Simd, const HEIGHT: usize, const VECTORS: usize>(
    simd: S,
    tile: &Tile<S, HEIGHT, VECTORS>,
    rows: &mut [f32],
    pitch: usize,
    first: usize,
) {
    for r in 0..HEIGHT {
        let at = r * pitch + first;
        let (row, _) = S::as_mut_simd_f32s(&mut rows[at..at + VECTORS * S::F32_LANES]);
        for v in 0..VECTORS {
            row[v] = simd.add_f32s(row[v], tile[r][v]);
        }
    }
}

/// Runs `$body` with the constant `$height` equal to the run-time `$value`, from 1 to [`MAX_HEIGHT`].
macro_rules! with_height {
    ($value:expr, $height:ident => $body:expr) => {
        with_height!(@ $value, $height, $body, 1 2 3 4 5 6 7 8 9 10 11 12)
    };
    (@ $value:expr, $height:ident, $body:expr, $($n:literal)*) => {
        match $value {
            $($n => { const $height: usize = $n; $body })*
            _ => unreachable!("a tile has 1 to 12 rows"),
        }
    };
}
pub(crate) use with_height;

/// Splits `count` into the fewest parts of at most `most`, as equal as they can be.
pub(crate) fn near_equal_parts(
    count: usize,
    most: usize,
) -> impl Iterator<Item = std::ops::Range<usize>> {
    let parts = count.div_ceil(most).max(1);
    (0..parts).map(move |i| i * count / parts..(i + 1) * count / parts)
}

/// A matrix cut into column panels as wide as a tile, each stored row by row; the last is padded with zeros.
#[derive(Debug)]
pub(crate) struct Panels<'a> {
    values: &'a [f32],
    rows: usize,
    pub(crate) columns: usize,
    /// Columns of a panel.
    pub(crate) width: usize,
}

impl Panels<'_> {
    /// Runs `work` on the panels of a matrix of `rows` x `columns`, each filled by `fill(first column, panel)`, which
    /// gets a panel of any values.
    pub(crate) fn with<R>(
        rows: usize,
        columns: usize,
        fill: impl Fn(usize, &mut [f32]) + Sync,
        work: impl FnOnce(&Panels<'_>) -> R,
    ) -> R {
        // Two vectors wide, or one where two would be half empty.
        let width = if columns > lanes() { 2 * lanes() } else { lanes() };
        assert!(width <= 32, "vectors of more than 16 floats");
        with_scratch(columns.div_ceil(width) * rows * width, |values| {
            values
                .par_chunks_mut(rows * width)
                .enumerate()
                .for_each(|(i, panel)| fill(i * width, panel));
            work(&Panels { values, rows, columns, width })
        })
    }

    pub(crate) fn panel(&self, index: usize) -> &[f32] {
        &self.values[index * self.rows * self.width..(index + 1) * self.rows * self.width]
    }

    pub(crate) fn count(&self) -> usize {
        self.columns.div_ceil(self.width)
    }
}

/// Floats in a vector of this machine.
pub(crate) fn lanes() -> usize {
    machine().lanes
}

/// This machine's vectors.
struct Machine {
    lanes: usize,
    registers: usize,
}

fn machine() -> &'static Machine {
    struct Ask;
    impl WithSimd for Ask {
        type Output = Machine;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> Machine {
            Machine { lanes: S::F32_LANES, registers: S::REGISTER_COUNT }
        }
    }
    static MACHINE: LazyLock<Machine> = LazyLock::new(|| Arch::new().dispatch(Ask));
    &MACHINE
}
