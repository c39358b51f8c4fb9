//! The charts of a run over its epochs.

use kiln_trainer::record::EpochRecord;

use crate::axis::Axis;
use crate::format;
use crate::line_chart::{Chart, Line};
use crate::summary::{Stage, better, epoch_name, stages};

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 320.0;

const RATE: &str = "Learning rate by epoch";
const MEMORY: &str = "Memory by epoch";

/// Stages whose learning rates lie further apart than this share a logarithmic axis.
const LINEAR_RANGE: f64 = 5.0;

/// Loss of training and validation.
pub(crate) fn loss(records: &[EpochRecord]) -> String {
    let lines = vec![
        line("train", "train", records, |record| record.train_loss, format::loss),
        line("val", "val", records, |record| record.val_loss, format::loss),
    ];
    let values = || lines.iter().flat_map(|line| line.values.iter().copied());
    let high = values().filter(|value| value.is_finite()).fold(0.0, f64::max);
    let low = values().filter(|value| value.is_finite()).fold(high, f64::min);
    // Zero is shown where it costs little; a loss that stays high keeps its detail. One epoch has
    // no detail to keep.
    let near = low < high * 0.35 || records.len() == 1;
    let measured = values().any(f64::is_finite);
    let zero = (measured && low >= 0.0 && near).then_some(0.0);
    let axis = Axis::covering(values().chain(zero), 5);
    draw(records, "Loss by epoch", axis, plain_tick, lines, None)
}

/// Top-1 of training and validation, top-5 of validation.
pub(crate) fn accuracy(records: &[EpochRecord], best: Option<usize>) -> String {
    let points = |fraction: f64| fraction * 100.0;
    let average =
        |record: &EpochRecord| record.average.map_or(f64::NAN, |average| average.val_top1);
    let mut lines = vec![
        line("train top-1", "train", records, |record| record.train_top1, format::percent),
        line("val top-1", "val", records, |record| record.val_top1, format::percent),
        line("val top-5", "top5", records, |record| record.val_top5, format::percent),
    ];
    if records.iter().any(|record| record.average.is_some()) {
        lines.push(line("average top-1", "average", records, average, format::percent));
    }
    for line in &mut lines {
        line.values.iter_mut().for_each(|value| *value = points(*value));
    }
    let ends = (records.len() == 1).then_some([0.0, 100.0]).into_iter().flatten();
    let values = lines.iter().flat_map(|line| line.values.iter().copied());
    let axis = Axis::covering(values.chain(ends), 5);
    let axis = axis.map(|mut axis| {
        // Room around a flat line must not leave what is possible.
        axis.ticks.retain(|tick| (-1e-9..=100.0 + 1e-9).contains(tick));
        axis
    });
    let axis = axis.filter(|axis| axis.ticks.len() > 1).or_else(|| Axis::covering([0.0, 100.0], 5));
    // The ring is on the line whose value is the best.
    let mark = best.map(|best| (best, if better(&records[best]).is_average { 3 } else { 1 }));
    draw(records, "Accuracy by epoch", axis, percent_tick, lines, mark)
}

/// The learning rate at the end of each epoch.
pub(crate) fn learning_rate(records: &[EpochRecord]) -> String {
    let mut lines = vec![line("lr", "lr", records, |record| record.lr, format::rate)];
    if far_apart(records) {
        lines[0].values.iter_mut().for_each(|value| *value = value.log10());
        let axis = Axis::decades(lines[0].values.iter().copied());
        return draw(records, RATE, axis, decade_tick, lines, None);
    }
    let axis = Axis::covering(lines[0].values.iter().copied().chain([0.0]), 4);
    draw(records, RATE, axis, rate_tick, lines, None)
}

/// How much better training pictures are recognised than validation pictures, in points.
pub(crate) fn gap(records: &[EpochRecord]) -> String {
    let value = |record: &EpochRecord| 100.0 * (record.train_top1 - record.val_top1);
    let lines = vec![line("gap", "val", records, value, |points| format!("{points:+.1}"))];
    let axis = Axis::covering(lines[0].values.iter().copied().chain([0.0]), 5);
    draw(records, "Gap by epoch", axis, plain_tick, lines, None)
}

/// Training pictures per second.
pub(crate) fn throughput(records: &[EpochRecord]) -> String {
    let lines = vec![line(
        "images/s",
        "lr",
        records,
        |record| record.images_per_second,
        format::throughput,
    )];
    let axis = Axis::covering(lines[0].values.iter().copied().chain([0.0]), 5);
    draw(records, "Throughput by epoch", axis, plain_tick, lines, None)
}

/// Memory of the device and of the process in GiB; absent where the system does not tell.
pub(crate) fn memory(records: &[EpochRecord]) -> Option<String> {
    let text = |gib: f64| format!("{gib:.2}");
    let lines = vec![
        line("device", "train", records, |record| gib(record.device_memory_bytes), text),
        line("process", "top5", records, |record| gib(record.host_memory_bytes), text),
    ];
    let values = lines.iter().flat_map(|line| line.values.iter().copied());
    let known = values.clone().any(f64::is_finite);
    let axis = Axis::covering(values.chain([0.0]), 5);
    known.then(|| draw(records, MEMORY, axis, plain_tick, lines, None))
}

/// Whether one stage's learning rate would lie flat on the zero line of another's.
fn far_apart(records: &[EpochRecord]) -> bool {
    let largest = |stage: &Stage<'_>| {
        let epochs = &records[stage.start..stage.start + stage.len];
        epochs.iter().map(|record| record.lr).fold(0.0, f64::max)
    };
    let peaks: Vec<f64> = stages(records).iter().map(largest).collect();
    let (low, high) =
        peaks.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), &lr| (low.min(lr), high.max(lr)));
    records.iter().all(|record| record.lr > 0.0 && record.lr.is_finite())
        && high >= low * LINEAR_RANGE
}

fn line(
    label: &'static str,
    class: &'static str,
    records: &[EpochRecord],
    value: fn(&EpochRecord) -> f64,
    text: fn(f64) -> String,
) -> Line {
    let values: Vec<f64> = records.iter().map(value).collect();
    let texts = values.iter().map(|value| text(*value)).collect();
    Line { label, class, values, texts }
}

fn draw(
    records: &[EpochRecord],
    description: &str,
    axis: Option<Axis>,
    tick: fn(f64, &Axis) -> String,
    lines: Vec<Line>,
    mark: Option<(usize, usize)>,
) -> String {
    let stages = stages(records);
    let epochs: Vec<String> = records
        .iter()
        .map(|record| {
            format!("{}, step {}", epoch_name(record, &stages), format::count(record.step))
        })
        .collect();
    let (width, height) = match description {
        // Lower charts over the full width.
        RATE | MEMORY => (2.0 * WIDTH + 48.0, 200.0),
        _ => (WIDTH, HEIGHT),
    };
    let chart = Chart {
        description,
        width,
        height,
        axis,
        tick,
        lines,
        epochs: &epochs,
        stages: &stages,
        mark,
    };
    chart.to_svg()
}

fn gib(bytes: Option<u64>) -> f64 {
    bytes.map_or(f64::NAN, |bytes| bytes as f64 / f64::from(1 << 30))
}

fn plain_tick(value: f64, axis: &Axis) -> String {
    // Far from 1, digits after the point are no way to write a number.
    if axis.decimals > 5 || value.abs() >= 1e6 {
        return format::rate(value);
    }
    format!("{value:.*}", axis.decimals)
}

fn percent_tick(value: f64, axis: &Axis) -> String {
    format!("{}%", plain_tick(value, axis))
}

fn rate_tick(value: f64, _: &Axis) -> String {
    format::rate(value)
}

fn decade_tick(value: f64, _: &Axis) -> String {
    format!("1e{value:.0}")
}

#[cfg(test)]
mod tests {
    use super::{accuracy, far_apart, learning_rate, loss};
    use crate::summary::best;
    use crate::summary::record;

    #[test]
    fn a_single_epoch_is_a_dot() {
        let svg = loss(&[record("a", 1, 0.5, 0.5)]);
        assert_eq!(svg.matches("<circle").count(), 2, "{svg}");
        assert_eq!(svg.matches("class=\"epoch\"").count(), 1);
    }

    #[test]
    fn no_number_reaches_the_svg_that_is_none() {
        let mut records = vec![record("a", 1, 0.5, 0.5); 4];
        records[1].train_loss = f64::NAN;
        records[2].val_loss = f64::INFINITY;
        records[1].val_top1 = f64::NAN;
        records[3].lr = f64::NAN;
        for svg in [loss(&records), accuracy(&records, best(&records)), learning_rate(&records)] {
            for attribute in ["d=\"", "cx=\"", "cy=\"", "x=\"", "y=\"", "y1=\"", "y2=\""] {
                for (at, _) in svg.match_indices(attribute) {
                    let value = svg[at + attribute.len()..].split('"').next().unwrap();
                    assert!(!value.contains("NaN") && !value.contains("inf"), "{attribute}{value}");
                }
            }
        }
        // The hole in a line is a hole: train goes on with a new `M`.
        let d = loss(&records).split("d=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        assert_eq!(d.matches('M').count(), 2, "{d}");
    }

    #[test]
    fn no_epochs_and_no_finite_values_still_draw() {
        assert!(loss(&[]).contains("no finite values"));
        let mut broken = record("a", 1, 0.5, 0.5);
        broken.train_loss = f64::NAN;
        broken.val_loss = f64::NAN;
        assert!(loss(&[broken]).contains("no finite values"));
        assert!(accuracy(&[], None).ends_with("</svg>"));
    }

    #[test]
    fn stages_get_a_boundary_and_are_not_joined() {
        let mut records = vec![record("head", 1, 0.5, 0.5), record("<all>", 1, 0.6, 0.6)];
        let svg = accuracy(&records, best(&records));
        assert_eq!(svg.matches("class=\"boundary\"").count(), 1);
        assert!(svg.contains("&lt;all&gt;") && !svg.contains("<all>"));
        assert!(!far_apart(&records));
        records[1].lr = 1e-5;
        assert!(far_apart(&records));
        assert!(learning_rate(&records).contains(">1e-4<"));
        records[1].lr = 0.0;
        assert!(!far_apart(&records));
    }
}
