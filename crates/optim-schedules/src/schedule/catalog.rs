//! Every schedule by the name that a configuration uses.
//!
//! A new schedule is one file and two lines: a `mod` line in the folder's `mod.rs` and a row of the table here.

use super::constant::Constant;
use super::cosine_annealing::CosineAnnealing;
use super::cosine_warm_restarts::CosineWarmRestarts;
use super::cyclic::Cyclic;
use super::exponential::Exponential;
use super::flat_then_decay::{FlatCosine, WarmupStableDecay};
use super::one_cycle::OneCycle;
use super::piecewise::Piecewise;
use super::plateau::Plateau;
use super::polynomial::Polynomial;
use super::sequence::Sequence;
use super::step::{MultiStep, Step};
use crate::error::Error;
use crate::span::Timeline;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What one optimizer step uses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Learning rate.
    pub lr: f64,
    /// Replaces SGD's momentum or Adam's first beta for this step, where the schedule cycles it.
    pub momentum: Option<f64>,
}

/// The rates of every step.
pub trait Schedule: fmt::Debug + Send + Sync {
    /// The rates of optimizer step `step`, counted from 0 at the stage's start.
    fn at(&self, step: u64) -> Rates;
}

/// Writes [`ScheduleSpec`]: `Variant(Settings);`. The variant in snake case is the name in TOML.
macro_rules! schedules {
    ($($(#[$doc:meta])* $variant:ident($spec:ty);)*) => {
        /// The `schedule` of a stage: `type` and the settings of that type.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "type", rename_all = "snake_case")]
        pub enum ScheduleSpec {
            $($(#[$doc])* $variant($spec),)*
        }

        impl ScheduleSpec {
            /// The schedule over a stage.
            ///
            /// # Errors
            /// [`Error::OutOfRange`] naming the setting.
            pub fn build(&self, timeline: Timeline) -> Result<Box<dyn Schedule>, Error> {
                match self {
                    $(Self::$variant(spec) => spec.build(timeline),)*
                }
            }
        }
    };
}

impl ScheduleSpec {
    /// The setting that says how high the rates are; absent where several do.
    pub fn rate_setting(&self) -> Option<&'static str> {
        match self {
            Self::OneCycle(_) | Self::Cyclic(_) => Some("max_lr"),
            Self::Piecewise(_) | Self::Sequence(_) => None,
            _ => Some("lr"),
        }
    }

    /// The one with a state, whose [`build`](Self::build) gives its first rate throughout.
    pub fn as_plateau(&self) -> Option<&Plateau> {
        match self {
            Self::Plateau(plateau) => Some(plateau),
            _ => None,
        }
    }
}

schedules! {
    /// The same rate throughout.
    Constant(Constant);
    /// Down in equal steps.
    Step(Step);
    /// Down at chosen places.
    MultiStep(MultiStep);
    /// Down by the same factor again and again.
    Exponential(Exponential);
    /// Down to 0 along a power.
    Polynomial(Polynomial);
    /// Down along half a cosine.
    CosineAnnealing(CosineAnnealing);
    /// Cosines that begin anew.
    CosineWarmRestarts(CosineWarmRestarts);
    /// Up and down once.
    OneCycle(OneCycle);
    /// Up and down again and again.
    Cyclic(Cyclic);
    /// Level, then down along half a cosine.
    FlatCosine(FlatCosine);
    /// Level, then down over the last part.
    WarmupStableDecay(WarmupStableDecay);
    /// Straight lines between points.
    Piecewise(Piecewise);
    /// Down when a measure stops improving.
    Plateau(Plateau);
    /// One schedule after the other.
    Sequence(Sequence);
}
