//! Sorting, merging and picking by minima and maxima alone, on many levels at once.
//!
//! What is sorted are lists of tiles: at each place of a tile by itself.

use super::border::BLOCK;

/// Levels side by side. All the tiles of a median fit into the nearest cache, and tiles of a list are not a power of two
/// apart, which a processor takes for the same place at first.
pub(super) const TILE: usize = 7 * BLOCK;

/// Some levels that are worked on alike. They begin where a cache line does: to read from two lines takes longer.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
#[repr(align(64))]
pub(super) struct Tile(pub(super) [u8; TILE]);

/// What is computed at once.
pub(super) type Lanes = [u8; BLOCK];

#[inline(always)]
pub(super) fn min(a: Lanes, b: Lanes) -> Lanes {
    let mut lanes = [0; BLOCK];
    for i in 0..BLOCK {
        lanes[i] = a[i].min(b[i]);
    }
    lanes
}

#[inline(always)]
pub(super) fn max(a: Lanes, b: Lanes) -> Lanes {
    let mut lanes = [0; BLOCK];
    for i in 0..BLOCK {
        lanes[i] = a[i].max(b[i]);
    }
    lanes
}

/// Puts the smaller of two levels first, at the first `len` places, whole blocks.
#[inline(always)]
fn exchange(list: &mut [Tile], i: usize, j: usize, len: usize) {
    let (low, high) = list.split_at_mut(j);
    let blocks = low[i].0[..len].as_chunks_mut::<BLOCK>().0.iter_mut();
    for (first, second) in blocks.zip(high[0].0[..len].as_chunks_mut::<BLOCK>().0) {
        (*first, *second) = (min(*first, *second), max(*first, *second));
    }
}

/// Sorts a short list, by insertion.
#[inline(always)]
pub(super) fn sort(list: &mut [Tile], len: usize) {
    for end in 1..list.len() {
        for i in (0..end).rev() {
            exchange(list, i, i + 1, len);
        }
    }
}

/// Sorts a list whose first `middle` tiles are sorted, and the others too.
///
/// This is Batcher's odd-even merge of two lists whose length is a power of two, of which only the end of the first and
/// the start of the second are there.
#[inline(always)]
pub(super) fn merge(list: &mut [Tile], middle: usize, len: usize) {
    let half = middle.max(list.len() - middle).next_power_of_two();
    let (there, missing) = (half - middle..half - middle + list.len(), half - middle);
    let mut apart = half;
    while apart > 0 {
        for start in (apart % half..2 * half - apart).step_by(2 * apart) {
            for i in start..start + apart {
                if there.contains(&i) && there.contains(&(i + apart)) {
                    exchange(list, i - missing, i - missing + apart, len);
                }
            }
        }
        apart /= 2;
    }
}

/// The levels of `rank`, counted from 0, among two sorted lists, the second of which has at most `rank` tiles.
///
/// If the levels up to the rank contain `count` of the second list, the others of them are of the first, and the one
/// sought is the larger of both lasts. With a wrong `count` one of these is larger.
#[inline(always)]
pub(super) fn ranked(rank: usize, first: &[Tile], second: &[Tile], len: usize) -> Tile {
    let mut found = first[rank];
    for (count, second) in (1..).zip(second) {
        let first = first[rank - count].0[..len].as_chunks::<BLOCK>().0;
        let blocks = found.0[..len].as_chunks_mut::<BLOCK>().0.iter_mut().zip(first);
        for ((found, first), second) in blocks.zip(second.0[..len].as_chunks::<BLOCK>().0) {
            *found = min(*found, max(*first, *second));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{TILE, Tile, merge, ranked, sort};

    /// A network that sorts all lists of zeros and ones sorts all lists: there are few such lists.
    #[test]
    fn zeros_and_ones_are_sorted() {
        for count in [5_usize, 7] {
            let mut list = vec![Tile([0; TILE]); count];
            for (bit, tile) in list.iter_mut().enumerate() {
                *tile = Tile(std::array::from_fn(|place| u8::from(place >> bit & 1 == 1)));
            }
            sort(&mut list, TILE);
            assert!((0..TILE).all(|place| list.is_sorted_by_key(|tile| tile.0[place])), "{count}");
        }
    }

    /// Two sorted lists of zeros and ones, at each place another pair of them; all pairs if asked for enough `parts`.
    fn sorted_lists(first: usize, second: usize, part: usize) -> (Vec<Tile>, Vec<Tile>) {
        let pair = move |place: usize| part * TILE + place;
        let ones = move |place| pair(place) % (first + 1);
        let others = move |place| pair(place) / (first + 1) % (second + 1);
        let list = (0..first)
            .rev()
            .map(|i| Tile(std::array::from_fn(|place| u8::from(i < ones(place)))))
            .collect();
        let other = (0..second)
            .rev()
            .map(|i| Tile(std::array::from_fn(|place| u8::from(i < others(place)))))
            .collect();
        (list, other)
    }

    #[test]
    fn sorted_lists_are_merged() {
        for (first, second) in [(5, 5), (10, 5), (7, 7), (14, 7), (14, 14)] {
            let (mut list, others) = sorted_lists(first, second, 0);
            list.extend(others);
            merge(&mut list, first, TILE);
            let sorted = (0..TILE).all(|place| list.is_sorted_by_key(|tile| tile.0[place]));
            assert!(sorted, "{first} and {second}");
        }
    }

    #[test]
    fn the_middle_of_two_sorted_lists_is_found() {
        for (first, second, part) in [(15, 10, 0), (28, 21, 0), (28, 21, 1)] {
            let (list, others) = sorted_lists(first, second, part);
            let middle = usize::midpoint(first, second);
            let found = ranked(middle, &list, &others, TILE);
            for place in 0..TILE {
                let all = list.iter().chain(&others);
                let mut all: Vec<u8> = all.map(|tile| tile.0[place]).collect();
                all.sort_unstable();
                assert_eq!(found.0[place], all[middle], "{first} and {second}");
            }
        }
    }
}
