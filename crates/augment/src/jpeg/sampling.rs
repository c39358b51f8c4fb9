//! Chroma at half the width and height, and back.

/// Two rows of chroma to one of half the width, which is even. A sum of four is rounded down and up by turns, so that
/// no bias arises.
#[inline(always)]
pub(crate) fn halve(upper: &[i16], lower: &[i16], half: &mut [i16]) {
    let (upper, lower) = (upper.as_chunks::<4>().0, lower.as_chunks::<4>().0);
    for ((half, a), b) in half.as_chunks_mut::<2>().0.iter_mut().zip(upper).zip(lower) {
        half[0] = (a[0] + a[1] + b[0] + b[1] + 1) >> 2;
        half[1] = (a[2] + a[3] + b[2] + b[3] + 2) >> 2;
    }
}

/// Three parts of `near` and one of `far`, times four.
#[inline(always)]
pub(crate) fn blend_rows(near: &[u8], far: &[u8], sums: &mut [u16]) {
    for ((sum, &near), &far) in sums.iter_mut().zip(near).zip(far) {
        *sum = 3 * u16::from(near) + u16::from(far);
    }
}

/// A row of blended chroma at twice the width. `sums` has a place before the first and one after the last sample, and
/// `double` twice as many places as there are samples.
#[inline(always)]
pub(crate) fn double_width(sums: &mut [u16], double: &mut [u8]) {
    let samples = double.len() / 2;
    // The outermost samples stand for what lies beyond: 4 a = 3 a + a.
    sums[0] = sums[1];
    sums[samples + 1] = sums[samples];
    let (left, centre, right) = (&sums[..samples], &sums[1..=samples], &sums[2..samples + 2]);
    for (((double, &left), &centre), &right) in
        double.as_chunks_mut::<2>().0.iter_mut().zip(left).zip(centre).zip(right)
    {
        let of = |far: u16, half: u16| ((3 * centre + far + half) >> 4).to_le_bytes()[0];
        *double = [of(left, 8), of(right, 7)];
    }
}
