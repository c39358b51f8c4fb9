//! Downloading published weights.

mod cache;
mod download;
mod error;
mod pretrained;

pub(crate) use cache::folder;
pub(crate) use download::Download;
pub(crate) use error::FetchError;
pub(crate) use pretrained::{Pretrained, all, find};
