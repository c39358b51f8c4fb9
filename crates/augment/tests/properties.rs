//! What holds for every op of the catalog, any picture, any settings that are accepted and any draw: applying does not
//! panic and yields a picture of the declared size. `fuzz/` looks for exceptions as long as one likes.
#![allow(clippy::expect_used, reason = "this file is tests and nothing else")]

#[path = "properties/edges.rs"]
mod edges;
#[path = "properties/exercise.rs"]
mod exercise;

use edges::altered;
use exercise::{exercise, rng};
use kiln_augment::{Channels, Image8, OpSpec, Size};
use proptest::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A picture of any size, gray or of colour, noisy or of few levels.
fn pictures() -> impl Strategy<Value = Image8> {
    let sides = prop_oneof![Just(1), Just(2), 1..=40_u32];
    let channels = prop_oneof![Just(Channels::Gray), Just(Channels::Rgb)];
    (sides.clone(), sides, channels, any::<u64>(), 0..=8_u32).prop_map(
        |(width, height, channels, seed, bits)| {
            let (size, mut rng) = (Size::new(width, height), rng(seed));
            let levels = u64::from(u8::MAX.checked_shl(8 - bits).unwrap_or(0));
            let pixels = (0..size.area() * channels.count())
                .map(|_| (rng.bits() & levels).to_le_bytes()[0])
                .collect();
            Image8::from_bytes(size, channels, pixels).expect("as many bytes as it takes")
        },
    )
}

/// Exercises every op; `alter` says whether with altered settings.
fn exercise_all(image: &Image8, seed: u64, alter: bool) -> Result<(), TestCaseError> {
    let mut choices = rng(!seed);
    let mut below = |bound: usize| usize::try_from(choices.below(bound as u64)).unwrap_or(0);
    for example in OpSpec::examples() {
        let spec = if alter { altered(&example, &mut below) } else { Some(example) };
        let Some(spec) = spec else { continue };
        // What panics without a name would leave one searching through the catalog.
        catch_unwind(AssertUnwindSafe(|| exercise(&spec, image, seed, &mut below)))
            .map_err(|_| TestCaseError::fail(format!("{spec:?} of {image:?}")))?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn examples_are_safe_for_any_picture(image in pictures(), seed: u64) {
        exercise_all(&image, seed, false)?;
    }

    #[test]
    fn extreme_settings_are_refused_or_safe(image in pictures(), seed: u64) {
        exercise_all(&image, seed, true)?;
    }
}
