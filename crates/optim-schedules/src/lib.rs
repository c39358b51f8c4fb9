//! Optimizers and schedules with PyTorch's semantics, for Burn.
//!
//! A [`Schedule`] is a pure function of the step; an [`Optimizer`] applies an update rule to every parameter that
//! has a gradient; an [`Averaged`] network follows the one that trains. Nothing here knows what is trained.
//!
//! ```
//! use kiln_optim_schedules::{ScheduleSpec, Timeline};
//!
//! let spec: ScheduleSpec = serde_json::from_str(r#"{ "type": "one_cycle", "max_lr": 3e-3 }"#)?;
//! let schedule = spec.build(Timeline { steps_per_epoch: 100, total_steps: 3000 })?;
//! assert!((schedule.at(0).lr - 3e-3 / 25.0).abs() < 1e-12);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod average;
mod clip;
mod error;
mod gradients;
mod l2_sp;
mod loss_scaler;
mod optimizer;
mod schedule;
mod span;

pub use average::{AverageSpec, Averaged, Ema, Pace, Swa};
pub use clip::AdaptiveClip;
pub use error::Error;
pub use gradients::Gradients;
pub use l2_sp::{Anchor, L2Sp};
pub use loss_scaler::LossScaler;
pub use optimizer::{
    Adam, AdamW, AdjustLr, Lamb, Lion, Muon, MuonRest, Optimizer, OptimizerSpec, ParameterGroup,
    RmsProp, RmsPropTf, SavedSlot, Sgd, Update, UpdateRule,
};
pub use schedule::{
    Anneal, Constant, CosineAnnealing, CosineWarmRestarts, Cyclic, CyclicMode, Decay, Exponential,
    FlatCosine, MultiStep, OneCycle, Part, Piecewise, Plateau, PlateauMode, PlateauState, Point,
    Polynomial, Rates, Schedule, ScheduleSpec, Sequence, Step, ThresholdMode, Warmup, WarmupCurve,
    WarmupStableDecay,
};
pub use span::{Span, Timeline};
