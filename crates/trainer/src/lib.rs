//! Experiments as data: what the user wrote (*spec*), what was resolved (*plan*), what is on disk (*record*), and the
//! loop between them.
//!
//! [`begin`] starts a run, [`resume`] continues one, [`evaluate_run`] and [`predict`] use its weights. How one picture
//! becomes a gradient is in `train.rs`, top to bottom.

mod advice;
mod auto_resume;
mod card;
mod changes;
mod checkpoint;
mod device_memory;
mod device_pictures;
mod device_read;
mod drop_schedule;
mod early_stopping;
mod environment;
mod error;
mod evaluate;
mod evaluate_run;
mod feed;
mod loss;
mod macro_f1;
mod metrics;
mod new_statistics;
mod observer;
mod optimizer_step;
mod outputs;
mod parameter_rules;
mod plan;
mod predict;
mod prepared;
mod presets;
mod preview;
mod progressive;
mod range_test;
mod ranks;
pub mod record;
mod resume;
mod run;
mod run_directory;
mod run_lock;
mod run_pictures;
mod soup;
pub mod spec;
mod stage_start;
mod statistics_share;
mod step_gradients;
mod tally;
mod together;
mod train;
mod training_pictures;
mod view;
mod watchdog;
mod weights;

pub use auto_resume::begin_or_resume;
pub use card::ModelCard;
pub use changes::{Difference, differences};
pub use device_memory::{device_memory_bytes, peak_resident_bytes};
pub use drop_schedule::DropSchedule;
pub use environment::processor;
pub use error::Error;
pub use evaluate_run::{best_model, evaluate_run, outputs_of_views};
pub use loss::{ClassWeights, Loss, LossSpec, SmoothOver};
pub use observer::{Observer, Silent, StepReport, StopRequest};
pub use outputs::Outputs;
pub use parameter_rules::ParameterRule;
pub use plan::{CheckpointPace, StagePlan, Start, check};
pub use predict::{ClassProbability, Prediction, logits, predict, prepared_picture};
pub use prepared::recorded_layers;
pub use preview::{MemoryEstimate, Preview, preview};
pub use progressive::ProgressiveResize;
pub use range_test::{RangePoint, RangeRecord, RangeTest, SmoothedLoss, Sweep, range_test};
pub use resume::{ResumeOptions, resume};
pub use run::{Destination, Outcome, RunSettings, begin, stages};
pub use run_directory::{PictureFingerprints, RunDirectory, RunIdentity, newest_run};
pub use run_pictures::RunPictures;
pub use soup::{Ingredient, Soup, SoupKind, average};
pub use tally::Tally;
pub use view::{TestTimeAugmentation, View};
pub use weights::{
    Take, WeightsSpec, card_in, classes_in, model_of, network_from, numbered_classes, weights_bytes,
};
