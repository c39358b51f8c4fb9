//! From what the user wrote to what will run: spans in steps, sizes in pixels, ops built, schedules ready.

mod check;
mod checkpoint_pace;
mod resolve;
mod stage_plan;

pub use check::check;
pub use checkpoint_pace::CheckpointPace;
pub(crate) use resolve::resolve;
pub use stage_plan::{StagePlan, Start};
