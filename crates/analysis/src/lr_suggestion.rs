//! Which rate a range test speaks for.

use crate::axis::Axis;
use crate::format;
use crate::xy_chart::{Mark, Side, XyChart, XyLine};
use kiln_trainer::{RangePoint, RangeRecord};
use serde::Serialize;

/// The rates that four rules find on the smoothed losses of a range test; absent where a rule finds none.
///
/// # Parity
/// The functions of these names in fastai's `fastai.callback.schedule`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct LrSuggestions {
    /// Two thirds into the longest fall of the loss, leaving out rises; fastai's own choice.
    pub valley: Option<f64>,
    /// Where the loss falls most steeply.
    pub steep: Option<f64>,
    /// A tenth of the rate with the lowest loss.
    pub minimum: Option<f64>,
    /// The last rate before the slope changes on its way up.
    pub slide: Option<f64>,
}

impl LrSuggestions {
    /// Of a range test, without the first tenth of the steps that were asked for, the last five that were done, and what
    /// follows a loss that is no number.
    pub fn of(record: &RangeRecord) -> Self {
        let start = usize::try_from(record.steps / 10).unwrap_or(usize::MAX);
        let end = record.points.len().saturating_sub(5);
        let points = record.points.get(start..end).unwrap_or_default();
        let numbers = points.iter().take_while(|point| !point.smoothed.is_nan());
        let (lrs, losses): (Vec<f64>, Vec<f64>) =
            numbers.map(|point| (point.lr, point.smoothed)).unzip();
        Self::on(&lrs, &losses)
    }

    /// On rising rates and a loss for each.
    pub fn on(lrs: &[f64], losses: &[f64]) -> Self {
        let at = |index: Option<usize>| index.and_then(|index| lrs.get(index).copied());
        Self {
            valley: at(valley(losses)),
            steep: at(steep(lrs, losses)),
            minimum: at(lowest(losses)).map(|lr| lr / 10.0),
            slide: at(slide(losses)),
        }
    }

    /// The names of the rules and what they found.
    pub fn named(&self) -> [(&'static str, Option<f64>); 4] {
        let Self { valley, steep, minimum, slide } = *self;
        [("valley", valley), ("steep", steep), ("minimum / 10", minimum), ("slide", slide)]
    }
}

fn lowest(losses: &[f64]) -> Option<usize> {
    (0..losses.len()).min_by(|a, b| losses[*a].total_cmp(&losses[*b]))
}

fn steep(lrs: &[f64], losses: &[f64]) -> Option<usize> {
    let slope = |i: usize| (losses[i + 1] - losses[i]) / (lrs[i + 1].ln() - lrs[i].ln());
    (0..losses.len().checked_sub(1)?).min_by(|a, b| slope(*a).total_cmp(&slope(*b)))
}

/// By the longest falling subsequence, whose start is taken to be as far before its end as it has losses.
fn valley(losses: &[f64]) -> Option<usize> {
    let mut lengths = vec![1_usize; losses.len()];
    for i in 1..losses.len() {
        for j in 0..i {
            if losses[i] < losses[j] {
                lengths[i] = lengths[i].max(lengths[j] + 1);
            }
        }
    }
    let longest = lengths.iter().copied().max()?;
    let end = if longest > 1 { lengths.iter().position(|length| *length == longest)? } else { 0 };
    // Fastai's start, which may be one before the first loss; without any fall it is the first.
    let start = if longest > 1 { end as f64 - longest as f64 } else { end as f64 };
    let third = (end as f64 - start) / 3.0;
    let index = start + third.trunc() + (third / 2.0).trunc();
    (0..losses.len()).find(|i| *i as f64 >= index)
}

/// From the end, with two places fifteen apart, back to where the slopes at both are alike.
fn slide(losses: &[f64]) -> Option<usize> {
    const APART: usize = 15;
    const ALIKE: f64 = 0.005;
    let last = losses.len().checked_sub(1)?;
    let slope = |i: usize| match i {
        0 => losses[1] - losses[0],
        i if i == last => losses[i] - losses[i - 1],
        i => (losses[i + 1] - losses[i - 1]) / 2.0,
    };
    let mut left = last.checked_sub(APART)?;
    let mut found = left;
    loop {
        if (slope(left + APART) - slope(left)).abs() <= ALIKE {
            return Some(found);
        }
        found = left;
        let Some(before) = left.checked_sub(1) else { return Some(found) };
        left = before;
    }
}

/// The losses of a range test over its rates as SVG, with the suggestions on them.
pub fn range_chart(record: &RangeRecord, suggestions: &LrSuggestions) -> String {
    let points = &record.points;
    let smoothed = |lr: f64| {
        let nearest =
            |a: &&RangePoint, b: &&RangePoint| (a.lr - lr).abs().total_cmp(&(b.lr - lr).abs());
        points.iter().min_by(nearest).map_or(f64::NAN, |point| point.smoothed)
    };
    let marks = suggestions.named().into_iter().filter_map(|(name, lr)| {
        let lr = lr?;
        Some(Mark { label: format!("{name} {}", format::rate(lr)), x: lr, y: smoothed(lr) })
    });
    // A loss that has run away would press everything else flat.
    let lowest = points.iter().map(|point| point.smoothed).fold(f64::INFINITY, f64::min);
    let first = points.first().map_or(lowest, |point| point.smoothed);
    let highest = first.max(lowest) * 1.3;
    let shown = points.iter().map(|point| point.smoothed.min(highest));
    let line = |label, class, value: fn(&RangePoint) -> f64| XyLine {
        label,
        class,
        points: points.iter().map(|point| (point.lr, value(point))).collect(),
    };
    let chart = XyChart {
        description: "Loss by learning rate",
        width: 720.0,
        height: 360.0,
        x: Side {
            label: "learning rate",
            axis: Axis::decades(points.iter().map(|point| point.lr.log10())),
            logarithmic: true,
            tick: |value, _| format!("1e{value:.0}"),
        },
        y: Side {
            label: "loss",
            axis: Axis::covering(shown, 5),
            logarithmic: false,
            tick: |value, axis| format!("{value:.*}", axis.decimals),
        },
        lines: vec![
            line("of each step", "faint", |point| point.loss),
            line("smoothed", "train", |point| point.smoothed),
        ],
        marks: marks.collect(),
    };
    chart.to_svg()
}
