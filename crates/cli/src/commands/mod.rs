//! One file for each command.

pub(crate) mod average;
pub(crate) mod compare;
pub(crate) mod config;
pub(crate) mod data;
pub(crate) mod devices;
mod dry_run;
pub(crate) mod evaluate;
pub(crate) mod export;
pub(crate) mod fetch;
pub(crate) mod grad_cam;
pub(crate) mod lr_find;
pub(crate) mod predict;
pub(crate) mod report;
pub(crate) mod schedule;
pub(crate) mod train;
pub(crate) mod watch;
pub(crate) mod weights;
