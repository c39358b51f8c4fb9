//! What a classifier's outputs are worth, in the numbers that the field uses.

mod averages;
mod calibration;
mod confusion_matrix;
mod ranking;
mod scored;
mod significance;
mod temperature;

pub use averages::{Average, Averages};
pub use calibration::{Reliability, ReliabilityBin};
pub use confusion_matrix::ConfusionMatrix;
pub use ranking::{average_precision, roc_auc};
pub use scored::Scored;
pub use significance::{PairedHits, mcnemar};
pub use temperature::fit_temperature;
