//! Reports on training runs.
//!
//! [`Report`] turns the records of a run into one HTML file that needs nothing else: no network,
//! no script, light and dark. [`class_scores`] and [`most_confused`] are the numbers behind its
//! tables.

mod axis;
pub mod cam;
mod cam_page;
mod class_table;
mod confusion;
mod curves;
mod epoch_table;
mod format;
mod html;
mod line_chart;
mod lr_suggestion;
pub mod metrics;
mod page;
mod pairs;
mod picture;
mod report;
mod scores;
mod summary;
mod xy_chart;

pub use cam_page::{ExplainedPicture, cam_page};
pub use lr_suggestion::{LrSuggestions, range_chart};
pub use pairs::{ConfusedPair, most_confused};
pub use picture::png;
pub use report::Report;
pub use scores::{ClassScore, class_scores};
pub use xy_chart::standalone_svg;
