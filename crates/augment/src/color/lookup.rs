//! Replacing every level by the entry of a table.
//!
//! This is the crate's one module with `unsafe`: on processors with AVX-512 VBMI a vector instruction looks 64 levels up
//! in half a table at once, which is several times faster than one level at a time; no safe wrapper has it.
#![allow(unsafe_code, reason = "see above; every use says why it is sound")]

/// `level` becomes `table[level]`.
pub(crate) fn look_up(levels: &mut [u8], table: &[u8; 256]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512vbmi") && is_x86_feature_detected!("avx512bw") {
        // SAFETY: the processor has what the function needs.
        unsafe { vectors::look_up(levels, [table; 3]) };
        return;
    }
    for level in levels {
        *level = table[usize::from(*level)];
    }
}

/// Level `c` of each pixel becomes `tables[c][level]`.
pub(crate) fn look_up_channels(pixels: &mut [[u8; 3]], tables: &[[u8; 256]; 3]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512vbmi") && is_x86_feature_detected!("avx512bw") {
        // SAFETY: the processor has what the function needs.
        unsafe { vectors::look_up(pixels.as_flattened_mut(), tables.each_ref()) };
        return;
    }
    for [red, green, blue] in pixels {
        *red = tables[0][usize::from(*red)];
        *green = tables[1][usize::from(*green)];
        *blue = tables[2][usize::from(*blue)];
    }
}

#[cfg(target_arch = "x86_64")]
mod vectors {
    use std::arch::x86_64::{
        __m512i, _mm512_loadu_si512, _mm512_mask_blend_epi8, _mm512_movepi8_mask,
        _mm512_permutex2var_epi8, _mm512_storeu_si512,
    };

    /// Bytes after which the channels come again at the start of a vector.
    const GROUP: usize = 192;

    /// The bits of a vector that starts with channel `first` and hold channel `channel`.
    const fn bits(first: usize, channel: usize) -> u64 {
        let (mut bits, mut i) = (0, 0);
        while i < 64 {
            if (first + i) % 3 == channel {
                bits |= 1 << i;
            }
            i += 1;
        }
        bits
    }

    /// Byte `i` becomes `tables[i % 3][byte]`.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    pub(super) fn look_up(levels: &mut [u8], tables: [&[u8; 256]; 3]) {
        let same = tables[0] == tables[1] && tables[0] == tables[2];
        let quarters = tables.map(|table| {
            // SAFETY: 64 bytes are read from 256 at 0, 64, 128 and 192.
            [0, 64, 128, 192].map(|at| unsafe { _mm512_loadu_si512(table.as_ptr().add(at).cast()) })
        });
        let (groups, rest) = levels.as_chunks_mut::<GROUP>();
        for group in groups {
            for (part, vector) in group.as_chunks_mut::<64>().0.iter_mut().enumerate() {
                // SAFETY: 64 bytes are read from 64.
                let levels = unsafe { _mm512_loadu_si512(vector.as_ptr().cast()) };
                let mut found = choose(levels, &quarters[0]);
                if !same {
                    // A group starts with the first channel, its second vector with the second (64 = 3 * 21 + 1).
                    let [green, blue] = [
                        [bits(0, 1), bits(1, 1), bits(2, 1)],
                        [bits(0, 2), bits(1, 2), bits(2, 2)],
                    ];
                    let second = choose(levels, &quarters[1]);
                    let third = choose(levels, &quarters[2]);
                    found = _mm512_mask_blend_epi8(green[part], found, second);
                    found = _mm512_mask_blend_epi8(blue[part], found, third);
                }
                // SAFETY: 64 bytes are written to 64.
                unsafe { _mm512_storeu_si512(vector.as_mut_ptr().cast(), found) };
            }
        }
        for (i, level) in rest.iter_mut().enumerate() {
            *level = tables[i % 3][usize::from(*level)];
        }
    }

    /// Each of 64 levels by a table in four vectors.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn choose(levels: __m512i, [first, second, third, fourth]: &[__m512i; 4]) -> __m512i {
        let low = _mm512_permutex2var_epi8(*first, levels, *second);
        let high = _mm512_permutex2var_epi8(*third, levels, *fourth);
        _mm512_mask_blend_epi8(_mm512_movepi8_mask(levels), low, high)
    }
}

#[cfg(test)]
mod tests {
    use super::{look_up, look_up_channels};

    #[test]
    fn every_level_is_found_in_every_channel_and_place() {
        let tables: [[u8; 256]; 3] = [7_u8, 31, 77].map(|factor| {
            std::array::from_fn(|level| {
                u8::try_from(level).expect("256 entries").wrapping_mul(factor).wrapping_add(factor)
            })
        });
        for len in [0, 1, 63, 64, 65, 1000] {
            let bytes: Vec<u8> =
                (0..len * 3).map(|i| (i * 11 % 256_usize).to_le_bytes()[0]).collect();
            let mut found = bytes.clone();
            look_up(&mut found, &tables[0]);
            let expect: Vec<u8> = bytes.iter().map(|&b| tables[0][usize::from(b)]).collect();
            assert_eq!(found, expect, "{len} pixels");
            let mut found = bytes.clone();
            look_up_channels(found.as_chunks_mut::<3>().0, &tables);
            let expect: Vec<u8> =
                bytes.iter().enumerate().map(|(i, &b)| tables[i % 3][usize::from(b)]).collect();
            assert_eq!(found, expect, "{len} pixels, three tables");
        }
    }
}
