//! Measures the loader on a folder of pictures: decode, random resized crop to 224 px, flip, normalise.
//!
//! ```text
//! cargo run -p kiln-data --example loader_throughput -- DIR [workers ...]
//! ```
//!
//! First it says where the time of one picture goes, then how many pictures each number of workers delivers.
#![allow(clippy::print_stdout, reason = "an example talks to its user")]

use kiln_augment::{
    Normalize, OpSpec, Pipeline, RandomHorizontalFlipSpec, RandomResizedCropSpec, Size,
};
use kiln_data::{
    BatchPlan, BatchShape, Decoder, ImageFolder, Layout, Listing, Loader, LoaderSettings, Recipe,
    SampleKeys,
};
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SIDE: u32 = 224;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let root = arguments.next().ok_or("usage: loader_throughput DIR [workers ...]")?;
    let mut workers = arguments.map(|n| n.parse()).collect::<Result<Vec<usize>, _>>()?;
    if workers.is_empty() {
        workers = vec![0, 1, 2];
    }
    let listing = match ImageFolder::open(&root)?.into_layout() {
        Layout::Whole(listing) | Layout::Separate { train: listing, .. } => Arc::new(listing),
    };
    println!(
        "{} pictures, {} bytes of memory for each",
        listing.len(),
        listing.heap_bytes() / listing.len()
    );
    let size = Size::square(SIDE);
    let ops = [
        OpSpec::RandomResizedCrop(RandomResizedCropSpec::default()),
        OpSpec::RandomHorizontalFlip(RandomHorizontalFlipSpec::default()),
    ];
    let transforms = ops.iter().map(|op| op.build(size)).collect::<Result<_, _>>()?;
    let recipe =
        Recipe { pipeline: Pipeline::new(transforms), normalize: Normalize::IMAGENET, size };
    let recipe = Arc::new(recipe);
    stages(&listing, &recipe)?;
    for workers in workers {
        let plan = BatchPlan::training(0, 0, listing.count(), BatchShape::new(32, 1, false)?, 0);
        let loader = Loader::new(LoaderSettings { workers, ..LoaderSettings::default() });
        let keys = SampleKeys::training(0, 0);
        let start = Instant::now();
        let mut seen = 0;
        for batch in loader.run(Arc::clone(&listing), plan, Arc::clone(&recipe), keys) {
            seen += batch?.len();
        }
        let rate = seen as f64 / start.elapsed().as_secs_f64();
        println!("{workers} workers: {rate:.0} pictures/s");
    }
    Ok(())
}

/// Prints where the time of a picture goes.
fn stages(listing: &Listing, recipe: &Recipe) -> Result<(), Box<dyn Error>> {
    let mut spent = [("read", Duration::ZERO), ("read and decode", Duration::ZERO)]
        .into_iter()
        .chain([("crop, resize, flip", Duration::ZERO), ("normalise", Duration::ZERO)])
        .collect::<Vec<_>>();
    let mut decoder = Decoder::new();
    let mut planes = vec![0.0; recipe.sample_len()];
    for index in 0..listing.count() {
        let path = listing.path(index);
        let start = Instant::now();
        std::fs::read(&path)?;
        spent[0].1 += start.elapsed();
        let start = Instant::now();
        let image = decoder.decode(&path).map_err(kiln_data::Error::from)?;
        spent[1].1 += start.elapsed();
        let start = Instant::now();
        let image = recipe.pipeline.apply(image, SampleKeys::training(0, 0).of(index));
        spent[2].1 += start.elapsed();
        let start = Instant::now();
        recipe.normalize.to_planar(&image, &mut planes);
        spent[3].1 += start.elapsed();
    }
    for (stage, time) in spent {
        let each = time.as_secs_f64() * 1000.0 / listing.len() as f64;
        println!("{stage:>20}: {each:.3} ms");
    }
    Ok(())
}
