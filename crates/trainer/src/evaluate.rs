//! Scoring a network on a labelled set.

use crate::checkpoint::CheckpointSet;
use crate::device_read::on_device;
use crate::error::Error;
use crate::feed::Feed;
use crate::macro_f1::macro_f1;
use crate::outputs::Outputs;
use crate::plan::StagePlan;
use crate::ranks::settle;
use crate::record::Evaluation;
use crate::tally::{Tally, argmax};
use crate::training_pictures::labels;
use burn::module::Module as _;
use burn::tensor::Device;
use kiln_data::{BatchPlan, Listing, Loader, Recipe, SampleKeys};
use kiln_models::Network;
use kiln_parallel::Ranks;
use std::sync::Arc;

/// Hits, losses and the confusion matrix.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scores {
    pub(crate) tally: Tally,
    /// Pictures by true class (outer) and predicted class (inner).
    pub(crate) confusion: Vec<Vec<u64>>,
}

impl Scores {
    /// The scores of all ranks' pictures.
    fn of_all(mut self, ranks: &Ranks) -> Result<Self, Error> {
        if ranks.is_alone() {
            return Ok(self);
        }
        self.tally = self.tally.of_all(ranks)?;
        let classes = self.confusion.len();
        let mut counts = self.confusion.concat();
        ranks.sum_counts(&mut counts)?;
        self.confusion = counts.chunks(classes.max(1)).map(<[u64]>::to_vec).collect();
        Ok(self)
    }

    pub(crate) fn into_evaluation(
        self,
        set: &CheckpointSet,
        averaged: bool,
        class_names: &[String],
    ) -> Evaluation {
        Evaluation {
            checkpoint: set.name(),
            averaged,
            step: set.state.run_step,
            samples: self.tally.samples,
            loss: self.tally.loss(),
            top1: self.tally.top1(),
            top5: self.tally.top5(),
            macro_f1: macro_f1(&self.confusion),
            class_names: class_names.to_vec(),
            confusion: self.confusion,
            bad_images: self.tally.bad_images,
        }
    }
}

/// What a network is scored on.
pub(crate) struct Test<'a> {
    pub(crate) listing: &'a Arc<Listing>,
    /// How its pictures become the input.
    pub(crate) recipe: &'a Arc<Recipe>,
    /// Whose loss and batches are used.
    pub(crate) stage: &'a StagePlan,
    /// How often its passes were halved.
    pub(crate) halvings: u32,
    /// The ranks that share its pictures.
    pub(crate) ranks: &'a Ranks,
}

/// Scores `network` on every picture of the listing, once, in order, on the plain device. `outputs` gets the logits. Of
/// several ranks each takes a part, and all get the scores and the logits of the whole.
pub(crate) fn evaluate(
    network: &Network,
    device: &Device,
    loader: &Loader,
    test: &Test<'_>,
    mut outputs: Option<&mut Outputs>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Scores, Error> {
    let ranks = test.ranks;
    let before = outputs.as_deref().map_or(0, Outputs::len);
    let own = evaluate_part(network, device, loader, test, outputs.as_deref_mut(), progress);
    let own = settle(ranks, own)?;
    if let Some(outputs) = outputs {
        outputs.gather(ranks, before)?;
    }
    own.of_all(ranks)
}

/// Scores this rank's part of the listing.
fn evaluate_part(
    network: &Network,
    device: &Device,
    loader: &Loader,
    test: &Test<'_>,
    mut outputs: Option<&mut Outputs>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Scores, Error> {
    let Test { listing, recipe, stage, halvings, ranks } = *test;
    let network = network.valid();
    let classes = stage.card.class_names.len();
    let mut scores = Scores { tally: Tally::default(), confusion: vec![vec![0; classes]; classes] };
    let own = ranks.part_of(listing.count());
    let total = own.len();
    let plan = BatchPlan::evaluation(own, stage.pictures_in_pass(device, halvings));
    let mut done = 0;
    let keys = SampleKeys::evaluation();
    let mut batches = Feed::start(loader, (listing, plan), recipe, keys, device);
    while let Some(batch) = batches.next() {
        let batch = batch?;
        scores.tally.bad_images += batch.bad as u64;
        done += batch.labels.len() + batch.bad;
        if batch.labels.is_empty() {
            continue;
        }
        let labels = labels(&batch.labels, None);
        let indices = batch.indices.clone();
        let input = batch.into_input(None, &mut Vec::new()).part(0..labels.len(), device);
        let logits = network.forward(input);
        let loss = stage.loss.sum(logits.clone(), &labels, device);
        batches.prepare_next();
        let loss: f32 = on_device(loss.try_into_data())?.iter::<f32>().sum();
        let logits: Vec<f32> = on_device(logits.try_into_data())?.iter::<f32>().collect();
        scores.tally.add(&logits, &labels, f64::from(loss));
        for (row, label) in logits.chunks_exact(classes).zip(&labels) {
            scores.confusion[label.class as usize][argmax(row)] += 1;
        }
        if let Some(outputs) = outputs.as_deref_mut() {
            outputs.add(listing, &indices, labels.iter().map(|label| label.class), &logits);
        }
        progress(done, total);
    }
    Ok(scores)
}
