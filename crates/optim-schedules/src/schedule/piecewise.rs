//! Straight lines between given points.

use super::catalog::{Rates, Schedule};
use super::checks::check_rate;
use crate::error::{Error, check};
use crate::span::{Span, Timeline};
use serde::{Deserialize, Serialize};

/// Straight lines between `points`; level before the first and after the last.
///
/// # Formula
/// `lr(step) = a.lr + (b.lr - a.lr) * (step - a.at) / (b.at - a.at)` between the points `a` and `b` around the step.
///
/// # Parity
/// `numpy.interp` of the points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piecewise {
    /// At least one, in rising order and within the stage.
    pub points: Vec<Point>,
}

/// A learning rate at a place of the stage.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// The place.
    pub at: Span,
    /// The learning rate there, at least 0.
    pub lr: f64,
}

#[derive(Debug)]
struct Resolved {
    points: Vec<(u64, f64)>,
}

impl Piecewise {
    pub(super) fn build(&self, timeline: Timeline) -> Result<Box<dyn Schedule>, Error> {
        let resolve = |point: &Point| {
            check_rate(point.lr)?;
            Ok((point.at.steps(timeline)?, point.lr))
        };
        let points: Vec<(u64, f64)> =
            self.points.iter().map(resolve).collect::<Result<_, Error>>()?;
        let steps: Vec<u64> = points.iter().map(|(step, _)| *step).collect();
        let found = format_args!("steps {steps:?}");
        let rising = !steps.is_empty() && steps.is_sorted_by(|a, b| a < b);
        check(rising, "points", "at least one, in rising order", found)?;
        let within = steps.last().is_some_and(|last| *last <= timeline.total_steps);
        check(within, "points", "within the stage", found)?;
        Ok(Box::new(Resolved { points }))
    }
}

impl Schedule for Resolved {
    fn at(&self, step: u64) -> Rates {
        let after = self.points.partition_point(|(at, _)| *at <= step);
        let lr = match (after.checked_sub(1).map(|i| self.points[i]), self.points.get(after)) {
            (Some((from, a)), Some(&(to, b))) => {
                a + (b - a) * ((step - from) as f64 / (to - from) as f64)
            }
            (Some((_, lr)), None) | (None, Some(&(_, lr))) => lr,
            (None, None) => 0.0,
        };
        Rates { lr, momentum: None }
    }
}
