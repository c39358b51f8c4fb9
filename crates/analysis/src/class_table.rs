//! The table of classes, weakest first.

use kiln_trainer::record::Evaluation;

use crate::format;
use crate::html::{escape, put};
use crate::scores::{ClassScore, class_scores, mean};

/// With more classes than this the whole table is folded away below the weakest ones.
const SHOWN: usize = 30;
const WEAKEST: usize = 15;

/// Precision, recall and F1 of the classes as HTML.
pub(crate) fn table(evaluation: &Evaluation) -> String {
    let mut scores = class_scores(evaluation);
    let average = Average::of(&scores);
    // What is undefined is of no interest and goes to the end.
    let key = |score: &ClassScore| score.f1.unwrap_or(f64::INFINITY);
    scores.sort_by(|a, b| key(a).total_cmp(&key(b)).then_with(|| a.name.cmp(&b.name)));
    if scores.len() <= SHOWN {
        return rows(&scores, &average);
    }
    format!(
        "<h3>The {WEAKEST} weakest of {count} classes</h3>{weakest}\
         <details><summary>All {count} classes</summary><div class=\"scroll\">{all}</div></details>",
        count = format::count(scores.len() as u64),
        weakest = rows(&scores[..WEAKEST], &average),
        all = rows(&scores, &average),
    )
}

/// Each class counts the same, however many samples it has.
struct Average {
    samples: u64,
    precision: Option<f64>,
    recall: Option<f64>,
    f1: Option<f64>,
}

impl Average {
    fn of(scores: &[ClassScore]) -> Self {
        Self {
            samples: scores.iter().map(|score| score.samples).sum(),
            precision: mean(scores.iter().map(|score| score.precision)),
            recall: mean(scores.iter().map(|score| score.recall)),
            f1: mean(scores.iter().map(|score| score.f1)),
        }
    }
}

fn rows(scores: &[ClassScore], average: &Average) -> String {
    let mut out = String::from(
        "<table class=\"wide sortable\"><thead><tr><th>Class</th><th class=\"n\">Images</th>\
         <th class=\"n\">Precision</th><th class=\"n\">Recall</th><th class=\"n\">F1</th></tr></thead><tbody>",
    );
    for score in scores {
        put!(
            out,
            "<tr><td class=\"name\" title=\"{name}\">{name}</td><td class=\"n\" data-v=\"{}\">{}</td>",
            score.samples,
            format::count(score.samples),
            name = escape(&score.name),
        );
        for value in [score.precision, score.recall, score.f1] {
            let width = value.unwrap_or(0.0);
            put!(
                out,
                "<td class=\"n bar\" data-v=\"{width:.6}\" style=\"--v:{width:.3}\">{}</td>",
                format::percent_or_none(value)
            );
        }
        out.push_str("</tr>");
    }
    put!(
        out,
        "</tbody><tfoot><tr><td>Mean over classes</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
         <td class=\"n\">{}</td><td class=\"n\">{}</td></tr></tfoot></table>",
        format::count(average.samples),
        format::percent_or_none(average.precision),
        format::percent_or_none(average.recall),
        format::percent_or_none(average.f1),
    );
    out
}
