//! Images/s of the loader: decode, random resized crop 224, flip, normalise.

use super::median;
use crate::output::say;
use kiln_augment::{Normalize, OpSpec, Pipeline, Size};
use kiln_data::{
    BatchPlan, BatchShape, ImageFolder, Layout, Listing, Loader, LoaderSettings, Recipe, SampleKeys,
};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

const ROUNDS: u64 = 7;

pub(super) fn loader(folder: &Path) -> anyhow::Result<()> {
    let listing = Arc::new(training_pictures(folder)?);
    let ops: Vec<OpSpec> = serde_json::from_value(serde_json::json!([
        { "type": "random_resized_crop" }, { "type": "random_horizontal_flip" },
    ]))?;
    let size = Size::square(224);
    let recipe = Arc::new(Recipe {
        pipeline: Pipeline::build(&ops, size)?,
        normalize: Normalize::IMAGENET,
        size,
    });
    say(format!("{} pictures of {}, median of {ROUNDS} epochs", listing.len(), folder.display()));
    say("workers  images/s  slowest  fastest");
    for workers in [1, 2] {
        let loader = Loader::new(LoaderSettings { workers, ..LoaderSettings::default() });
        let mut rates = Vec::new();
        for epoch in 0..ROUNDS {
            let plan =
                BatchPlan::training(0, epoch, listing.count(), BatchShape::new(32, 1, false)?, 0);
            let keys = SampleKeys::training(0, epoch);
            let began = Instant::now();
            let mut images = 0;
            for batch in loader.run::<f32>(listing.clone(), plan, recipe.clone(), keys) {
                images += batch?.len();
            }
            rates.push(images as f64 / began.elapsed().as_secs_f64());
        }
        let slowest = rates.iter().copied().fold(f64::INFINITY, f64::min);
        let fastest = rates.iter().copied().fold(0.0, f64::max);
        say(format!("{workers:>7}  {:>8.0}  {slowest:>7.0}  {fastest:>7.0}", median(rates)));
    }
    Ok(())
}

/// The pictures of a folder: its training split, or all of it.
pub(super) fn training_pictures(folder: &Path) -> anyhow::Result<Listing> {
    Ok(match ImageFolder::open(folder).map_err(kiln_trainer::Error::from)?.into_layout() {
        Layout::Separate { train, .. } => train,
        Layout::Whole(whole) => whole,
    })
}
