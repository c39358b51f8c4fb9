//! The ops inside of an op that chooses among others.

use crate::error::{Error, check};
use crate::image::Size;
use crate::op::Op;
use crate::ops::{CatalogOp, OpSpec};

/// Longer than any size that a setting can ask for.
const LONG: u32 = 1 << 20;
/// Sizes that tell whether two ops yield the same one.
const PROBES: [Size; 7] = [
    Size::square(1),
    Size::square(224),
    Size::new(499, 665),
    Size::new(640, 31),
    Size::square(LONG),
    Size::new(LONG, 3),
    Size::new(3, LONG),
];

/// Builds the ops of a list, which must not be empty.
pub(crate) fn build(ops: &[OpSpec], default: Size) -> Result<Vec<CatalogOp>, Error> {
    check(!ops.is_empty(), "ops", "a list of at least one op", format_args!("none"))?;
    (ops.iter().enumerate())
        .map(|(position, op)| {
            op.build(default).map_err(|source| Error::InOp {
                position,
                op: op.name(),
                source: Box::new(source),
            })
        })
        .collect()
}

/// Checks that no op changes the size, for an op that may leave some of them out: a result's size must not depend on
/// what is drawn.
pub(crate) fn check_sizes_kept(ops: &[CatalogOp]) -> Result<(), Error> {
    let keeps = |op: &CatalogOp| PROBES.iter().all(|&size| op.output_size(size) == size);
    let Some(changes) = ops.iter().position(|op| !keeps(op)) else { return Ok(()) };
    check(
        false,
        "ops",
        "a list of ops that keep the size, as some may be left out",
        format_args!("one that changes it, ops[{changes}]"),
    )
}

/// Checks that all ops yield the same size, for an op that applies exactly one of them.
pub(crate) fn check_sizes_agree(ops: &[CatalogOp]) -> Result<(), Error> {
    let sizes = |op: &CatalogOp| PROBES.map(|size| op.output_size(size));
    let differs = |pair: &[CatalogOp]| sizes(&pair[0]) != sizes(&pair[1]);
    let Some(first) = ops.windows(2).position(differs) else { return Ok(()) };
    check(
        false,
        "ops",
        "a list of ops that yield one size, as any may be chosen",
        format_args!("several, of ops[{first}] and ops[{}]", first + 1),
    )
}

/// The size that an op yields from pictures of any size, if it is one.
pub(crate) fn fixed_size(op: &CatalogOp) -> Option<Size> {
    let [first, rest @ ..] = PROBES.map(|size| op.output_size(size));
    rest.iter().all(|size| *size == first).then_some(first)
}

/// The chain's result for a picture of `size`.
pub(crate) fn output_size(ops: &[CatalogOp], size: Size) -> Size {
    ops.iter().fold(size, |size, op| op.output_size(size))
}
