//! The number generator that goldens and tests share with the Python scripts in this folder.
//!
//! Included by each crate's golden tests with `#[path]`, so that it exists once.

/// FNV-1a over the bytes of a name, 64 bits.
pub(crate) fn fnv1a64(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// `SplitMix64` of Steele, Lea and Flood, 2014, as a function of the counter.
pub(crate) fn splitmix64(counter: u64) -> u64 {
    let mut z = counter.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The first `count` elements of the tensor called `name`: uniform in `[-1, 1)`, exact in f32.
#[allow(dead_code, reason = "not every test that includes this file needs tensors")]
pub(crate) fn uniform(name: &str, count: usize) -> Vec<f64> {
    let start = fnv1a64(name);
    let element =
        |i| (splitmix64(start.wrapping_add(i)) >> 40) as f64 / f64::from(1 << 24) * 2.0 - 1.0;
    (0..count as u64).map(element).collect()
}
