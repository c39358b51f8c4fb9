//! Training pictures that grow while a stage goes on.

use kiln_optim_schedules::{Span, Timeline};
use serde::{Deserialize, Serialize};

/// The `progressive_resize` of a stage: small pictures first, the stage's `size` at the end. Validation is always at the
/// stage's `size`.
///
/// # Formula
/// In an epoch that begins at step `s`, the side is `from + (size - from) min(1, s / until)`, rounded to a multiple of
/// `multiple_of`; from `until` on it is `size` itself.
///
/// # Parity
/// FFCV's ImageNet recipe, `get_resolution` with a ramp from the beginning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgressiveResize {
    /// The first side before rounding, in pixels, at least 1 and below the stage's size.
    pub from: u32,
    /// When the full size is reached.
    #[serde(default = "three_quarters")]
    pub until: Span,
    /// What sides are multiples of, at least 1.
    #[serde(default = "thirty_two")]
    pub multiple_of: u32,
}

fn three_quarters() -> Span {
    Span::Fraction(0.75)
}

fn thirty_two() -> u32 {
    32
}

impl ProgressiveResize {
    /// What can be known without the stage's length.
    pub(crate) fn validate(&self, size: u32) -> Result<(), (&'static str, String)> {
        if self.from == 0 || self.from >= size {
            return Err(("from", format!("must be at least 1 and below the size of {size} px")));
        }
        if self.multiple_of == 0 || self.multiple_of > size {
            return Err(("multiple_of", format!("must be from 1 to the size of {size} px")));
        }
        Ok(())
    }

    /// The side of training pictures in each of `epochs` epochs, up to `size`.
    ///
    /// # Errors
    /// The field and what is wrong with it.
    pub(crate) fn sides(
        &self,
        size: u32,
        epochs: u64,
        timeline: Timeline,
    ) -> Result<Vec<u32>, (&'static str, String)> {
        self.validate(size)?;
        let Self { from, until, multiple_of } = *self;
        let until = until.steps(timeline).map_err(|error| ("until", error.to_string()))?;
        let side = |epoch: u64| {
            let step = epoch * timeline.steps_per_epoch;
            if step >= until {
                return size;
            }
            // In whole numbers: `from + (size - from) * step / until` over the multiple, rounded half up.
            let (from, size, of) = (u64::from(from), u64::from(size), u64::from(multiple_of));
            let numerator = from * until + (size - from) * step;
            let multiples = (2 * numerator + of * until) / (2 * of * until);
            u32::try_from((multiples * of).clamp(of, size)).unwrap_or(u32::MAX)
        };
        Ok((0..epochs).map(side).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::ProgressiveResize;
    use kiln_optim_schedules::{Span, Timeline};

    #[test]
    fn sides_rise_in_multiples_and_end_at_the_size() {
        let sides = |from, multiple_of, size| {
            let until = Span::Epochs(6.0);
            let timeline = Timeline { steps_per_epoch: 10, total_steps: 80 };
            ProgressiveResize { from, until, multiple_of }.sides(size, 8, timeline)
        };
        // 128, 144, 160, 176, 192, 208, then 224.
        assert_eq!(sides(128, 32, 224).unwrap(), [128, 160, 160, 192, 192, 224, 224, 224]);
        assert_eq!(sides(128, 16, 224).unwrap(), [128, 144, 160, 176, 192, 208, 224, 224]);
        // The size itself need not be a multiple.
        assert_eq!(sides(40, 32, 100).unwrap(), [32, 64, 64, 64, 96, 96, 100, 100]);
        assert_eq!(sides(224, 32, 224).unwrap_err().0, "from");
        assert_eq!(sides(128, 0, 224).unwrap_err().0, "multiple_of");
    }
}
