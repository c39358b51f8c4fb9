//! Random bits that are a function of a seed and a place.

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014: 64 mixed bits for each number.
#[inline]
pub(crate) const fn splitmix64(place: u64) -> u64 {
    let z = place.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Fills `bytes` with those of `splitmix64(place)`, `splitmix64(place + 1)` and so on, the lowest first, and gives the
/// place after the last one that was used.
pub(crate) fn fill_bytes(place: u64, bytes: &mut [u8]) -> u64 {
    let mut place = place;
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = splitmix64(place).to_le_bytes();
        place = place.wrapping_add(1);
    }
    if !rest.is_empty() {
        rest.copy_from_slice(&splitmix64(place).to_le_bytes()[..rest.len()]);
        place = place.wrapping_add(1);
    }
    place
}
