//! Any op with extreme settings and an altered draw, on a small picture. The bytes are the choices.

#![no_main]

#[path = "../../tests/properties/edges.rs"]
mod edges;
#[path = "../../tests/properties/exercise.rs"]
mod exercise;

use edges::altered;
use exercise::exercise;
use kiln_augment::{Channels, Image8, OpSpec, Size};
use libfuzzer_sys::fuzz_target;

/// The longest side of a picture.
const LONGEST: usize = 40;

fuzz_target!(|data: &[u8]| {
    // When the bytes run out, every choice is the first.
    let mut bytes = data.iter().copied();
    let mut below = |bound: usize| usize::from(bytes.next().unwrap_or(0)) % bound.max(1);
    let mut examples = OpSpec::examples();
    let example = examples.swap_remove(below(examples.len()));
    let side = |choice: usize| u32::try_from(choice + 1).unwrap_or(1);
    let size = Size::new(side(below(LONGEST)), side(below(LONGEST)));
    let channels = if below(2) == 0 { Channels::Gray } else { Channels::Rgb };
    let seed = below(256) as u64;
    let Some(spec) = altered(&example, &mut below) else { return };
    let pixels = data.iter().copied().chain([0]).cycle().take(size.area() * channels.count());
    let Ok(image) = Image8::from_bytes(size, channels, pixels.collect()) else { return };
    exercise(&spec, &image, seed, &mut below);
});
