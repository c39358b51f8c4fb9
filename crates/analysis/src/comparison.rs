//! Runs side by side.

use crate::axis::Axis;
use crate::format;
use crate::html::{escape, put};
use crate::metrics::{PairedHits, ScoreCard, Scored, gain_interval, mcnemar};
use crate::page::page;
use crate::scores::class_scores;
use crate::summary;
use crate::xy_chart::{Side, XyChart, XyLine};
use kiln_trainer::record::{EpochRecord, Evaluation};
use kiln_trainer::{Difference, Outputs};

/// CSS classes of the runs' lines; with more runs they begin again.
const COLORS: [&str; 5] = ["train", "val", "top5", "lr", "average"];

/// Classes in the table of gains and losses, from either end.
const CLASSES: usize = 15;

/// A run to compare.
#[derive(Debug)]
pub struct ComparedRun {
    /// What it is called.
    pub name: String,
    /// Its epochs.
    pub records: Vec<EpochRecord>,
    /// Scores of its best checkpoint, if it has got so far.
    pub evaluation: Option<Evaluation>,
    /// The logits behind them.
    pub outputs: Option<Outputs>,
    /// What they are divided by, where a temperature was fitted.
    pub temperature: Option<f64>,
    /// Settings in which it differs from the first run; none of the first.
    pub differences: Vec<Difference>,
}

/// How a run does on the pictures of another one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedResult {
    /// The pictures that one of them alone gets right.
    pub hits: PairedHits,
    /// By how much its top-1 is higher, a fraction.
    pub gain: f64,
    /// The 95 % interval of the gain.
    pub interval: (f64, f64),
    /// McNemar's exact probability of such a difference between equals.
    pub p: f64,
}

impl PairedResult {
    /// The second run against the first; absent when they were not asked about the same pictures.
    pub fn of(first: &Outputs, second: &Outputs) -> Option<Self> {
        let same = first.pictures == second.pictures
            && first.labels == second.labels
            && first.class_names == second.class_names;
        if !same {
            return None;
        }
        // Which no temperature changes.
        let hits = |outputs: &Outputs| Scored::of(outputs, None).hits();
        let hits = PairedHits::count(&hits(first), &hits(second));
        let gain = (hits.only_second as f64 - hits.only_first as f64) / first.len() as f64;
        Some(Self { hits, gain, interval: gain_interval(hits)?, p: mcnemar(hits) })
    }
}

/// A page that compares runs, at least one, with the first.
pub fn comparison_page(runs: &[ComparedRun]) -> String {
    let names: Vec<String> = runs.iter().map(|run| escape(&run.name)).collect();
    let title = names.join(" against ");
    let mut body =
        format!("<header><p class=\"eyebrow\">Comparison</p><h1>{title}</h1></header>\n");
    results(runs, &mut body);
    if let Some((first, others)) = runs.split_first() {
        for other in others {
            pair(first, other, &mut body);
        }
    }
    curves(runs, &mut body);
    if let Some((first, others)) = runs.split_first() {
        for other in others {
            classes(first, other, &mut body);
            settings(first, other, &mut body);
        }
    }
    page("Comparison of runs", &body)
}

fn results(runs: &[ComparedRun], out: &mut String) {
    out.push_str(
        "<section><h2>Results</h2><div class=\"card across\"><table class=\"wide sortable\"><thead><tr><th>Run</th>\
         <th class=\"n\">Top-1</th><th class=\"n\">Top-5</th><th class=\"n\">Macro F1</th><th class=\"n\">Loss</th>\
         <th class=\"n\">Calibration error</th><th class=\"n\">Gap, last epoch</th><th class=\"n\">Epochs</th>\
         <th class=\"n\">Time</th><th class=\"n\">Images/s</th></tr></thead><tbody>",
    );
    for run in runs {
        let of = |value: fn(&Evaluation) -> f64| run.evaluation.as_ref().map(value);
        let card = run
            .outputs
            .as_ref()
            .and_then(|outputs| ScoreCard::of(&Scored::of(outputs, run.temperature)));
        let last = run.records.last();
        let gap = last.map(|last| 100.0 * (last.train_top1 - last.val_top1));
        let seconds: f64 = run.records.iter().map(|record| record.seconds).sum();
        let none = || format::NONE.to_owned();
        let sortable =
            |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        let keys = [
            of(|scores| scores.top1),
            of(|scores| scores.top5),
            of(|scores| scores.macro_f1),
            of(|scores| scores.loss),
            card.as_ref().map(|card| card.calibration_error),
            gap,
            Some(run.records.len() as f64),
            Some(seconds),
            last.map(|last| last.images_per_second),
        ];
        let cells = [
            of(|scores| scores.top1).map_or_else(none, format::percent),
            of(|scores| scores.top5).map_or_else(none, format::percent),
            of(|scores| scores.macro_f1).map_or_else(none, |f1| format!("{f1:.3}")),
            of(|scores| scores.loss).map_or_else(none, format::loss),
            card.as_ref().map_or_else(none, |card| format::percent(card.calibration_error)),
            gap.map_or_else(none, |gap| format!("{gap:+.1} points")),
            run.records.len().to_string(),
            format::duration(seconds),
            last.map_or_else(none, |last| format::throughput(last.images_per_second)),
        ];
        put!(out, "<tr><td class=\"name\">{}</td>", escape(&run.name));
        for (cell, key) in cells.into_iter().zip(keys) {
            put!(out, "<td class=\"n\" data-v=\"{}\">{cell}</td>", sortable(key));
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div></section>\n");
}

fn pair(first: &ComparedRun, other: &ComparedRun, out: &mut String) {
    put!(
        out,
        "<section><h2>{} against {}</h2><p class=\"lead\">{}</p></section>\n",
        escape(&other.name),
        escape(&first.name),
        escape(&in_words(first, other))
    );
}

/// The difference of two runs in a sentence.
pub fn in_words(first: &ComparedRun, other: &ComparedRun) -> String {
    let result = first.outputs.as_ref().zip(other.outputs.as_ref());
    let Some(result) = result.and_then(|(first, other)| PairedResult::of(first, other)) else {
        return format!(
            "{} and {} cannot be compared picture by picture: their outputs are missing or of other pictures or classes.",
            first.name, other.name
        );
    };
    let PairedResult { hits, gain, interval, p } = result;
    let verdict = match (p < 0.05, gain > 0.0) {
        (true, true) => "better",
        (true, false) => "worse",
        (false, _) => "neither better nor worse beyond chance",
    };
    format!(
        "{} is {verdict} on these pictures: top-1 {:+.1} points, 95 % interval {:+.1} to {:+.1}; it alone gets {} of {} pictures right and loses {} \
         (McNemar's exact p = {}). Another seed may differ by as much.",
        other.name,
        100.0 * gain,
        100.0 * interval.0,
        100.0 * interval.1,
        hits.only_second,
        hits.both + hits.neither + hits.only_first + hits.only_second,
        hits.only_first,
        if p < 1e-4 { "below 0.0001".to_owned() } else { format!("{p:.4}") },
    )
}

fn curves(runs: &[ComparedRun], out: &mut String) {
    if runs.iter().all(|run| run.records.is_empty()) {
        return;
    }
    let chart = |label: &str, value: fn(&EpochRecord) -> f64, tick: fn(f64, &Axis) -> String| {
        let lines: Vec<XyLine<'_>> = (0..)
            .zip(runs)
            .map(|(number, run): (usize, &ComparedRun)| XyLine {
                label: &run.name,
                class: COLORS[number % COLORS.len()],
                points: (1..)
                    .zip(&run.records)
                    .map(|(epoch, record)| (f64::from(epoch), value(record)))
                    .collect(),
            })
            .collect();
        let all = || lines.iter().flat_map(|line| &line.points);
        let x = Axis::covering(all().map(|point| point.0).chain([0.0]), 8);
        let y = Axis::covering(all().map(|point| point.1), 5);
        let chart = XyChart {
            description: label,
            width: 560.0,
            height: 340.0,
            x: Side {
                label: "epoch of the run",
                axis: x,
                logarithmic: false,
                tick: |value, _| format!("{value:.0}"),
            },
            y: Side { label, axis: y, logarithmic: false, tick },
            lines,
            marks: Vec::new(),
        };
        chart.to_svg()
    };
    put!(
        out,
        "<section><h2>Curves</h2><div class=\"grid\"><div class=\"card\"><h3>Validation top-1</h3>{}</div>\
         <div class=\"card\"><h3>Validation loss</h3>{}</div></div></section>\n",
        chart(
            "percent",
            |record| 100.0 * record.val_top1,
            |value, axis| format!("{value:.*}%", axis.decimals)
        ),
        chart("loss", |record| record.val_loss, |value, axis| format!("{value:.*}", axis.decimals)),
    );
}

/// The classes that gain and lose the most recall.
fn classes(first: &ComparedRun, other: &ComparedRun, out: &mut String) {
    let (Some(before), Some(after)) = (&first.evaluation, &other.evaluation) else { return };
    if before.class_names != after.class_names {
        return;
    }
    let pairs = class_scores(before).into_iter().zip(class_scores(after));
    let mut rows: Vec<(String, f64, f64)> = pairs
        .filter_map(|(before, after)| Some((before.name, before.recall?, after.recall?)))
        .collect();
    rows.sort_by(|a, b| (b.2 - b.1).total_cmp(&(a.2 - a.1)));
    if rows.len() > 2 * CLASSES {
        rows.drain(CLASSES..rows.len() - CLASSES);
    }
    put!(
        out,
        "<section><h2>Classes</h2><div class=\"card across\"><h3>Recall <small>largest gains first</small></h3>\
         <table class=\"wide sortable\"><thead><tr><th>Class</th><th class=\"n\">{}</th><th class=\"n\">{}</th>\
         <th class=\"n\">Difference</th></tr></thead><tbody>",
        escape(&first.name),
        escape(&other.name)
    );
    for (name, before, after) in rows {
        put!(
            out,
            "<tr><td class=\"name\">{}</td><td class=\"n\" data-v=\"{before:.6}\">{}</td>\
             <td class=\"n\" data-v=\"{after:.6}\">{}</td><td class=\"n\" data-v=\"{:.6}\">{:+.1} points</td></tr>",
            escape(&name),
            format::percent(before),
            format::percent(after),
            after - before,
            100.0 * (after - before)
        );
    }
    out.push_str("</tbody></table></div></section>\n");
}

fn settings(first: &ComparedRun, other: &ComparedRun, out: &mut String) {
    put!(
        out,
        "<section><h2>Settings</h2><div class=\"card across\"><h3>That differ</h3><table><thead><tr><th>Setting</th><th>{}</th><th>{}</th></tr></thead><tbody>",
        escape(&first.name),
        escape(&other.name)
    );
    for Difference { path, first, second } in &other.differences {
        let cell = |value: &Option<String>| {
            value.as_ref().map_or_else(
                || format::NONE.to_owned(),
                |value| format!("<code>{}</code>", escape(value)),
            )
        };
        put!(
            out,
            "<tr><td><code>{}</code></td><td class=\"value\">{}</td><td class=\"value\">{}</td></tr>",
            escape(path),
            cell(first),
            cell(second)
        );
    }
    if other.differences.is_empty() {
        out.push_str("<tr><td>none</td><td></td><td></td></tr>");
    }
    out.push_str("</tbody></table></div></section>\n");
}

/// A line about a run: its best validation accuracy.
pub fn result_line(run: &ComparedRun) -> String {
    match &run.evaluation {
        Some(scores) => format!(
            "{}: top-1 {:.1} %, top-5 {:.1} %, macro F1 {:.3} after {} epochs",
            run.name,
            100.0 * scores.top1,
            100.0 * scores.top5,
            scores.macro_f1,
            run.records.len()
        ),
        None => {
            format!("{}: {}", run.name, summary::status(&run.records, summary::best(&run.records)))
        }
    }
}
