//! One schedule after the other.

use super::catalog::{Rates, Schedule, ScheduleSpec};
use crate::error::{Error, check};
use crate::span::{Span, Timeline};
use serde::{Deserialize, Serialize};

/// One schedule after the other, each from its own beginning. To the ones inside, their part is the whole stage.
///
/// # Formula
/// `lr(step) = part.lr(step - part.start)`
///
/// # Parity
/// `torch.optim.lr_scheduler.SequentialLR`, of schedulers with rates of their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequence {
    /// At least one.
    pub parts: Vec<Part>,
}

/// A part of a [`Sequence`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Its schedule.
    pub schedule: ScheduleSpec,
    /// Its length. All but the last need one; the last runs to the stage's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_for: Option<Span>,
}

#[derive(Debug)]
struct Resolved {
    /// First step and schedule of each part.
    parts: Vec<(u64, Box<dyn Schedule>)>,
}

impl Sequence {
    pub(super) fn build(&self, timeline: Timeline) -> Result<Box<dyn Schedule>, Error> {
        let total = timeline.total_steps;
        let mut parts = Vec::new();
        let mut start = 0;
        for (number, part) in self.parts.iter().enumerate() {
            let is_last = number + 1 == self.parts.len();
            let must_be = "given for all parts but the last, which runs to the stage's end";
            let given = part.run_for.is_some();
            check(given != is_last, "run_for", must_be, format_args!("part {number}"))?;
            let length = match part.run_for {
                Some(span) => span.steps(timeline)?,
                None => total.saturating_sub(start),
            };
            let fits = length > 0 && start + length <= total;
            let found = format_args!("{length} steps from {start} in part {number}, of {total}");
            check(fits, "run_for", "at least one step and within the stage", found)?;
            let pure = part.schedule.as_plateau().is_none();
            let found = format_args!("plateau in part {number}");
            check(pure, "schedule", "a function of the step", found)?;
            let schedule = part.schedule.build(Timeline { total_steps: length, ..timeline })?;
            parts.push((start, schedule));
            start += length;
        }
        check(!parts.is_empty(), "parts", "at least one", "none")?;
        Ok(Box::new(Resolved { parts }))
    }
}

impl Schedule for Resolved {
    fn at(&self, step: u64) -> Rates {
        let part = self.parts.partition_point(|(start, _)| *start <= step).saturating_sub(1);
        let (start, schedule) = &self.parts[part];
        schedule.at(step - start)
    }
}
