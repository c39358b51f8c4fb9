//! The confusion matrix as SVG: row = truth, column = prediction, shade = share of the row.

use kiln_trainer::record::Evaluation;

use crate::format;
use crate::html::{escape, put, shorten};
use crate::scores::{class_name, fraction};

/// Up to here counts stand in the cells.
const COUNTED: usize = 15;
/// Up to here rows and columns are named.
const NAMED: usize = 30;
/// Up to here each cell is a class; beyond, neighbouring classes share one.
const SINGLE: usize = 120;
/// Shades that cells without tooltips are sorted into.
const SHADES: usize = 12;

/// The matrix and a sentence about how to read it.
pub(crate) fn matrix(evaluation: &Evaluation) -> String {
    let classes = evaluation.confusion.len();
    if classes == 0 {
        return "<p class=\"note\">There are no classes.</p>".to_owned();
    }
    let block = classes.div_ceil(SINGLE);
    let cells = gather(&evaluation.confusion, block);
    let svg = if classes <= NAMED { named(evaluation) } else { shaded(&cells, evaluation) };
    let note = if block > 1 {
        format!(
            " Each cell gathers {block} × {block} of {} classes.",
            format::count(classes as u64)
        )
    } else {
        String::new()
    };
    let class = if classes > COUNTED { " class=\"large\"" } else { "" };
    format!("<figure{class}>{svg}<figcaption>{}{note}</figcaption></figure>", legend())
}

/// The counts with `block` neighbouring classes added up, as a square.
fn gather(confusion: &[Vec<u64>], block: usize) -> Vec<Vec<u64>> {
    let size = confusion.len().div_ceil(block);
    let mut cells = vec![vec![0; size]; size];
    for (truth, row) in confusion.iter().enumerate() {
        for (predicted, count) in row.iter().enumerate().take(confusion.len()) {
            cells[truth / block][predicted / block] += count;
        }
    }
    cells
}

/// How dark a cell is. The root lifts the rare confusions, which are what one looks for.
fn opacity(share: f64) -> f64 {
    if share > 0.0 { 0.03 + 0.97 * share.min(1.0).sqrt() } else { 0.0 }
}

fn kind(row: usize, column: usize) -> &'static str {
    if row == column { "hit" } else { "miss" }
}

/// A matrix with names, tooltips and, where they fit, counts.
fn named(evaluation: &Evaluation) -> String {
    let classes = evaluation.confusion.len();
    let cell = (560.0 / classes as f64).clamp(20.0, 48.0);
    let names: Vec<String> = (0..classes).map(|class| class_name(evaluation, class)).collect();
    let shorts: Vec<String> = names.iter().map(|name| escape(&shorten(name, 18))).collect();
    let longest = names.iter().map(|name| name.chars().count().min(18)).max().unwrap_or(0);
    let label = longest as f64 * 6.6 + 10.0;
    let extent = cell * classes as f64;
    // Column names hang at 45 degrees.
    let (left, top) = (label.max(24.0) + 22.0, 26.0);
    let (width, height) = (left + extent + 4.0, top + extent + label * 0.72 + 14.0);

    let mut out = open(width, height, width);
    put!(
        out,
        "<text class=\"tick\" x=\"{:.1}\" y=\"14\" text-anchor=\"middle\">predicted</text>\
         <text class=\"tick\" transform=\"translate(12 {:.1}) rotate(-90)\" text-anchor=\"middle\">truth</text>",
        left + extent / 2.0,
        top + extent / 2.0
    );
    for (row, counts) in evaluation.confusion.iter().enumerate() {
        let middle = (row as f64 + 0.5) * cell;
        put!(
            out,
            "<text class=\"name\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{name}<title>{full}</title></text>\
             <text class=\"name\" transform=\"translate({:.1} {:.1}) rotate(-45)\" text-anchor=\"end\">{name}<title>{full}</title></text>",
            left - 8.0,
            top + middle + 4.0,
            left + middle + 4.0,
            top + extent + 14.0,
            name = shorts[row],
            full = escape(&names[row]),
        );
        let samples: u64 = counts.iter().sum();
        for (column, &count) in counts.iter().enumerate().take(classes) {
            let (x, y) = (left + column as f64 * cell, top + row as f64 * cell);
            let share = fraction(count, samples).unwrap_or(0.0);
            let opacity = opacity(share);
            put!(
                out,
                "<g><title>{} taken for {}: {} of {} ({})</title>\
                 <rect class=\"empty\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{size:.1}\" height=\"{size:.1}\"/>",
                escape(&names[row]),
                escape(&names[column]),
                format::count(count),
                format::count(samples),
                format::percent(share),
                size = cell - 1.5,
            );
            if count > 0 {
                put!(
                    out,
                    "<rect class=\"{}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{size:.1}\" height=\"{size:.1}\" fill-opacity=\"{opacity:.2}\"/>",
                    kind(row, column),
                    size = cell - 1.5,
                );
            }
            if classes <= COUNTED && count > 0 {
                let digits = format::count(count);
                let font = (cell / (digits.len() as f64 * 0.62 + 0.5)).min(13.0);
                put!(
                    out,
                    "<text class=\"count{}\" x=\"{:.1}\" y=\"{:.1}\" font-size=\"{font:.1}\" text-anchor=\"middle\">{digits}</text>",
                    if opacity > 0.6 { " on" } else { "" },
                    x + (cell - 1.5) / 2.0,
                    y + cell / 2.0 + font * 0.33,
                );
            }
            out.push_str("</g>");
        }
    }
    out.push_str("</svg>");
    out
}

/// A matrix of many classes: only shades, with one path for each, so that the file stays small.
fn shaded(cells: &[Vec<u64>], evaluation: &Evaluation) -> String {
    let extent = 600.0;
    let (left, top) = (24.0, 26.0);
    let cell = extent / cells.len() as f64;
    let mut paths = [const { [const { String::new() }; SHADES] }; 2];
    for (row, counts) in cells.iter().enumerate() {
        let samples: u64 = counts.iter().sum();
        for (column, &count) in counts.iter().enumerate() {
            let Some(share) = fraction(count, samples).filter(|share| *share > 0.0) else {
                continue;
            };
            let level = (0..SHADES - 1)
                .take_while(|level| opacity(share) * SHADES as f64 > (level + 1) as f64)
                .count();
            put!(
                paths[usize::from(row != column)][level],
                "M{:.1} {:.1}h{cell:.2}v{cell:.2}h-{cell:.2}z",
                left + column as f64 * cell,
                top + row as f64 * cell
            );
        }
    }
    let mut out = open(left + extent + 4.0, top + extent + 6.0, left + extent + 4.0);
    put!(
        out,
        "<text class=\"tick\" x=\"{:.1}\" y=\"14\" text-anchor=\"middle\">predicted</text>\
         <text class=\"tick\" transform=\"translate(12 {:.1}) rotate(-90)\" text-anchor=\"middle\">truth</text>\
         <rect class=\"empty\" x=\"{left}\" y=\"{top}\" width=\"{extent}\" height=\"{extent}\"/>",
        left + extent / 2.0,
        top + extent / 2.0
    );
    for (kind, shades) in ["hit", "miss"].into_iter().zip(&paths) {
        for (level, path) in shades.iter().enumerate().filter(|(_, path)| !path.is_empty()) {
            let opacity = (level + 1) as f64 / SHADES as f64;
            put!(out, "<path class=\"{kind}\" fill-opacity=\"{opacity:.2}\" d=\"{path}\"/>");
        }
    }
    // Where each cell is a class, those that are not empty say what they are.
    let single = cells.len() == evaluation.confusion.len();
    for (row, counts) in cells.iter().enumerate().filter(|_| single) {
        for (column, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            put!(
                out,
                "<rect class=\"cell\" x=\"{:.1}\" y=\"{:.1}\" width=\"{cell:.2}\" height=\"{cell:.2}\"><title>{} taken for {}: {}</title></rect>",
                left + column as f64 * cell,
                top + row as f64 * cell,
                escape(&class_name(evaluation, row)),
                escape(&class_name(evaluation, column)),
                format::count(count)
            );
        }
    }
    out.push_str("</svg>");
    out
}

fn open(width: f64, height: f64, natural: f64) -> String {
    format!(
        "<svg class=\"matrix\" viewBox=\"0 0 {width:.0} {height:.0}\" style=\"max-width:{natural:.0}px\" \
         role=\"img\" aria-label=\"Confusion matrix\">"
    )
}

/// Swatches that say what a shade means.
fn legend() -> String {
    let mut out = String::from("Shade: share of the row.");
    for (kind, label) in [("hit", "Right"), ("miss", "Wrong")] {
        put!(out, " <span class=\"swatches\"><em>{label}</em>");
        for share in [0.01, 0.1, 0.5, 1.0] {
            put!(
                out,
                "<i><b class=\"{kind}\" style=\"opacity:{:.2}\"></b>{:.0}%</i>",
                opacity(share),
                share * 100.0
            );
        }
        out.push_str("</span>");
    }
    out
}

#[cfg(test)]
mod tests {
    use kiln_trainer::record::Evaluation;

    use super::{SINGLE, gather, matrix, opacity};
    use crate::scores::evaluation;

    fn diagonal(classes: usize) -> Evaluation {
        let row = |class| (0..classes).map(|other| u64::from(other == class) * 1200).collect();
        Evaluation {
            class_names: vec!["<script>".to_owned(); classes],
            confusion: (0..classes).map(row).collect(),
            ..evaluation(&[])
        }
    }

    #[test]
    fn few_classes_have_names_and_counts() {
        let html = matrix(&diagonal(10));
        assert!(html.contains(">1,200<") && html.contains("&lt;script&gt;"));
        assert!(!html.contains("<script>"));
        let html = matrix(&diagonal(25));
        assert!(!html.contains(">1,200<") && html.contains("&lt;script&gt;"));
    }

    #[test]
    fn many_classes_are_shades() {
        for classes in [31, 120, 1000] {
            let html = matrix(&diagonal(classes));
            assert!(!html.contains("<script"), "{classes}");
            // What cannot be named in the margin says its name under the pointer.
            let named = html.contains("<title>&lt;script&gt; taken for");
            assert_eq!(named, classes <= SINGLE, "{classes}");
            assert!(html.len() < 200_000, "{classes}: {}", html.len());
        }
        assert!(matrix(&diagonal(1000)).contains("gathers 9 × 9 of 1,000 classes"));
        assert!(!matrix(&diagonal(120)).contains("gathers"));
    }

    #[test]
    fn matrices_without_samples_draw() {
        let mut evaluation = diagonal(2);
        evaluation.confusion = vec![vec![0, 0], vec![]];
        assert!(matrix(&evaluation).contains("</svg>"));
        evaluation.confusion = vec![];
        assert!(matrix(&evaluation).contains("no classes"));
    }

    #[test]
    fn gathering_keeps_every_sample() {
        let confusion = vec![vec![1, 2, 3], vec![4, 5, 6], vec![7, 8, 9]];
        assert_eq!(gather(&confusion, 2), [[12, 9], [15, 9]]);
        assert_eq!(gather(&confusion, 1), confusion);
    }

    #[test]
    fn shades_grow_with_the_share() {
        assert_eq!(opacity(0.0), 0.0);
        assert!(opacity(0.01) > 0.1 && opacity(0.01) < opacity(0.5));
        assert!((opacity(1.0) - 1.0).abs() < 1e-12);
    }
}
