//! Where randomness comes from: a key that *is* the place of the draw, and the few samplers built on it.
//!
//! The 256-bit key of `ChaCha8` is `seed | domain | epoch | index`, 64 bits each, and the stream number is
//! the op's position in the pipeline. Nothing is hashed, so no two places collide; nothing is stored, so
//! a resumed run draws what the uninterrupted run would have drawn.
//!
//! The samplers are our own because those of general libraries may change between releases. Their first
//! values are pinned by a test.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a random draw is for. Two domains never share a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u64)]
pub enum Domain {
    /// Augmentation of one training picture; the index is the picture's.
    Augment = 1,
    /// The order of samples in one epoch.
    Order = 2,
    /// Choosing a subset of each class; the index is the class.
    Subset = 3,
    /// Splitting a folder into training and validation; the index is the class.
    Split = 4,
    /// Rendering of generated pictures; the index is the picture's.
    Synth = 5,
    /// Initial values of parameters; the index is a parameter's fingerprint.
    Init = 6,
    /// Dropout masks; the epoch is the optimizer step since the run began and the index the micro-batch in it.
    Dropout = 7,
    /// Mixing of the pictures of a batch; epoch and index are those of dropout.
    Mix = 8,
}

/// The place of a random draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RandomKey {
    /// The experiment's seed.
    pub seed: u64,
    /// What the draw is for.
    pub domain: Domain,
    /// The epoch, from 0.
    pub epoch: u64,
    /// The sample, class or step that the draw belongs to.
    pub index: u64,
}

impl RandomKey {
    /// The generator of this place, for the op at `position` of a pipeline (0 elsewhere).
    pub fn rng(self, position: u64) -> OpRng {
        let mut key = [0_u8; 32];
        for (part, value) in
            key.chunks_exact_mut(8).zip([self.seed, self.domain as u64, self.epoch, self.index])
        {
            part.copy_from_slice(&value.to_le_bytes());
        }
        let mut inner = ChaCha8Rng::from_seed(key);
        inner.set_stream(position);
        OpRng { inner }
    }
}

/// The random numbers of one op on one sample.
#[derive(Debug, Clone)]
pub struct OpRng {
    inner: ChaCha8Rng,
}

impl OpRng {
    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.inner.next_u64()
    }

    /// Uniform in `[0, 1)`, a multiple of 2^-53.
    pub fn unit(&mut self) -> f64 {
        const SCALE: f64 = 1.0 / (1_u64 << 53) as f64;
        (self.bits() >> 11) as f64 * SCALE
    }

    /// Uniform in `[low, high)`; `low` when the two are equal.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// True with probability `p`. Always uses one draw, so that later draws do not depend on `p`.
    pub fn bernoulli(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Uniform among `0, 1, ..., bound - 1`, without bias (Lemire, "Fast random integer generation in an
    /// interval", 2019); 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.bits()) * u128::from(bound);
            #[allow(clippy::cast_possible_truncation, reason = "the low half is what is compared")]
            if product as u64 >= threshold {
                #[allow(
                    clippy::cast_possible_truncation,
                    reason = "the high half is below `bound`"
                )]
                return (product >> 64) as u64;
            }
        }
    }

    /// Uniform among `low, low + 1, ..., high`; `low` when `high` is below it.
    pub(crate) fn integer(&mut self, low: u32, high: u32) -> u32 {
        let choices = u64::from(high.saturating_sub(low)) + 1;
        low.saturating_add(u32::try_from(self.below(choices)).unwrap_or(0))
    }

    /// Standard normal (Box and Muller, 1958); uses two draws.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// `Beta(alpha, alpha)` for `alpha` above 0: symmetric about 0.5, and the nearer to 0 and 1 the smaller `alpha` is.
    /// Jöhnk (1964) up to 1; above, the ratio of two gamma variates.
    pub fn beta(&mut self, alpha: f64) -> f64 {
        if alpha > 1.0 {
            let (first, second) = (self.gamma(alpha), self.gamma(alpha));
            return first / (first + second);
        }
        loop {
            // Powers as logarithms, which do not underflow for small `alpha`.
            let first = (1.0 - self.unit()).ln() / alpha;
            let second = (1.0 - self.unit()).ln() / alpha;
            let largest = first.max(second);
            let sum = largest + ((first - largest).exp() + (second - largest).exp()).ln();
            if sum <= 0.0 {
                return (first - sum).exp();
            }
        }
    }

    /// `count` weights that sum to 1, from the symmetric Dirichlet distribution of concentration `alpha` above 0.
    pub fn dirichlet(&mut self, alpha: f64, count: u32) -> Vec<f64> {
        // As logarithms, of which the largest becomes 1: gamma variates of a small shape underflow.
        let logarithms: Vec<f64> = (0..count)
            .map(|_| {
                let boosted = self.gamma(alpha + 1.0);
                boosted.ln() + (1.0 - self.unit()).ln() / alpha
            })
            .collect();
        let largest = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let variates: Vec<f64> = logarithms.iter().map(|log| (log - largest).exp()).collect();
        let total: f64 = variates.iter().sum();
        variates.into_iter().map(|variate| variate / total).collect()
    }

    /// Gamma of scale 1 for a `shape` of at least 1 (Marsaglia and Tsang, "A simple method for generating gamma
    /// variables", 2000).
    fn gamma(&mut self, shape: f64) -> f64 {
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let normal = self.normal();
            let cube = (1.0 + c * normal).powi(3);
            let uniform = 1.0 - self.unit();
            if cube > 0.0 && uniform.ln() < 0.5 * normal * normal + d - d * cube + d * cube.ln() {
                return d * cube;
            }
        }
    }

    /// Puts `items` in random order (Fisher and Yates): every permutation is equally likely.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            #[allow(clippy::cast_possible_truncation, reason = "the draw is at most i, a usize")]
            items.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}
