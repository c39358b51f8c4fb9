//! `--dashboard`: curves, rates and the time left, below the lines that a run prints.

mod course;
mod screen;
mod view;

pub(crate) use screen::Dashboard;
