//! Which classes are taken for which.

use std::cmp::Reverse;

use kiln_trainer::record::Evaluation;

use crate::format;
use crate::html::{escape, put};
use crate::scores::{class_name, fraction};

/// Samples of one class that were taken for another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConfusedPair {
    /// The class that they are of.
    pub truth: usize,
    /// The class that they were taken for.
    pub predicted: usize,
    /// How many there are.
    pub count: u64,
    /// Their share of all samples of `truth`.
    pub share: f64,
}

/// The `limit` largest confusions, most frequent first, then by share and by class.
pub fn most_confused(evaluation: &Evaluation, limit: usize) -> Vec<ConfusedPair> {
    let mut pairs = Vec::new();
    for (truth, row) in evaluation.confusion.iter().enumerate() {
        let samples = row.iter().sum();
        for (predicted, &count) in row.iter().enumerate() {
            if truth != predicted && count > 0 {
                let share = fraction(count, samples).unwrap_or(0.0);
                pairs.push(ConfusedPair { truth, predicted, count, share });
            }
        }
    }
    pairs.sort_by(|a, b| {
        let counts = Reverse(a.count).cmp(&Reverse(b.count));
        counts.then(b.share.total_cmp(&a.share))
    });
    pairs.truncate(limit);
    pairs
}

/// The confusions as a table.
pub(crate) fn table(evaluation: &Evaluation, limit: usize) -> String {
    let pairs = most_confused(evaluation, limit);
    if pairs.is_empty() {
        return "<p class=\"note\">No sample was taken for another class.</p>".to_owned();
    }
    let mut out = String::from(
        "<table><thead><tr><th>Truth</th><th>Predicted</th><th class=\"n\">Images</th>\
         <th class=\"n\">Of the class</th></tr></thead><tbody>",
    );
    // Bars are relative to the longest one: shares of single confusions are all small.
    let largest = pairs.iter().map(|pair| pair.share).fold(0.0, f64::max);
    for pair in pairs {
        let truth = escape(&class_name(evaluation, pair.truth));
        let predicted = escape(&class_name(evaluation, pair.predicted));
        put!(
            out,
            "<tr><td class=\"name\" title=\"{truth}\">{truth}</td>\
             <td class=\"name\" title=\"{predicted}\">{predicted}</td><td class=\"n\">{}</td>\
             <td class=\"n bar miss\" style=\"--v:{:.3}\">{}</td></tr>",
            format::count(pair.count),
            pair.share / largest,
            format::percent(pair.share),
        );
    }
    out.push_str("</tbody></table>");
    out
}

#[cfg(test)]
mod tests {
    use super::{most_confused, table};
    use crate::scores::evaluation;

    #[test]
    fn pairs_are_ordered_by_count_then_share() {
        let evaluation = evaluation(&[&[90, 5, 5], &[5, 5, 0], &[7, 0, 3]]);
        let pairs = most_confused(&evaluation, 3);
        let order: Vec<_> = pairs.iter().map(|pair| (pair.truth, pair.predicted)).collect();
        assert_eq!(order, [(2, 0), (1, 0), (0, 1)]);
        assert_eq!(pairs[0].share, 0.7);
        assert_eq!(pairs[2].share, 0.05);
    }

    #[test]
    fn names_are_escaped_and_nothing_is_said_plainly() {
        let mut evaluation = evaluation(&[&[1, 1], &[0, 2]]);
        evaluation.class_names[0] = "<script>".to_owned();
        assert!(table(&evaluation, 5).contains(">&lt;script&gt;<"));
        evaluation.confusion[0] = vec![1, 0];
        assert!(table(&evaluation, 5).contains("No sample"));
    }
}
