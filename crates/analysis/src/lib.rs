//! Reports on training runs.
//!
//! [`Report`] turns the records of a run into one HTML file that needs nothing else, light and dark. [`metrics`] has the
//! numbers behind it, [`cam`] shows what a network sees in a picture, [`LrSuggestions`] reads a learning-rate range test,
//! [`diagnose`] says what curves mean.

mod axis;
mod calibration_section;
pub mod cam;
mod cam_page;
mod class_table;
mod comparison;
mod confusion;
mod curves;
mod diagnosis;
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

pub use cam_page::{ExplainedPicture, cam_page_end, cam_page_figure, cam_page_head};
pub use comparison::{ComparedRun, PairedResult, comparison_page, in_words, result_line};
pub use diagnosis::{Finding, diagnose};
pub use lr_suggestion::{LrSuggestions, range_chart};
pub use pairs::{ConfusedPair, most_confused};
pub use picture::{contact_sheet, png};
pub use report::{Explained, Report};
pub use scores::{ClassScore, class_scores};
pub use xy_chart::standalone_svg;
