//! What a run's curves mean, in plain words.

use crate::summary::stages;
use kiln_trainer::record::EpochRecord;

/// A rule that fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule, with its numbers.
    pub rule: String,
    /// What it means and what to change.
    pub advice: &'static str,
}

/// What guessing would give.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chance {
    /// Share of the largest class: the accuracy of naming it always.
    pub accuracy: f64,
    /// Pictures that accuracies are of.
    pub samples: u64,
}

/// The findings of all rules on the last stage of a run; none when nothing is wrong. Without knowing what chance gives,
/// nothing is said about it.
pub fn diagnose(records: &[EpochRecord], chance: Option<Chance>) -> Vec<Finding> {
    let Some(stage) = stages(records).last().map(|stage| stage.start) else { return Vec::new() };
    let records = &records[stage..];
    let stuck = chance.and_then(|chance| stuck(records, chance));
    // What does not learn at all has other troubles than one that stops learning.
    let flat = if stuck.is_some() { None } else { plateau(records) };
    let rules = [stuck, gap(records), flat, jumps(records), rising(records), waiting(records)];
    rules.into_iter().flatten().chain(incidents(records)).collect()
}

fn points(fraction: f64) -> f64 {
    100.0 * fraction
}

fn best(records: &[EpochRecord]) -> f64 {
    records.iter().map(|record| record.val_top1).fold(0.0, f64::max)
}

/// Within two standard deviations of chance.
fn stuck(records: &[EpochRecord], chance: Chance) -> Option<Finding> {
    let Chance { accuracy, samples } = chance;
    let deviation = (accuracy * (1.0 - accuracy) / samples.max(1) as f64).sqrt();
    let best = best(records);
    let fires = records.len() >= 3 && best < accuracy + 2.0 * deviation;
    fires.then(|| Finding {
        rule: format!(
            "stuck at chance: the best validation top-1 of {} epochs is {:.1} %, naming the largest class always gives {:.1} %",
            records.len(),
            points(best),
            points(accuracy)
        ),
        advice: "Look at the pictures and their labels as the network gets them (kiln train --dry-run), and try a learning \
                 rate that a range test suggests (kiln lr-find).",
    })
}

fn gap(records: &[EpochRecord]) -> Option<Finding> {
    let last = records.last()?;
    let gap = last.train_top1 - last.val_top1;
    (gap > 0.15).then(|| Finding {
        rule: format!(
            "gap over 15 points: top-1 of the last epoch is {:.1} % in training and {:.1} % in validation",
            points(last.train_top1),
            points(last.val_top1)
        ),
        advice: "The network learns its training pictures by heart. More pictures help most; else stronger augmentation, mixup \
                 and cutmix (phase2), dropout, more weight decay, fewer epochs, or more frozen layers in fine-tuning.",
    })
}

/// The highest accuracy long before the end, and no gap that would explain it.
fn plateau(records: &[EpochRecord]) -> Option<Finding> {
    let last = records.last()?;
    let half = records.len() / 2;
    let gain = best(records) - best(&records[..half]);
    let fires = records.len() >= 6 && gain < 0.005 && last.train_top1 - last.val_top1 < 0.05;
    // Who knows nearly everything has nothing left to gain.
    let could_gain = last.train_top1 < 0.95 && best(records) < 0.9;
    (fires && could_gain).then(|| Finding {
        rule: format!(
            "early plateau: the second half of {} epochs gained {:.1} points, with a gap of {:.1} points",
            records.len(),
            points(gain),
            points(last.train_top1 - last.val_top1)
        ),
        advice: "The network could fit more than it does. Unfreeze more of it, take a larger one or larger pictures, less \
                 augmentation, or train longer at a higher rate.",
    })
}

fn jumps(records: &[EpochRecord]) -> Option<Finding> {
    let pairs = records.windows(2).filter(|pair| pair[0].val_loss.is_finite());
    let rises = pairs.filter(|pair| pair[1].val_loss > 1.25 * pair[0].val_loss).count();
    let fires = records.len() >= 4 && 5 * rises >= records.len();
    fires.then(|| Finding {
        rule: format!(
            "jumping loss: the validation loss rose by more than a quarter after {rises} of {} epochs",
            records.len()
        ),
        advice: "Lower the learning rate by two to five times, bound the gradients (clip_grad_norm), or warm up longer.",
    })
}

/// Still better at the end.
fn rising(records: &[EpochRecord]) -> Option<Finding> {
    let last = records.len().checked_sub(1)?;
    let before = last - (records.len() / 5).max(1).min(last);
    let gain = records[last].val_top1 - records[before].val_top1;
    let fires = last >= 4 && gain > 0.01 && records[last].val_top1 >= best(records);
    fires.then(|| Finding {
        rule: format!(
            "still rising: the last {} of {} gained {:.1} points, and the last is the best",
            crate::format::counted((last - before) as u64, "epoch"),
            records.len(),
            points(gain)
        ),
        advice: "Train longer; with a schedule that ends at a low rate, begin anew with more epochs.",
    })
}

fn waiting(records: &[EpochRecord]) -> Option<Finding> {
    let waited: f64 = records.iter().map(|record| record.data_seconds).sum();
    let all: f64 = records.iter().map(|record| record.seconds).sum();
    (waited > 0.2 * all).then(|| Finding {
        rule: format!("waiting for pictures: {:.0} % of the time", points(waited / all)),
        advice: "More loader threads (--workers), smaller files, or a faster disk would make training faster.",
    })
}

/// What happened on the way.
fn incidents(records: &[EpochRecord]) -> Vec<Finding> {
    let Some(last) = records.last() else { return Vec::new() };
    let skipped: u64 = records.iter().map(|record| record.skipped_steps).sum();
    let incidents = [
        (
            last.halvings,
            "out of memory, passes halved",
            "Batch norm saw fewer pictures at a time than the recipe says; smaller pictures or 16-bit precision take less.",
        ),
        (
            last.rollbacks,
            "returns to a checkpoint after a loss that was no number",
            "Lower the learning rate; the run did so for itself.",
        ),
        (
            last.bad_images,
            "pictures that could not be decoded in the last epoch",
            "kiln data describe names them.",
        ),
        (
            skipped,
            "steps left out because gradients overflowed in f16",
            "A few are usual; many speak for bf16 or a lower rate.",
        ),
    ];
    let said = incidents.into_iter().filter(|(count, ..)| *count > 0);
    said.map(|(count, what, advice)| Finding { rule: format!("{what}: {count}"), advice }).collect()
}

#[cfg(test)]
mod tests {
    use super::{Chance, diagnose};
    use crate::summary::record;
    use kiln_trainer::record::EpochRecord;

    fn run(top1: impl Fn(u64) -> (f64, f64)) -> Vec<EpochRecord> {
        (1..=10).map(|epoch| record("train", epoch, top1(epoch).0, top1(epoch).1)).collect()
    }

    fn rules(records: &[EpochRecord]) -> Vec<String> {
        let chance = Chance { accuracy: 0.1, samples: 400 };
        let found = diagnose(records, Some(chance)).into_iter();
        found.map(|finding| finding.rule.split(':').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn each_rule_fires_on_its_curve_alone() {
        let level = |epoch: u64| 0.8_f64.min(0.2 * epoch as f64);
        assert_eq!(rules(&run(|_| (0.1, 0.11))), ["stuck at chance"]);
        assert_eq!(rules(&run(|epoch| (0.99, level(epoch)))), ["gap over 15 points"]);
        assert_eq!(rules(&run(|epoch| (0.8, level(epoch)))), ["early plateau"]);
        assert_eq!(rules(&run(|epoch| (0.5, 0.05 * epoch as f64))), ["still rising"]);
        // A run that nobody knows the classes of is not called stuck.
        assert_eq!(diagnose(&run(|_| (0.1, 0.11)), None).len(), 1);
        // Fits its training pictures, and does as well on others: nothing to change.
        assert!(rules(&run(|epoch| (0.99, 0.97 * level(epoch) / 0.8))).is_empty());
        assert!(rules(&[]).is_empty());
    }

    #[test]
    fn losses_that_jump_and_incidents_are_told() {
        let mut records = run(|epoch| (0.99, 0.9 + 0.005 * (epoch / 10) as f64));
        for (epoch, record) in records.iter_mut().enumerate() {
            record.val_loss = if epoch % 2 == 0 { 1.0 } else { 1.3 };
            record.data_seconds = 10.0;
        }
        records[9].rollbacks = 2;
        records[9].bad_images = 3;
        assert_eq!(
            rules(&records),
            [
                "jumping loss",
                "waiting for pictures",
                "returns to a checkpoint after a loss that was no number",
                "pictures that could not be decoded in the last epoch",
            ]
        );
    }
}
