//! Reports on training runs.
//!
//! [`Report`] turns the records of a run into one HTML file that needs nothing else: no network,
//! no script, light and dark. [`class_scores`] and [`most_confused`] are the numbers behind its
//! tables.

mod axis;
mod class_table;
mod confusion;
mod curves;
mod epoch_table;
mod format;
mod html;
mod line_chart;
mod pairs;
mod report;
mod scores;
mod summary;

pub use pairs::{ConfusedPair, most_confused};
pub use report::Report;
pub use scores::{ClassScore, class_scores};
