//! What a run comes to, in a few words.

use std::cmp::Ordering;

use kiln_trainer::record::EpochRecord;

use crate::format;

/// Consecutive epochs of one stage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stage<'a> {
    pub(crate) name: &'a str,
    /// Index of its first record.
    pub(crate) start: usize,
    pub(crate) len: usize,
}

/// The stages in the order in which they ran.
pub(crate) fn stages(records: &[EpochRecord]) -> Vec<Stage<'_>> {
    let mut stages: Vec<Stage<'_>> = Vec::new();
    for (start, record) in records.iter().enumerate() {
        match stages.last_mut() {
            Some(stage) if stage.name == record.stage => stage.len += 1,
            _ => stages.push(Stage { name: &record.stage, start, len: 1 }),
        }
    }
    stages
}

/// Index of the epoch with the highest validation top-1, that of an average of weights included, of equals the one with
/// the lower loss, then the earlier one.
pub(crate) fn best(records: &[EpochRecord]) -> Option<usize> {
    let top1 = |record: &EpochRecord| {
        record.average.map_or(record.val_top1, |average| record.val_top1.max(average.val_top1))
    };
    let measured = records.iter().enumerate().filter(|(_, record)| top1(record).is_finite());
    let better = |a: &EpochRecord, b: &EpochRecord| {
        let accuracy = top1(a).total_cmp(&top1(b));
        accuracy.then(b.val_loss.total_cmp(&a.val_loss)) == Ordering::Greater
    };
    measured
        .reduce(|best, next| if better(next.1, best.1) { next } else { best })
        .map(|(index, _)| index)
}

/// The validation scores of an epoch: the network's, or those of its average of weights where they are better.
pub(crate) struct Better {
    pub(crate) top1: f64,
    pub(crate) top5: f64,
    pub(crate) loss: f64,
    pub(crate) is_average: bool,
}

/// The better scores of an epoch.
pub(crate) fn better(record: &EpochRecord) -> Better {
    match record.average.filter(|average| average.val_top1 > record.val_top1) {
        Some(average) => Better {
            top1: average.val_top1,
            top5: average.val_top5,
            loss: average.val_loss,
            is_average: true,
        },
        None => Better {
            top1: record.val_top1,
            top5: record.val_top5,
            loss: record.val_loss,
            is_average: false,
        },
    }
}

/// `epoch 3`, or `layer4 epoch 3` where there are several stages.
pub(crate) fn epoch_name(record: &EpochRecord, stages: &[Stage<'_>]) -> String {
    if stages.len() > 1 {
        format!("{} epoch {}", record.stage, record.epoch)
    } else {
        format!("epoch {}", record.epoch)
    }
}

/// How many epochs there were and how the best and the last one did.
pub(crate) fn status(records: &[EpochRecord], best: Option<usize>) -> String {
    let Some(last) = records.last() else { return "No epoch has been finished yet.".to_owned() };
    let stages = stages(records);
    let seconds: f64 =
        records.iter().map(|record| record.seconds).filter(|seconds| seconds.is_finite()).sum();
    let mut text = format::counted(records.len() as u64, "epoch");
    if stages.len() > 1 {
        text = format!("{text} in {}", format::counted(stages.len() as u64, "stage"));
    }
    text = format!("{text}, {}.", format::duration(seconds));
    let numbers = |record: &EpochRecord| {
        let Better { top1, top5, loss, is_average } = better(record);
        format!(
            "validation top-1 {}, top-5 {}, loss {}{}",
            format::percent(top1),
            format::percent(top5),
            format::loss(loss),
            if is_average { " (average of weights)" } else { "" }
        )
    };
    match best {
        Some(best) if best + 1 < records.len() => format!(
            "{text} Best, {}: {}. Last, {}: {}.",
            epoch_name(&records[best], &stages),
            numbers(&records[best]),
            epoch_name(last, &stages),
            numbers(last)
        ),
        Some(_) if records.len() > 1 => format!(
            "{text} The last epoch ({}) is the best: {}.",
            epoch_name(last, &stages),
            numbers(last)
        ),
        _ => format!("{text} {}: {}.", capitalised(&epoch_name(last, &stages)), numbers(last)),
    }
}

pub(crate) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The gap between training and validation in one sentence.
pub(crate) fn gap(records: &[EpochRecord]) -> Option<String> {
    let last = records.last()?;
    let (train, val) = (last.train_top1, last.val_top1);
    if !train.is_finite() || !val.is_finite() {
        return Some(
            "The gap between training and validation is unknown, because one of the two \
             accuracies of the last epoch is not a number."
                .to_owned(),
        );
    }
    let points = (train - val) * 100.0;
    let meaning = match points {
        _ if points > 10.0 => {
            "the model fits its training images much better than new ones, so more data, stronger \
             augmentation or less training would probably help"
        }
        _ if points > 3.0 => "the model fits its training images somewhat better than new ones",
        _ if points >= -3.0 => {
            "the model does about as well on new images as on those it learnt from"
        }
        _ => {
            "training images were the harder ones, as augmentation, dropout and an average over \
             the whole epoch make them"
        }
    };
    Some(format!(
        "In the last epoch top-1 was {} on training images and {} on validation images, a gap of \
         {} points: {meaning}.",
        format::percent(train),
        format::percent(val),
        format!("{points:+.1}").replace('-', "−"),
    ))
}

#[cfg(test)]
pub(crate) fn record(stage: &str, epoch: u64, train_top1: f64, val_top1: f64) -> EpochRecord {
    EpochRecord {
        stage: stage.to_owned(),
        epoch,
        step: epoch * 100,
        train_loss: 1.0,
        train_top1,
        val_loss: 1.1,
        val_top1,
        val_top5: 0.9,
        average: None,
        lr: 1e-3,
        images_per_second: 100.0,
        seconds: 30.0,
        val_macro_f1: 0.0,
        data_seconds: 0.0,
        checkpoint_seconds: 0.0,
        host_memory_bytes: None,
        unix_seconds: 0.0,
        rollbacks: 0,
        halvings: 0,
        device_memory_bytes: None,
        bad_images: 0,
        skipped_steps: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{best, gap, record, stages, status};
    use kiln_trainer::record::AverageScores;

    #[test]
    fn stages_are_runs_of_one_name() {
        let records =
            [record("a", 1, 0.1, 0.1), record("a", 2, 0.1, 0.1), record("b", 1, 0.1, 0.1)];
        let spans: Vec<_> = stages(&records).iter().map(|s| (s.name, s.start, s.len)).collect();
        assert_eq!(spans, [("a", 0, 2), ("b", 2, 1)]);
        assert!(stages(&[]).is_empty());
    }

    #[test]
    fn the_best_epoch() {
        let mut records =
            vec![record("a", 1, 0.0, 0.5), record("a", 2, 0.0, 0.7), record("a", 3, 0.0, 0.7)];
        assert_eq!(best(&records), Some(1));
        records[2].val_loss = 1.0;
        assert_eq!(best(&records), Some(2));
        records[0].val_top1 = f64::NAN;
        assert_eq!(best(&records), Some(2));
        assert_eq!(best(&records[..1]), None);
        let average =
            AverageScores { val_loss: 1.0, val_top1: 0.75, val_top5: 0.9, val_macro_f1: 0.7 };
        records[1].average = Some(average);
        assert_eq!(best(&records), Some(1));
    }

    #[test]
    fn the_status_names_best_and_last() {
        let records = [record("head", 1, 0.5, 0.8), record("all", 1, 0.6, 0.7)];
        let text = status(&records, best(&records));
        assert!(text.starts_with("2 epochs in 2 stages, 1 min 0 s."), "{text}");
        assert!(text.contains("Best, head epoch 1: validation top-1 80.0%"), "{text}");
        assert!(text.contains("Last, all epoch 1: validation top-1 70.0%"), "{text}");
        assert!(
            status(&records[..1], best(&records[..1])).contains("Epoch 1: validation"),
            "{}",
            status(&records[..1], best(&records[..1]))
        );
        assert!(status(&[], None).contains("No epoch"));
    }

    #[test]
    fn the_gap_is_said_plainly() {
        for (train, val, expect) in [
            (0.98, 0.80, "a gap of +18.0 points: the model fits its training images much better"),
            (0.85, 0.80, "somewhat better"),
            (0.81, 0.80, "about as well"),
            (0.60, 0.80, "a gap of −20.0 points: training images were the harder ones"),
            (f64::NAN, 0.80, "unknown"),
        ] {
            let text = gap(&[record("a", 1, train, val)]).unwrap();
            assert!(text.contains(expect), "{text}");
            assert_eq!(text.matches(". ").count(), 0, "{text}");
        }
        assert_eq!(gap(&[]), None);
    }
}
