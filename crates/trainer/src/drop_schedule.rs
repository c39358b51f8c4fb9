//! Drop probabilities that change while a stage goes on.

use kiln_optim_schedules::{Span, Timeline};
use serde::{Deserialize, Serialize};

/// A factor of what the model's settings say, in a straight line from `from` to `to` over `over`, and `to` after it: early
/// dropout is `{ from = 1, to = 0, ... }`, late dropout `{ from = 0, to = 1, ... }` (Liu et al., "Dropout Reduces
/// Underfitting", 2023).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropSchedule {
    /// In the first step, from 0 to 1.
    pub from: f64,
    /// At the end, from 0 to 1.
    pub to: f64,
    /// How long it takes.
    #[serde(default = "whole_stage")]
    pub over: Span,
}

fn whole_stage() -> Span {
    Span::Fraction(1.0)
}

/// A [`DropSchedule`] in steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct DropLine {
    from: f64,
    to: f64,
    steps: u64,
}

impl DropSchedule {
    /// # Errors
    /// The field and what is wrong with it.
    pub(crate) fn build(&self, timeline: Timeline) -> Result<DropLine, (&'static str, String)> {
        for (field, value) in [("from", self.from), ("to", self.to)] {
            if !(0.0..=1.0).contains(&value) {
                return Err((field, format!("must be from 0 to 1, found {value}")));
            }
        }
        let steps = self.over.steps(timeline).map_err(|error| ("over", error.to_string()))?;
        Ok(DropLine { from: self.from, to: self.to, steps })
    }
}

impl DropLine {
    /// The factor in step `step` of the stage.
    pub(crate) fn at(self, step: u64) -> f64 {
        if step >= self.steps {
            return self.to;
        }
        self.from + (self.to - self.from) * step as f64 / self.steps as f64
    }
}

#[cfg(test)]
mod tests {
    use super::DropSchedule;
    use kiln_optim_schedules::{Span, Timeline};

    #[test]
    fn a_line_and_what_comes_after_it() {
        let timeline = Timeline { steps_per_epoch: 10, total_steps: 100 };
        let build = |from, to| DropSchedule { from, to, over: Span::Epochs(4.0) }.build(timeline);
        let late = build(0.0, 1.0).unwrap();
        assert_eq!([0, 10, 39, 40, 99].map(|step| late.at(step)), [0.0, 0.25, 0.975, 1.0, 1.0]);
        let early = build(1.0, 0.0).unwrap();
        assert_eq!([0, 20, 40].map(|step| early.at(step)), [1.0, 0.5, 0.0]);
        assert_eq!(build(0.0, 1.5).unwrap_err().0, "to");
    }
}
