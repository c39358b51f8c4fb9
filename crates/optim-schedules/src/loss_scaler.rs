//! Keeping small gradients above what 16-bit floats can hold.

use serde::{Deserialize, Serialize};

/// Dynamic loss scaling (Micikevicius et al., "Mixed Precision Training", 2018): the loss is multiplied before the backward
/// pass and the gradients are divided after it. A step that overflows is left out and the scale halved; after
/// 2000 good ones in a row it is doubled.
///
/// # Parity
/// `torch.amp.GradScaler` with its defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LossScaler {
    scale: f64,
    good_steps: u32,
}

/// Good steps after which the scale doubles.
const GROWTH_INTERVAL: u32 = 2000;

impl Default for LossScaler {
    fn default() -> Self {
        Self { scale: 65_536.0, good_steps: 0 }
    }
}

impl LossScaler {
    /// What the loss is multiplied by.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// Takes in how a step's gradients came out.
    pub fn after_step(&mut self, finite: bool) {
        if !finite {
            self.scale /= 2.0;
            self.good_steps = 0;
            return;
        }
        self.good_steps += 1;
        if self.good_steps == GROWTH_INTERVAL {
            self.scale *= 2.0;
            self.good_steps = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LossScaler;

    #[test]
    fn overflows_halve_and_two_thousand_good_steps_double() {
        let mut scaler = LossScaler::default();
        let mut run = |finite: bool, steps: u32| {
            (0..steps).for_each(|_| scaler.after_step(finite));
            scaler.scale()
        };
        // As `torch.amp.GradScaler` goes through the same steps.
        assert_eq!(run(false, 2), 16_384.0);
        assert_eq!(run(true, 1999), 16_384.0);
        assert_eq!(run(false, 1), 8192.0);
        assert_eq!(run(true, 1999), 8192.0);
        assert_eq!(run(true, 1), 16_384.0);
        assert_eq!(run(true, 2000), 32_768.0);
    }
}
