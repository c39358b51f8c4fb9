//! What a classifier's outputs are worth, in the numbers that the field uses.

mod averages;
mod calibration;
mod confusion_matrix;
mod ensemble;
mod ranking;
mod score_card;
mod scored;
mod significance;
mod temperature;

pub use averages::{Average, Averages};
pub use calibration::{Reliability, ReliabilityBin};
pub use confusion_matrix::ConfusionMatrix;
pub use ensemble::{Mean, ensemble};
pub use ranking::{average_precision, roc_auc};
pub use score_card::{OneClass, ScoreCard};
pub use scored::Scored;
pub use significance::{PairedHits, gain_interval, mcnemar};
pub use temperature::{Temperature, fit_temperature};
