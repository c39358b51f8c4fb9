//! The ops inside of an op that chooses among others.

use crate::error::{Error, check};
use crate::image::Size;
use crate::op::Op;
use crate::ops::{CatalogOp, OpSpec};

/// Sizes that tell whether two ops yield the same one.
const PROBES: [Size; 4] =
    [Size::square(1), Size::square(224), Size::new(499, 665), Size::new(640, 31)];

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
    let kept = ops.iter().all(|op| PROBES.iter().all(|&size| op.output_size(size) == size));
    check(
        kept,
        "ops",
        "a list of ops that keep the size, as some may be left out",
        format_args!("one that changes it"),
    )
}

/// Checks that all ops yield the same size, for an op that applies exactly one of them.
pub(crate) fn check_sizes_agree(ops: &[CatalogOp]) -> Result<(), Error> {
    let sizes = |op: &CatalogOp| PROBES.map(|size| op.output_size(size));
    let agree = ops.windows(2).all(|pair| sizes(&pair[0]) == sizes(&pair[1]));
    check(
        agree,
        "ops",
        "a list of ops that yield one size, as any may be chosen",
        format_args!("several sizes"),
    )
}

/// The chain's result for a picture of `size`.
pub(crate) fn output_size(ops: &[CatalogOp], size: Size) -> Size {
    ops.iter().fold(size, |size, op| op.output_size(size))
}
