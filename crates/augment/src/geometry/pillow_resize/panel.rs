//! Rows turned on their side.
//!
//! Along a row neighbouring pixels have other weights, which vectors cannot use. In a panel the levels of the same
//! place in sixteen rows stand together, and all of them have the same weight.

/// Rows of a panel.
pub(super) const ROWS: usize = 16;
/// Bytes of a row that are turned at once.
const BLOCK: usize = 64;
/// One row of each of the eight squares of 8 by 8 levels in a block: a vector.
type RowOfSquares = [u64; BLOCK / 8];

/// The levels of one place of each row.
pub(super) type Place = [u8; ROWS];

/// Turns up to [`ROWS`] rows, as long as the panel has places; missing ones hold anything.
#[inline(always)]
#[allow(clippy::inline_always, reason = "compiled for the vectors of the caller")]
pub(super) fn from_rows(rows: &[u8], panel: &mut [Place]) {
    let len = panel.len();
    let count = rows.len() / len;
    let whole = len / BLOCK * BLOCK;
    for first in (0..count).step_by(8) {
        let rows_left = (count - first).min(8);
        for at in (0..whole).step_by(BLOCK) {
            let mut squares = [[0; BLOCK / 8]; 8];
            for (row, squares) in squares.iter_mut().enumerate().take(rows_left) {
                *squares = load(&rows[(first + row) * len + at..][..BLOCK]);
            }
            turn(&mut squares);
            for (byte, squares) in squares.iter().enumerate() {
                let places = panel[at + byte..].iter_mut().step_by(8);
                for (place, square) in places.zip(squares) {
                    place[first..first + 8].copy_from_slice(&square.to_le_bytes());
                }
            }
        }
        for row in first..first + rows_left {
            let row_bytes = &rows[row * len + whole..(row + 1) * len];
            for (place, &level) in panel[whole..].iter_mut().zip(row_bytes) {
                place[row] = level;
            }
        }
    }
}

/// The reverse, for as many rows as there are.
#[inline(always)]
#[allow(clippy::inline_always, reason = "compiled for the vectors of the caller")]
pub(super) fn to_rows(panel: &[Place], rows: &mut [u8]) {
    let len = panel.len();
    let count = rows.len() / len;
    let whole = len / BLOCK * BLOCK;
    for first in (0..count).step_by(8) {
        let rows_left = (count - first).min(8);
        for at in (0..whole).step_by(BLOCK) {
            let mut squares = [[0; BLOCK / 8]; 8];
            for (byte, squares) in squares.iter_mut().enumerate() {
                let places = panel[at + byte..].iter().step_by(8);
                for (square, place) in squares.iter_mut().zip(places) {
                    let (halves, _) = place.as_chunks::<8>();
                    *square = u64::from_le_bytes(halves[first / 8]);
                }
            }
            turn(&mut squares);
            for (row, squares) in squares.iter().enumerate().take(rows_left) {
                store(squares, &mut rows[(first + row) * len + at..][..BLOCK]);
            }
        }
        for row in first..first + rows_left {
            let row_bytes = &mut rows[row * len + whole..(row + 1) * len];
            for (level, place) in row_bytes.iter_mut().zip(&panel[whole..]) {
                *level = place[row];
            }
        }
    }
}

#[inline(always)]
fn load(bytes: &[u8]) -> RowOfSquares {
    let mut squares = [0; BLOCK / 8];
    for (square, bytes) in squares.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *square = u64::from_le_bytes(*bytes);
    }
    squares
}

#[inline(always)]
fn store(squares: &RowOfSquares, bytes: &mut [u8]) {
    for (bytes, square) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(squares) {
        *bytes = square.to_le_bytes();
    }
}

/// Mirrors each square of 8 by 8 bytes at its diagonal: swaps its quarters, then theirs, then theirs.
#[inline(always)]
fn turn(squares: &mut [RowOfSquares; 8]) {
    swap::<4>(squares, 0x0000_0000_ffff_ffff);
    swap::<2>(squares, 0x0000_ffff_0000_ffff);
    swap::<1>(squares, 0x00ff_00ff_00ff_00ff);
}

#[inline(always)]
fn swap<const APART: usize>(squares: &mut [RowOfSquares; 8], low: u64) {
    for first in (0..8).filter(|row| row & APART == 0) {
        let (upper, lower) = squares.split_at_mut(first + APART);
        for (upper, lower) in upper[first].iter_mut().zip(&mut lower[0]) {
            let (a, b) = (*upper, *lower);
            *upper = (a & low) | ((b & low) << (8 * APART));
            *lower = ((a >> (8 * APART)) & low) | (b & !low);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ROWS, from_rows, to_rows};

    #[test]
    fn places_hold_the_levels_of_all_rows_and_turn_back() {
        for (len, count) in [(1, 1), (63, 16), (64, 8), (200, 11), (131, 16)] {
            let rows: Vec<u8> =
                (0..len * count).map(|i: usize| (i * 89 % 251).to_le_bytes()[0]).collect();
            let mut panel = vec![[0; ROWS]; len];
            from_rows(&rows, &mut panel);
            for (at, place) in panel.iter().enumerate() {
                for (row, &level) in place.iter().enumerate().take(count) {
                    assert_eq!(level, rows[row * len + at], "{len} {count}: row {row}, byte {at}");
                }
            }
            let mut back = vec![0; rows.len()];
            to_rows(&panel, &mut back);
            assert_eq!(back, rows, "{len} {count}");
        }
    }
}
