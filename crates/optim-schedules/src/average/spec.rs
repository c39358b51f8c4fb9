//! The kinds of averages by the names that a configuration uses.

use super::averaged::Pace;
use crate::error::{Error, check};
use crate::span::{Span, Timeline};
use serde::{Deserialize, Serialize};

/// The `average` of a stage: `type` and the settings of that type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AverageSpec {
    /// An average in which old weights fade.
    Ema(Ema),
    /// The plain mean over the last part of the stage.
    Swa(Swa),
}

/// Exponential moving average of all weights, batch norm's statistics included.
///
/// # Formula
/// `average += (1 - d) (weights - average)` with `d = decay`, or, with `warmup`, the lower one of it and
/// `1 - (1 + n)^(-2/3)` at update `n`, from 0. The first update takes the weights as they are.
///
/// # Parity
/// timm's `ModelEmaV3`, with `use_warmup` and its default gamma and power.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ema {
    /// Part of the average that an update keeps, at least 0 and below 1.
    pub decay: f64,
    /// Whether the first updates keep less.
    pub warmup: bool,
    /// The span between two updates.
    pub every: Span,
}

impl Default for Ema {
    fn default() -> Self {
        Self { decay: 0.9999, warmup: true, every: Span::Steps(1) }
    }
}

/// Stochastic weight averaging (Izmailov et al., 2018): the mean of the weights at even distances, after which batch norm's
/// statistics are computed anew.
///
/// # Parity
/// `torch.optim.swa_utils.AveragedModel` with `get_swa_avg_fn`, and `update_bn`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Swa {
    /// Where in the stage it begins.
    pub start: Span,
    /// The span between two weights that are averaged, the first one at the end of the first such span.
    pub every: Span,
}

impl Default for Swa {
    fn default() -> Self {
        Self { start: Span::Fraction(0.75), every: Span::Epochs(1.0) }
    }
}

impl AverageSpec {
    /// What can be known without the stage's length.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] naming the setting.
    pub fn validate(&self) -> Result<(), Error> {
        match self {
            Self::Ema(Ema { decay, .. }) => {
                check((0.0..1.0).contains(decay), "decay", "at least 0 and below 1", decay)
            }
            Self::Swa(_) => Ok(()),
        }
    }

    /// When and how the average of a stage follows its weights.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] naming the setting.
    pub fn build(&self, timeline: Timeline) -> Result<Pace, Error> {
        self.validate()?;
        let total = timeline.total_steps;
        let steps_of = |every: Span| {
            let every = every.steps(timeline)?;
            let found = format_args!("{every} of {total} steps");
            check((1..=total).contains(&every), "every", "from one step to the stage", found)?;
            Ok(every)
        };
        match self {
            Self::Ema(Ema { decay, warmup, every }) => {
                Ok(Pace::Fading { decay: *decay, warmup: *warmup, every: steps_of(*every)? })
            }
            Self::Swa(Swa { start, every }) => {
                let (start, every) = (start.steps(timeline)?, steps_of(*every)?);
                let fits = start.saturating_add(every) <= timeline.total_steps;
                let found = format_args!("{start} + {every} of {} steps", timeline.total_steps);
                check(fits, "start", "one span of `every` before the stage's end", found)?;
                Ok(Pace::Even { start, every })
            }
        }
    }
}
