//! Cropping and padding: where each pixel of the result comes from, one axis at a time.
//!
//! Both only move pixels, and they move rows and columns independently. A chain of them is therefore two lists of
//! source positions, one for columns and one for rows, and one pass over the result however long the chain is.

use super::canvas::fillable;
use crate::image::{Channels, Image8, Size};
use crate::settings::padding::PaddingMode;

/// Where each position of the result comes from on one axis; `None` is the fill colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Axis {
    sources: Vec<Option<u32>>,
}

impl Axis {
    /// Every position from itself.
    pub(crate) fn identity(len: u32) -> Self {
        Self { sources: (0..len).map(Some).collect() }
    }

    /// Adds positions on both sides.
    pub(crate) fn padded(&self, before: u32, after: u32, mode: PaddingMode) -> Self {
        let len = self.len();
        let inside = |offset: i64| self.sources[wrap(offset, len)];
        let sources = (-i64::from(before)..i64::from(len) + i64::from(after))
            .map(|position| {
                let last = i64::from(len) - 1;
                match mode {
                    // Most are, and a division takes longer than all the rest.
                    _ if (0..=last).contains(&position) => inside(position),
                    PaddingMode::Constant => None,
                    PaddingMode::Edge => inside(position.clamp(0, last)),
                    // A mirror at both ends makes the picture periodic.
                    PaddingMode::Reflect if len == 1 => inside(0),
                    PaddingMode::Reflect => {
                        let phase = position.rem_euclid(2 * last);
                        inside(phase.min(2 * last - phase))
                    }
                    PaddingMode::Wrap => inside(position.rem_euclid(last + 1)),
                    PaddingMode::Symmetric => {
                        let phase = position.rem_euclid(2 * last + 2);
                        inside(phase.min(2 * last + 1 - phase))
                    }
                }
            })
            .collect();
        Self { sources }
    }

    /// Keeps `len` positions from `start` on, or those of them that exist; always at least one.
    pub(crate) fn window(&self, start: u32, len: u32) -> Self {
        let start = start.min(self.len() - 1) as usize;
        let end = self.sources.len().min(start + len.max(1) as usize);
        Self { sources: self.sources[start..end].to_vec() }
    }

    /// Number of positions.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "made from u32 lengths, far below the limit"
    )]
    pub(crate) fn len(&self) -> u32 {
        self.sources.len() as u32
    }

    /// Stretches that can be copied as they are, from a source on, or filled; with their lengths.
    fn runs(&self) -> Vec<(Option<usize>, usize)> {
        let mut runs: Vec<(Option<usize>, usize)> = Vec::new();
        for source in &self.sources {
            let source = source.map(|source| source as usize);
            match runs.last_mut() {
                // Fill goes on with fill.
                Some((from, len)) if from.map(|from| from + *len) == source => *len += 1,
                _ => runs.push((source, 1)),
            }
        }
        runs
    }
}

/// `offset`, which its callers keep in `0..len`, as an index.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "in 0..len by construction"
)]
const fn wrap(offset: i64, len: u32) -> usize {
    debug_assert!(offset >= 0 && offset < len as i64);
    offset as usize
}

/// The picture whose pixel `(x, y)` is that of `image` at `(columns[x], rows[y])`.
pub(crate) fn gather(image: Image8, columns: &Axis, rows: &Axis, fill: [u8; 3]) -> Image8 {
    let image = fillable(image, fill);
    let size = Size::new(columns.len(), rows.len());
    Image8::appended(size, image.channels(), |pixels| match image.channels() {
        Channels::Gray => append(&image, columns, rows, [fill[0]], pixels),
        Channels::Rgb => append(&image, columns, rows, fill, pixels),
    })
}

fn append<const C: usize>(
    image: &Image8,
    columns: &Axis,
    rows: &Axis,
    fill: [u8; C],
    pixels: &mut Vec<u8>,
) {
    let runs = columns.runs();
    let filled = fill.repeat(columns.sources.len());
    for row in &rows.sources {
        let Some(row) = row.map(|y| image.row(y).as_chunks::<C>().0) else {
            pixels.extend_from_slice(&filled);
            continue;
        };
        for &(from, len) in &runs {
            match from {
                None => pixels.extend_from_slice(&filled[..len * C]),
                // Mirrors have many of these, and a copy of known length is not a call.
                Some(from) if len == 1 => pixels.extend_from_slice(&row[from]),
                Some(from) => pixels.extend_from_slice(row[from..from + len].as_flattened()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Axis;
    use crate::settings::padding::PaddingMode;

    const FILL: i64 = -1;

    #[test]
    fn padding_finds_its_sources() {
        let check = |len, before, after, mode, expect: &[i64]| {
            let axis = Axis::identity(len).padded(before, after, mode);
            let found: Vec<i64> =
                axis.sources.iter().map(|source| source.map_or(FILL, i64::from)).collect();
            assert_eq!(found, expect, "{len} positions, {before} + {after}, {mode:?}");
        };
        check(3, 2, 1, PaddingMode::Constant, &[FILL, FILL, 0, 1, 2, FILL]);
        check(3, 2, 1, PaddingMode::Edge, &[0, 0, 0, 1, 2, 2]);
        check(4, 2, 2, PaddingMode::Reflect, &[2, 1, 0, 1, 2, 3, 2, 1]);
        check(4, 2, 2, PaddingMode::Symmetric, &[1, 0, 0, 1, 2, 3, 3, 2]);
        check(2, 3, 4, PaddingMode::Reflect, &[1, 0, 1, 0, 1, 0, 1, 0, 1]);
        check(2, 3, 3, PaddingMode::Symmetric, &[1, 1, 0, 0, 1, 1, 0, 0]);
        check(3, 2, 4, PaddingMode::Wrap, &[1, 2, 0, 1, 2, 0, 1, 2, 0]);
        check(1, 2, 1, PaddingMode::Reflect, &[0, 0, 0, 0]);
        check(1, 1, 2, PaddingMode::Symmetric, &[0, 0, 0, 0]);
    }

    #[test]
    fn windows_stay_inside() {
        let check = |start, len, expect: &[u32]| {
            let axis = Axis::identity(4).window(start, len);
            let found: Vec<u32> = axis.sources.iter().flatten().copied().collect();
            assert_eq!(found, expect, "from {start}, {len} positions");
        };
        check(0, 4, &[0, 1, 2, 3]);
        check(1, 2, &[1, 2]);
        check(2, 9, &[2, 3]);
        check(9, 1, &[3]);
        check(0, 0, &[0]);
    }

    #[test]
    fn runs_are_as_long_as_possible() {
        let axis = Axis::identity(3).padded(1, 2, PaddingMode::Constant);
        assert_eq!(axis.runs(), [(None, 1), (Some(0), 3), (None, 2)]);
        let axis = Axis::identity(3).padded(1, 1, PaddingMode::Edge);
        assert_eq!(axis.runs(), [(Some(0), 1), (Some(0), 3), (Some(2), 1)]);
    }
}
