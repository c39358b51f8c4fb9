//! The functions that follow a normalisation, and their slopes, on whole vectors.

use pulp::Simd;

/// What follows a normalisation and the sum behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// Nothing.
    #[default]
    None,
    /// `max(z, 0)`; NaN stays.
    Relu,
    /// `z * sigmoid(z)` (Elfwing et al. 2018), also called swish.
    Silu,
}

/// A function of one value, compiled into the passes that apply it.
pub(crate) trait Function: Copy + Send + Sync {
    /// `f(z)`.
    fn apply<S: Simd>(self, simd: S, z: S::f32s) -> S::f32s;
    /// `d * f'(z)`.
    fn slope<S: Simd>(self, simd: S, z: S::f32s, d: S::f32s) -> S::f32s;
}

/// Runs `$body` with `$function` standing for the run-time `$activation`.
macro_rules! with_function {
    ($activation:expr, $function:ident => $body:expr) => {
        match $activation {
            $crate::activation::Activation::None => {
                let $function = $crate::activation::Identity;
                $body
            }
            $crate::activation::Activation::Relu => {
                let $function = $crate::activation::Relu;
                $body
            }
            $crate::activation::Activation::Silu => {
                let $function = $crate::activation::Silu;
                $body
            }
        }
    };
}
pub(crate) use with_function;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity;

impl Function for Identity {
    #[inline(always)]
    fn apply<S: Simd>(self, _: S, z: S::f32s) -> S::f32s {
        z
    }

    #[inline(always)]
    fn slope<S: Simd>(self, _: S, _: S::f32s, d: S::f32s) -> S::f32s {
        d
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Relu;

impl Function for Relu {
    /// A comparison that NaN fails, so that it stays, as in PyTorch and Burn.
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, z: S::f32s) -> S::f32s {
        let zero = simd.splat_f32s(0.0);
        simd.select_f32s(simd.less_than_f32s(z, zero), zero, z)
    }

    #[inline(always)]
    fn slope<S: Simd>(self, simd: S, z: S::f32s, d: S::f32s) -> S::f32s {
        let zero = simd.splat_f32s(0.0);
        simd.select_f32s(simd.less_than_or_equal_f32s(z, zero), zero, d)
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Silu;

impl Function for Silu {
    #[inline(always)]
    fn apply<S: Simd>(self, simd: S, z: S::f32s) -> S::f32s {
        simd.div_f32s(z, one_and_exp_of_minus(simd, z))
    }

    /// `s * (1 + z * (1 - s))` with `s = sigmoid(z)`.
    #[inline(always)]
    fn slope<S: Simd>(self, simd: S, z: S::f32s, d: S::f32s) -> S::f32s {
        let one = simd.splat_f32s(1.0);
        let s = simd.div_f32s(one, one_and_exp_of_minus(simd, z));
        let rest = simd.mul_add_e_f32s(z, simd.sub_f32s(one, s), one);
        simd.mul_f32s(d, simd.mul_f32s(s, rest))
    }
}

/// `1 + exp(-z)`, where `exp` is cut off at `exp(88)`, near the largest f32; relative error about 1e-7.
#[inline(always)]
fn one_and_exp_of_minus<S: Simd>(simd: S, z: S::f32s) -> S::f32s {
    /// 1.5 * 2^23: adding it rounds to a whole number, which then stands in the lowest bits.
    const TO_WHOLE: f32 = 12_582_912.0;
    /// `ln 2` in two parts, so that a whole number times the first is exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    /// Taylor's series from the highest power down: `1 / 7!` to `1`. What follows is below 6e-9 of `exp`.
    const FACTORS: [f32; 8] =
        [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 1.0 / 2.0, 1.0, 1.0];
    let splat = |value: f32| simd.splat_f32s(value);
    // The order of the operands hands NaN on.
    let x = simd.sub_f32s(splat(0.0), z);
    let x = simd.select_f32s(simd.greater_than_f32s(x, splat(88.0)), splat(88.0), x);
    let x = simd.select_f32s(simd.less_than_f32s(x, splat(-87.0)), splat(-87.0), x);
    let shifted = simd.mul_add_e_f32s(x, splat(std::f32::consts::LOG2_E), splat(TO_WHOLE));
    let whole = simd.sub_f32s(shifted, splat(TO_WHOLE));
    let rest = simd.negate_mul_add_e_f32s(whole, splat(LN_2[0]), x);
    let rest = simd.negate_mul_add_e_f32s(whole, splat(LN_2[1]), rest);
    let mut series = splat(FACTORS[0]);
    for factor in &FACTORS[1..] {
        series = simd.mul_add_e_f32s(series, rest, splat(*factor));
    }
    // The whole number, moved to where f32 has its exponent, plus that of 1.
    let bits = simd.transmute_u32s_f32s(shifted);
    let exponent = simd.wrapping_dyn_shl_u32s(bits, simd.splat_u32s(23));
    let power = simd.add_u32s(exponent, simd.splat_u32s(0x3f80_0000));
    simd.mul_add_e_f32s(series, simd.transmute_f32s_u32s(power), splat(1.0))
}
