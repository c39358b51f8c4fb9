//! The part of a page about probabilities.

use crate::axis::Axis;
use crate::format;
use crate::html::put;
use crate::metrics::{Reliability, ScoreCard, Scored};
use crate::xy_chart::{Side, XyChart, XyLine};

/// The scores that need probabilities, and how honest these are.
/// `temperature` is what the logits were divided by, where one was fitted.
pub(crate) fn section(scored: &Scored, card: &ScoreCard, temperature: Option<f64>) -> String {
    let reliability = Reliability::of(scored, Reliability::BINS);
    let mut out = String::from("<section><h2>Probabilities</h2><div class=\"grid\">");
    put!(
        out,
        "<div class=\"card\"><h3>Reliability <small>on the dashed line confidence is accuracy</small></h3>{}</div>",
        chart(&reliability)
    );
    let number = |value: f64| format!("{value:.3}");
    let or_none = |value: Option<f64>| value.map_or_else(|| format::NONE.to_owned(), number);
    let rows = [
        ("Expected calibration error", format::percent(card.calibration_error)),
        ("Largest calibration error of a bin", format::percent(card.largest_calibration_error)),
        ("Negative log-likelihood", format::loss(card.negative_log_likelihood)),
        ("Brier score", number(card.brier)),
        ("Mean AUROC", or_none(card.macro_roc_auc)),
        ("Mean average precision", or_none(card.macro_average_precision)),
        ("Balanced accuracy", format::percent(card.balanced_accuracy)),
        ("Macro F1", number(card.macro_average.f1)),
        ("Weighted F1", number(card.weighted_average.f1)),
        ("Cohen's kappa", or_none(card.cohen_kappa)),
        ("Matthews' correlation", number(card.matthews)),
    ];
    out.push_str("<div class=\"card\"><h3>Scores</h3><table><tbody>");
    for (name, value) in rows {
        put!(out, "<tr><td>{name}</td><td class=\"n\">{value}</td></tr>");
    }
    let surer = mean_confidence(&reliability) - card.top1;
    let meaning = match surer {
        _ if card.calibration_error < 0.03 => "Probabilities can be taken at their word.",
        _ if surer.abs() < card.calibration_error / 2.0 => {
            "The network is too sure of some pictures and not sure enough of others; a temperature can not mend both."
        }
        _ if surer > 0.0 => "The network is surer than it is right.",
        _ => {
            "The network is right more often than it is sure, as label smoothing and mixed pictures make it."
        }
    };
    let fitted = match temperature {
        Some(temperature) => format!(" With the fitted temperature {temperature:.2}."),
        None => " A temperature can be fitted: kiln evaluate --fit-temperature.".to_owned(),
    };
    put!(out, "</tbody></table><p class=\"note\">{meaning}{fitted}</p></div></div></section>\n");
    out
}

fn mean_confidence(reliability: &Reliability) -> f64 {
    let samples: u64 = reliability.bins.iter().map(|bin| bin.samples).sum();
    let sum: f64 = reliability.bins.iter().map(|bin| bin.samples as f64 * bin.confidence).sum();
    sum / samples.max(1) as f64
}

fn chart(reliability: &Reliability) -> String {
    let filled = reliability.bins.iter().filter(|bin| bin.samples > 0);
    let points = filled.map(|bin| (100.0 * bin.confidence, 100.0 * bin.accuracy)).collect();
    let largest = reliability.bins.iter().map(|bin| bin.samples).max().unwrap_or(0).max(1) as f64;
    let count = reliability.bins.len() as f64;
    // A step for each bin, as high as a fifth of the chart for the fullest.
    let steps = reliability.bins.iter().enumerate().flat_map(|(number, bin)| {
        let height = 20.0 * bin.samples as f64 / largest;
        let (left, right) = (100.0 * number as f64 / count, 100.0 * (number + 1) as f64 / count);
        [(left, height), (right, height)]
    });
    let axis = || Axis::covering([0.0, 100.0], 5);
    let tick: fn(f64, &Axis) -> String = |value, _| format!("{value:.0}%");
    let chart = XyChart {
        description: "Accuracy by confidence",
        width: 520.0,
        height: 400.0,
        x: Side { label: "confidence", axis: axis(), logarithmic: false, tick },
        y: Side { label: "accuracy", axis: axis(), logarithmic: false, tick },
        lines: vec![
            XyLine { label: "", class: "ideal", points: vec![(0.0, 0.0), (100.0, 100.0)] },
            XyLine { label: "pictures", class: "faint", points: steps.collect() },
            XyLine { label: "accuracy", class: "train", points },
        ],
        marks: Vec::new(),
    };
    chart.to_svg()
}
