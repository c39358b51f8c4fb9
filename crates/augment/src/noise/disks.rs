//! How many of many disks cover each pixel. Disks are those of OpenCV's `circle` with a negative thickness.

use crate::image::Size;

/// The counts of a picture, row by row, and the memory for them.
#[derive(Default)]
pub(crate) struct Coverage {
    /// For each row what the count changes by at each column, with one column more at the end; then the counts.
    changes: Vec<i32>,
}

impl Coverage {
    /// Counts anew: for each disk its centre's column and row, and its radius.
    pub(crate) fn count(&mut self, disks: &[[i32; 3]], size: Size) {
        let stride = size.width as usize + 1;
        self.changes.clear();
        self.changes.resize(stride * size.height as usize, 0);
        for &[x, y, radius] in disks {
            each_span(radius.clamp(0, LARGEST), |away, half| {
                self.add(x, half, y.saturating_sub(away), size);
                if away > 0 {
                    self.add(x, half, y.saturating_add(away), size);
                }
            });
        }
        for row in self.changes.chunks_exact_mut(stride) {
            let mut count = 0;
            for change in row {
                count += *change;
                *change = count;
            }
        }
    }

    /// Counts one more in row `y` from `x - half` to `x + half`.
    fn add(&mut self, x: i32, half: i32, y: i32, Size { width, height }: Size) {
        let inside = |place: i32, end: u32| u32::try_from(place).unwrap_or(0).min(end) as usize;
        let Ok(row) = u32::try_from(y) else { return };
        if row >= height {
            return;
        }
        let start = row as usize * (width as usize + 1);
        let end = x.saturating_add(half).saturating_add(1);
        self.changes[start + inside(x.saturating_sub(half), width)] += 1;
        self.changes[start + inside(end, width)] -= 1;
    }

    /// The counts of each row, followed by one that belongs to no pixel.
    pub(crate) fn rows(&self, size: Size) -> impl Iterator<Item = &[i32]> {
        self.changes.chunks_exact(size.width as usize + 1)
    }
}

/// The largest radius: no picture needs a larger one.
const LARGEST: i32 = 1 << 16;

/// Calls `paint` for each row of a disk once, on and below the centre: how far away it is, and half its length
/// (Bresenham).
fn each_span(radius: i32, mut paint: impl FnMut(i32, i32)) {
    let (mut across, mut away, mut error) = (radius, 0, 0);
    while across >= away {
        paint(away, across);
        let (last_across, last_away) = (across, away);
        error += 2 * away + 1;
        away += 1;
        if error > 0 {
            error -= 2 * across - 1;
            across -= 1;
        }
        // The other octant has a row for each column of this one, whose longest span comes last.
        if (across < last_across || across < away) && last_across > last_away {
            paint(last_across, last_away);
        }
    }
}
