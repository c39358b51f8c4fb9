//! Lines of one pixel whose steps are along rows or along columns: OpenCV's `line` with `LINE_4`.

use crate::image::Size;

/// Calls `paint` with every pixel of the line that lies inside of a picture of `size`. Ends beyond it are first moved
/// to its edges along the line, as by OpenCV's `clipLine`.
pub(crate) fn each_pixel_of_line(
    from: [i32; 2],
    to: [i32; 2],
    size: Size,
    mut paint: impl FnMut(usize, usize),
) {
    let Some([from, to]) = clipped(from.map(i64::from), to.map(i64::from), size) else { return };
    let (from, to) = if to[0] < from[0] { (to, from) } else { (from, to) };
    let (right, down) = (to[0] - from[0], (to[1] - from[1]).abs());
    let below = (to[1] - from[1]).signum();
    // Bresenham's line: the error decides whether the next step is along the longer side.
    let (long, short, steep) =
        if down > right { (down, right, true) } else { (right, down, false) };
    let mut error = 0;
    let [mut x, mut y] = from;
    for _ in 0..=long + short {
        if let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) {
            paint(x, y);
        }
        let aside = error < 0;
        error += if aside { 2 * long } else { -2 * short };
        if aside == steep {
            x += 1;
        } else {
            y += below;
        }
    }
}

/// The part of a line that lies inside of a picture.
fn clipped(from: [i64; 2], to: [i64; 2], size: Size) -> Option<[[i64; 2]; 2]> {
    let last = [i64::from(size.width) - 1, i64::from(size.height) - 1];
    let beyond = |end: [i64; 2], axis: usize| {
        if end[axis] < 0 { -1 } else { i32::from(end[axis] > last[axis]) }
    };
    let mut ends = [from, to];
    // Rows first, then columns.
    for axis in [1, 0] {
        let side = ends.map(|end| beyond(end, axis));
        if side[0] != 0 && side[0] == side[1] {
            return None;
        }
        if axis == 1 {
            let across = ends.map(|end| beyond(end, 0));
            if across[0] != 0 && across[0] == across[1] {
                return None;
            }
        }
        for end in 0..2 {
            if side[end] != 0 {
                let [here, there] = [ends[end], ends[1 - end]];
                let edge = if side[end] < 0 { 0 } else { last[axis] };
                let part = (edge - here[axis]) as f64 * (there[1 - axis] - here[1 - axis]) as f64;
                let moved = crate::round::towards_zero(part / (there[axis] - here[axis]) as f64);
                ends[end][1 - axis] += moved;
                ends[end][axis] = edge;
            }
        }
    }
    let inside = ends.iter().all(|end| beyond(*end, 0) == 0 && beyond(*end, 1) == 0);
    inside.then_some(ends)
}
