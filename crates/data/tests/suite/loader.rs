//! The same batches in the same order, however they are made.

use crate::pictures::{jpeg, picture, png, put};
use kiln_augment::{Image8, Normalize, OpRng, Pipeline, Size, Transform};
use kiln_data::{
    Batch, BatchPlan, BatchShape, ImageFolder, Layout, Listing, Loader, LoaderSettings, OnBadImage,
    Recipe, SampleKeys,
};
use proptest::prelude::*;
use std::sync::{Arc, LazyLock};
use tempfile::TempDir;

pub(crate) const SIZE: Size = Size::new(6, 4);

/// Cuts a window at a random place.
#[derive(Debug)]
pub(crate) struct Window;

impl Transform for Window {
    fn apply(&self, image: Image8, rng: &mut OpRng) -> Image8 {
        let mut place = |room: u32| u32::try_from(rng.below(u64::from(room) + 1)).unwrap();
        let left = place(image.size().width - SIZE.width) as usize * 3;
        let top = place(image.size().height - SIZE.height);
        let rows = (top..top + SIZE.height)
            .flat_map(|y| image.row(y)[left..left + SIZE.width as usize * 3].to_vec());
        Image8::from_rgb(SIZE, rows.collect()).unwrap()
    }

    fn size_after(&self, _: Size) -> Size {
        SIZE
    }
}

pub(crate) fn recipe(transforms: Vec<Box<dyn Transform>>) -> Arc<Recipe> {
    Arc::new(Recipe {
        pipeline: Pipeline::new(transforms),
        normalize: Normalize { mean: [0.4, 0.5, 0.6], std: [0.2, 0.3, 0.25] },
        size: SIZE,
    })
}

pub(crate) fn listing(root: &TempDir) -> Arc<Listing> {
    match ImageFolder::open(root.path()).unwrap().into_layout() {
        Layout::Whole(listing) => Arc::new(listing),
        Layout::Separate { .. } => panic!("one folder was expected"),
    }
}

/// 23 pictures of different sizes in three classes.
pub(crate) static PICTURES: LazyLock<TempDir> = LazyLock::new(|| {
    let root = tempfile::tempdir().unwrap();
    for i in 0..23 {
        let picture = picture(6 + i % 11, 4 + i % 7, i);
        let bytes = if i % 2 == 0 { jpeg(&picture) } else { png(&picture) };
        put(root.path(), &format!("class{}/{i:02}.jpg", i % 3), &bytes);
    }
    root
});

pub(crate) fn settings(workers: usize, max_bytes: usize) -> LoaderSettings {
    LoaderSettings { workers, max_bytes, on_bad_image: OnBadImage::Fail }
}

fn load(settings: LoaderSettings, plan: BatchPlan, seed: u64, epoch: u64) -> Vec<Batch> {
    Loader::new(settings)
        .run::<f32>(
            listing(&PICTURES),
            plan,
            recipe(vec![Box::new(Window)]),
            SampleKeys::training(seed, epoch),
        )
        .map(Result::unwrap)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn batches_are_the_same_for_any_number_of_workers(
        workers in 1_usize..=8,
        max_bytes in 0_usize..4000,
        micro in 1_u32..26,
        seed: u64,
        epoch in 0_u64..5,
        step in 0_u64..3,
    ) {
        let shape = BatchShape::new(micro, 1, false).unwrap();
        let plan = BatchPlan::training(seed, epoch, 23, shape, step);
        let inline = load(settings(0, 0), plan.clone(), seed, epoch);
        prop_assert_eq!(inline.len(), plan.len());
        prop_assert_eq!(inline, load(settings(workers, max_bytes), plan, seed, epoch));
    }

    #[test]
    fn a_resumed_epoch_loads_the_tail(workers in 0_usize..4, step in 0_u64..8, seed: u64) {
        let shape = BatchShape::new(2, 2, false).unwrap();
        let full = BatchPlan::training(seed, 1, 23, shape, 0);
        let rest = BatchPlan::training(seed, 1, 23, shape, step);
        let first = full.len() - rest.len();
        let (full, rest) =
            (load(settings(workers, 1 << 20), full, seed, 1), load(settings(1, 0), rest, seed, 1));
        prop_assert_eq!(&full[first..], rest.as_slice());
    }
}

#[test]
fn a_batch_holds_what_the_plan_says() {
    let listing = listing(&PICTURES);
    let plan = BatchPlan::evaluation(0..23, 10);
    let batches = load(settings(2, 1 << 20), plan.clone(), 0, 0);
    assert_eq!(batches.iter().map(Batch::len).collect::<Vec<_>>(), [10, 10, 3]);
    for (batch, indices) in batches.iter().zip(plan.batches()) {
        assert_eq!(batch.indices, indices);
        let labels: Vec<u32> = indices.iter().map(|&i| listing.class(i)).collect();
        assert_eq!(batch.labels, labels);
        assert_eq!(batch.dims(), [indices.len(), 3, 4, 6]);
        assert_eq!(batch.images.len(), indices.len() * 3 * 4 * 6);
        assert!(batch.bad.is_empty());
    }
}

#[test]
fn planes_are_normalised_and_in_order() {
    let root = tempfile::tempdir().unwrap();
    let pixels = picture(SIZE.width, SIZE.height, 5);
    put(root.path(), "only/1.png", &png(&pixels));
    let mut batches = Loader::new(settings(1, 0)).run::<f32>(
        listing(&root),
        BatchPlan::evaluation(0..1, 1),
        recipe(vec![]),
        SampleKeys::evaluation(),
    );
    let batch = batches.next().unwrap().unwrap();
    for (x, y, pixel) in pixels.enumerate_pixels() {
        for (c, (mean, std)) in [(0.4_f32, 0.2_f32), (0.5, 0.3), (0.6, 0.25)].iter().enumerate() {
            let found = batch.images[c * SIZE.area() + (y * SIZE.width + x) as usize];
            let expect = (f32::from(pixel.0[c]) / 255.0 - mean) / std;
            assert!((found - expect).abs() < 1e-5, "{found} is not {expect} at {x}, {y}, {c}");
        }
    }
    assert!(batches.next().is_none());
}

#[test]
fn epochs_differ_in_their_draws() {
    let load = |epoch| load(settings(1, 0), BatchPlan::evaluation(0..23, 23), 0, epoch);
    assert_eq!(load(0), load(0));
    assert_ne!(load(0), load(1));
}

#[test]
fn an_empty_plan_ends_at_once() {
    assert!(load(settings(3, 0), BatchPlan::evaluation(0..0, 4), 0, 0).is_empty());
    assert!(load(settings(0, 0), BatchPlan::evaluation(0..0, 4), 0, 0).is_empty());
}

#[test]
fn levels_are_what_is_normalised_elsewhere() {
    let plan = BatchPlan::evaluation(0..23, 5);
    let (loader, keys) = (Loader::new(settings(2, 0)), SampleKeys::training(3, 1));
    let recipe = recipe(vec![Box::new(Window)]);
    let numbers = loader.run::<f32>(listing(&PICTURES), plan.clone(), recipe.clone(), keys);
    let levels = loader.run::<u8>(listing(&PICTURES), plan, recipe.clone(), keys);
    for (numbers, levels) in numbers.zip(levels) {
        let (numbers, levels) = (numbers.unwrap(), levels.unwrap());
        assert_eq!((&numbers.labels, &numbers.indices), (&levels.labels, &levels.indices));
        let len = SIZE.area() * 3;
        for (numbers, levels) in numbers.images.chunks(len).zip(levels.images.chunks(len)) {
            let image = Image8::from_rgb(SIZE, levels.to_vec()).unwrap();
            let mut planes = vec![0.0; len];
            recipe.normalize.to_planar(&image, &mut planes);
            assert_eq!(planes, numbers);
        }
    }
}
