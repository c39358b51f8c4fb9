//! What a run measures, as it goes: `metrics.jsonl`, `metrics.csv` and event files for TensorBoard.

mod csv;
mod line;
mod log;
mod tensorboard;

pub(crate) use line::{Line, first_lines, lines_of};
pub(crate) use log::MetricsLog;
