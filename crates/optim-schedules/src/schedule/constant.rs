//! The same rate throughout.

use super::catalog::{Rates, Schedule};
use super::checks::check_rate;
use crate::error::Error;
use crate::span::Timeline;
use serde::{Deserialize, Serialize};

/// One learning rate for the whole stage.
///
/// # Formula
/// `lr(step) = lr`
///
/// # Parity
/// A PyTorch optimizer without a scheduler.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    /// Learning rate, at least 0.
    pub lr: f64,
}

impl Constant {
    pub(super) fn build(&self, _: Timeline) -> Result<Box<dyn Schedule>, Error> {
        check_rate(self.lr)?;
        Ok(Box::new(self.clone()))
    }
}

impl Schedule for Constant {
    fn at(&self, _: u64) -> Rates {
        Rates { lr: self.lr, momentum: None }
    }
}
