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

/// The findings of all rules on the last stage of a run with `classes` classes; none when nothing is wrong.
pub fn diagnose(records: &[EpochRecord], classes: usize) -> Vec<Finding> {
    let Some(stage) = stages(records).last().map(|stage| stage.start) else { return Vec::new() };
    let records = &records[stage..];
    let rules = [
        stuck(records, classes),
        gap(records),
        plateau(records),
        jumps(records),
        rising(records),
        waiting(records),
    ];
    rules.into_iter().flatten().chain(incidents(records)).collect()
}

fn points(fraction: f64) -> f64 {
    100.0 * fraction
}

fn best(records: &[EpochRecord]) -> f64 {
    records.iter().map(|record| record.val_top1).fold(0.0, f64::max)
}

fn stuck(records: &[EpochRecord], classes: usize) -> Option<Finding> {
    let chance = 1.0 / classes.max(2) as f64;
    let best = best(records);
    let fires = records.len() >= 3 && best < 1.5 * chance;
    fires.then(|| Finding {
        rule: format!(
            "stuck at chance: the best validation top-1 of {} epochs is {:.1} %, chance gives {:.1} %",
            records.len(),
            points(best),
            points(chance)
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
    let not_stuck = last.train_top1 < 0.95;
    (fires && not_stuck).then(|| Finding {
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
    said.map(|(count, what, advice)| Finding { rule: format!("{count} {what}"), advice }).collect()
}

#[cfg(test)]
mod tests {
    use super::diagnose;
    use crate::summary::record;
    use kiln_trainer::record::EpochRecord;

    fn run(top1: impl Fn(u64) -> (f64, f64)) -> Vec<EpochRecord> {
        (1..=10).map(|epoch| record("train", epoch, top1(epoch).0, top1(epoch).1)).collect()
    }

    fn rules(records: &[EpochRecord]) -> Vec<String> {
        let found = diagnose(records, 10).into_iter();
        found.map(|finding| finding.rule.split(':').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn each_rule_fires_on_its_curve_alone() {
        let level = |epoch: u64| 0.8_f64.min(0.2 * epoch as f64);
        assert_eq!(rules(&run(|_| (0.1, 0.11))), ["stuck at chance", "early plateau"]);
        assert_eq!(rules(&run(|epoch| (0.99, level(epoch)))), ["gap over 15 points"]);
        assert_eq!(rules(&run(|epoch| (0.8, level(epoch)))), ["early plateau"]);
        assert_eq!(rules(&run(|epoch| (0.5, 0.05 * epoch as f64))), ["still rising"]);
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
                "2 returns to a checkpoint after a loss that was no number",
                "3 pictures that could not be decoded in the last epoch",
            ]
        );
    }
}
