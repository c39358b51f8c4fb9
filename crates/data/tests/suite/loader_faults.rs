//! Bad files, bad recipes, panics, and a consumer that leaves: an answer every time, and never a hang.

use crate::loader::{PICTURES, SIZE, Window, listing, recipe, settings};
use crate::pictures::{picture, png, put};
use kiln_augment::{Image8, OpRng, Size, Transform};
use kiln_data::{
    Batch, BatchPlan, Error, Fault, Loader, LoaderSettings, OnBadImage, Recipe, SampleKeys,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

/// Nine files of one class; those at `bad` hold text.
fn with_bad(bad: &[u32]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for i in 0..9 {
        let bytes = if bad.contains(&i) { b"text".to_vec() } else { png(&picture(9, 9, i)) };
        put(root.path(), &format!("class/{i}.jpg"), &bytes);
    }
    root
}

fn run(root: &TempDir, settings: LoaderSettings, recipe: Arc<Recipe>) -> Vec<Result<Batch, Error>> {
    let plan = BatchPlan::evaluation(0..9, 3);
    Loader::new(settings).run(listing(root), plan, recipe, SampleKeys::training(0, 0)).collect()
}

fn window() -> Arc<Recipe> {
    recipe(vec![Box::new(Window)])
}

#[test]
fn the_first_bad_file_of_the_plan_ends_the_run() {
    let root = with_bad(&[4, 5, 7]);
    for workers in [0, 1, 2, 8] {
        let batches = run(&root, settings(workers, 1 << 20), window());
        assert_eq!(batches.len(), 2, "{workers} workers");
        assert_eq!(batches[0].as_ref().unwrap().indices, [0, 1, 2]);
        let error = batches[1].as_ref().unwrap_err();
        assert!(matches!(error, Error::BadImage { path, .. } if path.ends_with("class/4.jpg")));
        assert_eq!(error.fault(), Fault::Data);
    }
}

#[test]
fn skipped_files_are_listed_and_the_others_stay() {
    let root = with_bad(&[0, 4, 6, 7, 8]);
    let whole = run(&with_bad(&[]), settings(0, 0), window());
    let pixels = |batch: &Batch, at: usize| batch.images[at * SIZE.area() * 3..][..72].to_vec();
    for workers in [0, 1, 2, 8] {
        let skip = LoaderSettings { on_bad_image: OnBadImage::Skip, ..settings(workers, 0) };
        let batches: Vec<Batch> =
            run(&root, skip, window()).into_iter().map(Result::unwrap).collect();
        let indices: Vec<_> = batches.iter().map(|batch| batch.indices.clone()).collect();
        assert_eq!(indices, [vec![1, 2], vec![3, 5], vec![]]);
        let bad: Vec<usize> = batches.iter().map(|batch| batch.bad.len()).collect();
        assert_eq!(bad, [1, 1, 3]);
        assert!(batches[2].bad[1].path.ends_with("class/7.jpg"));
        assert!(batches[2].is_empty() && batches[2].images.is_empty());
        assert_eq!(pixels(&batches[0], 0), pixels(whole[0].as_ref().unwrap(), 1));
        assert_eq!(pixels(&batches[1], 1), pixels(whole[1].as_ref().unwrap(), 2));
    }
}

#[test]
fn a_pipeline_of_the_wrong_size_is_never_skipped() {
    let root = with_bad(&[]);
    for workers in [0, 2] {
        let skip = LoaderSettings { on_bad_image: OnBadImage::Skip, ..settings(workers, 0) };
        let error = run(&root, skip, recipe(vec![])).remove(0).unwrap_err();
        let message = error.to_string();
        assert!(message.starts_with("the pipeline must yield 6x4 pictures, but made 9x9 of "));
        assert!(message.contains("0.jpg"), "{message}");
    }
}

/// Panics when its picture's first byte is that of picture 4.
#[derive(Debug)]
struct Allergic;

impl Transform for Allergic {
    fn apply(&self, image: Image8, _: &mut OpRng) -> Image8 {
        assert!(image.pixels()[0] != 124, "no, not this one");
        Image8::filled(SIZE, [0; 3])
    }

    fn size_after(&self, _: Size) -> Size {
        SIZE
    }
}

#[test]
fn a_panic_is_an_error_with_the_files_name() {
    let root = with_bad(&[]);
    for workers in [0, 1, 2, 8] {
        let skip = LoaderSettings { on_bad_image: OnBadImage::Skip, ..settings(workers, 1 << 20) };
        let batches = run(&root, skip, recipe(vec![Box::new(Allergic)]));
        assert_eq!(batches.len(), 2, "{workers} workers");
        assert!(batches[0].is_ok());
        let error = batches[1].as_ref().unwrap_err();
        let Error::Panicked { path, message } = error else { panic!("{error}") };
        assert!(path.ends_with("class/4.jpg"));
        assert_eq!(message, "no, not this one");
    }
}

#[test]
fn a_plan_of_another_listing_is_refused() {
    let root = with_bad(&[]);
    for workers in [0, 2] {
        let plan = BatchPlan::evaluation(0..10, 4);
        let mut batches = Loader::new(settings(workers, 0)).run::<f32>(
            listing(&root),
            plan,
            window(),
            SampleKeys::evaluation(),
        );
        let error = batches.next().unwrap().unwrap_err();
        assert!(matches!(error, Error::SampleOutOfRange { sample: 9, samples: 9 }));
        assert!(batches.next().is_none());
    }
}

/// Counts the pictures it sees.
#[derive(Debug)]
struct Counting(Arc<AtomicUsize>);

impl Transform for Counting {
    fn apply(&self, _: Image8, _: &mut OpRng) -> Image8 {
        self.0.fetch_add(1, Ordering::SeqCst);
        Image8::filled(Size::square(2), [0; 3])
    }

    fn size_after(&self, _: Size) -> Size {
        Size::square(2)
    }
}

fn counting() -> (Arc<AtomicUsize>, Arc<Recipe>) {
    let seen = Arc::new(AtomicUsize::new(0));
    let recipe = Recipe {
        size: Size::square(2),
        ..Arc::into_inner(recipe(vec![Box::new(Counting(Arc::clone(&seen)))])).unwrap()
    };
    (seen, Arc::new(recipe))
}

#[test]
fn dropping_the_batches_ends_the_workers() {
    for workers in [1, 4] {
        let (seen, recipe) = counting();
        let bytes = 2 * 2 * 3 * 4;
        let mut batches = Loader::new(settings(workers, 2 * bytes)).run::<f32>(
            listing(&PICTURES),
            BatchPlan::evaluation(0..23, 1),
            Arc::clone(&recipe),
            SampleKeys::evaluation(),
        );
        batches.next().unwrap().unwrap();
        drop(batches);
        // Nobody holds the recipe any more, so every worker has ended.
        assert_eq!(Arc::strong_count(&recipe), 1);
        assert!(seen.load(Ordering::SeqCst) <= 3);
    }
}

#[test]
fn no_more_is_loaded_ahead_than_allowed() {
    let bytes_of_one = 2 * 2 * 3 * 4;
    for (max_bytes, ahead) in [(0, 1), (bytes_of_one, 1), (3 * bytes_of_one + 1, 3)] {
        let (seen, recipe) = counting();
        let batches = Loader::new(settings(8, max_bytes)).run::<f32>(
            listing(&PICTURES),
            BatchPlan::evaluation(0..23, 1),
            recipe,
            SampleKeys::evaluation(),
        );
        for (taken, batch) in (1..).zip(batches) {
            assert_eq!(batch.unwrap().len(), 1);
            let seen = seen.load(Ordering::SeqCst);
            assert!(seen <= taken + ahead, "{seen} seen after {taken} with {ahead} ahead");
        }
        assert_eq!(seen.load(Ordering::SeqCst), 23);
    }
}
