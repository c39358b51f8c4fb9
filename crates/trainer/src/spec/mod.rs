//! What the user wrote: the experiment file, its layers and its errors.

mod checkpoint_every;
mod decode;
mod experiment;
mod layers;
mod micro_batch;
mod start_from;

pub use checkpoint_every::CheckpointEvery;
pub use experiment::{
    BatchSpec, CheckpointSpec, DataSpec, EarlyStoppingSpec, ExperimentSpec, InputSpec, LimitSpec,
    Metric, OnDivergence, Precision, RollbackSpec, StageSpec, SubsetSpec, TrainerSpec,
};
pub use layers::{Layer, Layers};
pub use micro_batch::MicroBatch;
pub use start_from::StartFrom;
