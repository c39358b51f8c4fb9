//! What holds for every op of the catalog, any picture, any settings that are accepted and any draw: applying does not
//! panic and yields a picture of the declared size.
#![allow(clippy::expect_used, reason = "this file is tests and nothing else")]

#[path = "properties/edges.rs"]
mod edges;

use edges::altered;
use kiln_augment::{Channels, Domain, Image8, Op, OpRng, OpSpec, RandomKey, Size};
use proptest::prelude::*;

const STAGE: Size = Size::new(8, 6);
/// Results above this many pixels are not computed: settings may ask for pictures that fill the memory.
const MOST_PIXELS: usize = 1 << 20;

fn rng(seed: u64) -> OpRng {
    RandomKey { seed, domain: Domain::Augment, epoch: 0, index: 0 }.rng(0)
}

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

/// Applies an op to a picture, then renders an altered draw.
fn exercise(spec: &OpSpec, image: &Image8, rng: &mut OpRng) -> Result<(), TestCaseError> {
    let Ok(op) = spec.build(STAGE) else { return Ok(()) };
    let size = op.output_size(image.size());
    if size.area() > MOST_PIXELS {
        return Ok(());
    }
    let draw = op.draw(image.size(), rng);
    let result = op.render(image.clone(), &draw);
    prop_assert_eq!(result.size(), size, "{:?} drew {:?}", spec, draw);
    prop_assert_eq!(result.pixels().len(), size.area() * result.channels().count());
    if let Some(draw) = altered(&draw, &mut chooser(rng)) {
        op.render(image.clone(), &draw);
    }
    Ok(())
}

fn chooser(rng: &mut OpRng) -> impl FnMut(usize) -> usize {
    |bound| usize::try_from(rng.below(bound as u64)).unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn examples_are_safe_for_any_picture(image in pictures(), seed: u64) {
        let mut rng = rng(seed);
        for spec in OpSpec::examples() {
            exercise(&spec, &image, &mut rng)?;
        }
    }

    #[test]
    fn extreme_settings_are_refused_or_safe(image in pictures(), seed: u64) {
        let mut rng = rng(seed);
        for spec in OpSpec::examples() {
            let spec = altered(&spec, &mut chooser(&mut rng));
            if let Some(spec) = spec {
                exercise(&spec, &image, &mut rng)?;
            }
        }
    }
}
