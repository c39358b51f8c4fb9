//! One op at work on one picture: what it draws itself, then an altered draw.

use crate::edges::altered;
use kiln_augment::{Domain, Image8, Op, OpRng, OpSpec, RandomKey, Size};

const STAGE: Size = Size::new(8, 6);
/// Results of more pixels are not computed: settings may ask for pictures that fill the memory.
const MOST_PIXELS: usize = 1 << 20;

pub(crate) fn rng(seed: u64) -> OpRng {
    RandomKey { seed, domain: Domain::Augment, epoch: 0, index: 0 }.rng(0)
}

/// Applies an op, if its settings are accepted, and panics if it does or if the result is not of the declared size.
pub(crate) fn exercise(
    spec: &OpSpec,
    image: &Image8,
    seed: u64,
    below: &mut impl FnMut(usize) -> usize,
) {
    let Ok(op) = spec.build(STAGE) else { return };
    let size = op.output_size(image.size());
    if size.area() > MOST_PIXELS {
        return;
    }
    let draw = op.draw(image.size(), &mut rng(seed));
    let result = op.render(image.clone(), &draw);
    assert_eq!(result.size(), size, "{spec:?} drew {draw:?}");
    assert_eq!(result.pixels().len(), size.area() * result.channels().count());
    if let Some(draw) = altered(&draw, below) {
        op.render(image.clone(), &draw);
    }
}
