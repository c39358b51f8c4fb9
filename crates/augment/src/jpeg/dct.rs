//! The cosine transform in integers: libjpeg's accurate one (Loeffler, Ligtenberg and Moschytz, "Practical fast 1-D DCT
//! algorithms with 11 multiplications", 1989).
//!
//! Each function makes one pass along the columns of a strip of eight rows. Constants have 13 bits of fraction, and
//! between the two passes values keep 2 bits.

const FRACTION: u32 = 13;
const BETWEEN: u32 = 2;
/// Columns computed at once.
const LANES: usize = 64;

type Vector = [i32; LANES];

/// The first pass forward.
#[inline(always)]
pub(crate) fn forward_first(strip: &mut [i16], stride: usize) {
    each::<ForwardFirst>(strip, stride);
}

/// The second pass forward, whose results are eight times as large as they should be.
#[inline(always)]
pub(crate) fn forward_second(strip: &mut [i16], stride: usize) {
    each::<ForwardSecond>(strip, stride);
}

/// The first pass back.
#[inline(always)]
pub(crate) fn inverse_first(strip: &mut [i16], stride: usize) {
    each::<Inverse<{ FRACTION - BETWEEN }>>(strip, stride);
}

/// The second pass back.
#[inline(always)]
pub(crate) fn inverse_second(strip: &mut [i16], stride: usize) {
    each::<Inverse<{ FRACTION + BETWEEN + 3 }>>(strip, stride);
}

/// A transform of eight rows. A trait, because a closure as long as this is not inlined and then not compiled for the
/// processor's vectors.
trait Pass {
    #[allow(clippy::large_types_passed_by_value, reason = "inlined, so that nothing is passed")]
    fn of(x: [Vector; 8]) -> [Vector; 8];
}

struct ForwardFirst;

impl Pass for ForwardFirst {
    #[inline(always)]
    fn of(x: [Vector; 8]) -> [Vector; 8] {
        // Sums are exact: only the bits between the passes are added.
        let Sums { exact, scaled } = forward(x);
        merge(
            exact.map(|sum| map(sum, |s| s << BETWEEN)),
            scaled.map(descale::<{ FRACTION - BETWEEN }>),
        )
    }
}

struct ForwardSecond;

impl Pass for ForwardSecond {
    #[inline(always)]
    fn of(x: [Vector; 8]) -> [Vector; 8] {
        let Sums { exact, scaled } = forward(x);
        merge(exact.map(descale::<BETWEEN>), scaled.map(descale::<{ FRACTION + BETWEEN }>))
    }
}

struct Inverse<const BITS: u32>;

impl<const BITS: u32> Pass for Inverse<BITS> {
    #[inline(always)]
    fn of(x: [Vector; 8]) -> [Vector; 8] {
        inverse::<BITS>(x)
    }
}

#[inline(always)]
fn each<P: Pass>(strip: &mut [i16], stride: usize) {
    let mut rows = strip.chunks_exact_mut(stride).map(|row| row.as_chunks_mut::<LANES>().0);
    let rows: [&mut [[i16; LANES]]; 8] = std::array::from_fn(|_| rows.next().unwrap_or_default());
    let [r0, r1, r2, r3, r4, r5, r6, r7] = rows;
    let rows = r0.iter_mut().zip(r1).zip(r2).zip(r3).zip(r4).zip(r5).zip(r6).zip(r7);
    for (((((((r0, r1), r2), r3), r4), r5), r6), r7) in rows {
        let rows = [r0, r1, r2, r3, r4, r5, r6, r7];
        let mut x = [[0; LANES]; 8];
        for row in 0..8 {
            for lane in 0..LANES {
                x[row][lane] = i32::from(rows[row][lane]);
            }
        }
        let y = P::of(x);
        for (row, y) in rows.into_iter().zip(y) {
            for lane in 0..LANES {
                row[lane] = saturate(y[lane]);
            }
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "clamped before")]
#[inline(always)]
fn saturate(value: i32) -> i16 {
    value.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

#[inline(always)]
fn map(mut a: Vector, f: impl Fn(i32) -> i32) -> Vector {
    for a in &mut a {
        *a = f(*a);
    }
    a
}

#[inline(always)]
fn add(mut a: Vector, b: Vector) -> Vector {
    for (a, b) in a.iter_mut().zip(b) {
        *a = a.wrapping_add(b);
    }
    a
}

#[inline(always)]
fn sub(mut a: Vector, b: Vector) -> Vector {
    for (a, b) in a.iter_mut().zip(b) {
        *a = a.wrapping_sub(b);
    }
    a
}

#[inline(always)]
fn mul(a: Vector, factor: i32) -> Vector {
    map(a, |a| a.wrapping_mul(factor))
}

/// Drops bits of the fraction, rounding to the nearest and up when two are equally near.
#[inline(always)]
fn descale<const BITS: u32>(a: Vector) -> Vector {
    map(a, |a| a.wrapping_add(1 << (BITS - 1)) >> BITS)
}

/// Results of a pass forward: those of rows 0 and 4, and those of the others with 13 bits of fraction.
struct Sums {
    exact: [Vector; 2],
    scaled: [Vector; 6],
}

#[inline(always)]
fn merge([r0, r4]: [Vector; 2], [r1, r2, r3, r5, r6, r7]: [Vector; 6]) -> [Vector; 8] {
    [r0, r1, r2, r3, r4, r5, r6, r7]
}

#[inline(always)]
fn forward(x: [Vector; 8]) -> Sums {
    let [s0, s1, s2, s3] = [0, 1, 2, 3].map(|i| add(x[i], x[7 - i]));
    let [d3, d2, d1, d0] = [3, 2, 1, 0].map(|i| sub(x[i], x[7 - i]));
    let (even0, even3) = (add(s0, s3), sub(s0, s3));
    let (even1, even2) = (add(s1, s2), sub(s1, s2));
    let turn = mul(add(even2, even3), 4_433);
    let [o0, o1, o2, o3] = odd([d3, d2, d1, d0]);
    let (second, sixth) = (add(turn, mul(even3, 6_270)), sub(turn, mul(even2, 15_137)));
    Sums { exact: [add(even0, even1), sub(even0, even1)], scaled: [o3, second, o2, o1, sixth, o0] }
}

#[inline(always)]
fn inverse<const BITS: u32>(x: [Vector; 8]) -> [Vector; 8] {
    let turn = mul(add(x[2], x[6]), 4_433);
    let (a, b) = (sub(turn, mul(x[6], 15_137)), add(turn, mul(x[2], 6_270)));
    let sum = map(add(x[0], x[4]), |s| s << FRACTION);
    let difference = map(sub(x[0], x[4]), |s| s << FRACTION);
    let even = [add(sum, b), add(difference, a), sub(difference, a), sub(sum, b)];
    let [o0, o1, o2, o3] = odd([x[7], x[5], x[3], x[1]]);
    let odd = [o3, o2, o1, o0];
    let mut y = [[0; LANES]; 8];
    for i in 0..4 {
        y[i] = descale::<BITS>(add(even[i], odd[i]));
        y[7 - i] = descale::<BITS>(sub(even[i], odd[i]));
    }
    y
}

/// The odd half, which is the same in both directions.
#[inline(always)]
fn odd([a, b, c, d]: [Vector; 4]) -> [Vector; 4] {
    let (z3, z4) = (add(a, c), add(b, d));
    let z5 = mul(add(z3, z4), 9_633);
    let (z1, z2) = (mul(add(a, d), -7_373), mul(add(b, c), -20_995));
    let (z3, z4) = (add(mul(z3, -16_069), z5), add(mul(z4, -3_196), z5));
    [
        add(mul(a, 2_446), add(z1, z3)),
        add(mul(b, 16_819), add(z2, z4)),
        add(mul(c, 25_172), add(z2, z3)),
        add(mul(d, 12_299), add(z1, z4)),
    ]
}
