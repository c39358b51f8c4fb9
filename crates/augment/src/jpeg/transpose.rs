//! Swaps rows and columns of all 8 x 8 blocks of a strip.
//!
//! A pass of the transform along rows has its inputs beside each other, where vectors cannot reach them one by one.
//! After the swap they lie in eight rows, and one pass along columns serves both.

/// Eight rows of `words` words each, a word being four coefficients; `words` is even.
#[inline(always)]
pub(crate) fn transpose(strip: &mut [u64], words: usize) {
    let (upper, lower) = strip.split_at_mut(4 * words);
    // Each 4 x 4 quarter by itself: first within pairs of rows, then between the pairs.
    for half in [&mut *upper, &mut *lower] {
        let (first, second) = half.split_at_mut(2 * words);
        for pair in [&mut *first, &mut *second] {
            let (a, b) = pair.split_at_mut(words);
            swap_off_diagonal::<16>(a, b, 0x0000_ffff_0000_ffff);
        }
        swap_off_diagonal::<32>(first, second, 0x0000_0000_ffff_ffff);
    }
    // Then the upper right quarter with the lower left one.
    let (upper, _) = upper.as_chunks_mut::<2>();
    let (lower, _) = lower.as_chunks_mut::<2>();
    for ([_, right], [left, _]) in upper.iter_mut().zip(lower) {
        std::mem::swap(right, left);
    }
}

/// Swaps what lies above `mask` in `a` with what lies under it in `b`.
#[inline(always)]
fn swap_off_diagonal<const BITS: u32>(a: &mut [u64], b: &mut [u64], mask: u64) {
    for (a, b) in a.iter_mut().zip(b) {
        let differs = ((*a >> BITS) ^ *b) & mask;
        *b ^= differs;
        *a ^= differs << BITS;
    }
}

#[cfg(test)]
mod tests {
    use super::transpose;
    use pulp::bytemuck::cast_slice_mut;

    #[test]
    fn rows_become_columns() {
        let mut strip = vec![0_u64; 8 * 4];
        let levels: &mut [i16] = cast_slice_mut(&mut strip);
        for (place, level) in (0..).zip(levels.iter_mut()) {
            *level = place;
        }
        transpose(&mut strip, 4);
        let levels: &[i16] = cast_slice_mut(&mut strip);
        for row in 0..8 {
            for column in 0..16 {
                let block = column / 8 * 8;
                let expect = (column % 8) * 16 + block + row;
                assert_eq!(usize::try_from(levels[row * 16 + column]), Ok(expect));
            }
        }
    }
}
