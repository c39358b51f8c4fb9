//! Work on disjoint parts of one buffer, and memory that is kept between calls.

use rayon::prelude::*;
use std::cell::RefCell;
use std::ops::Range;

/// Cuts `units * unit` floats into parts of whole units at the given ranges, which follow one another, and runs
/// `work(index of the range, range, part)` on all of them in parallel.
pub(crate) fn for_each_part(
    buffer: &mut [f32],
    unit: usize,
    ranges: &[Range<usize>],
    work: impl Fn(usize, Range<usize>, &mut [f32]) + Sync,
) {
    let mut rest = buffer;
    let mut parts = Vec::with_capacity(ranges.len());
    for range in ranges {
        let (part, behind) = rest.split_at_mut(range.len() * unit);
        parts.push((range.clone(), part));
        rest = behind;
    }
    parts.into_par_iter().enumerate().for_each(|(index, (range, part))| work(index, range, part));
}

/// `count` units as consecutive ranges of at most `most`, at least one for each thread where there are as many.
pub(crate) fn ranges(count: usize, most: usize) -> Vec<Range<usize>> {
    let threads = rayon::current_num_threads();
    let each = most.min(count.div_ceil(threads)).max(1);
    crate::product::near_equal_parts(count, each).collect()
}

thread_local! {
    static SCRATCH: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// Runs `work` on `len` floats of any value, from memory that this thread keeps for the next call.
pub(crate) fn with_scratch<R>(len: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    let mut buffer = SCRATCH.with_borrow_mut(Vec::pop).unwrap_or_default();
    if buffer.len() < len {
        // Not `resize`, which would copy what nobody needs and hold both for a moment.
        drop(buffer);
        buffer = vec![0.0; len];
    }
    let result = work(&mut buffer[..len]);
    SCRATCH.with_borrow_mut(|kept| kept.push(buffer));
    result
}
