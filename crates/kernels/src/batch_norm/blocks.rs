//! How a map is cut for sums and threads.

use crate::passes::Channels;

/// Values of a block of rows: 64 KiB of f32.
const BLOCK: usize = 16 * 1024;

/// Floats in a block: as many rows as are taken as one, or several times as many.
pub(super) fn block(channels: Channels) -> usize {
    (BLOCK / channels.width()).max(1) * channels.width()
}

/// Two sums for each channel.
pub(super) type Sums = (Vec<f32>, Vec<f32>);

#[allow(clippy::cast_possible_truncation, reason = "results are f32")]
pub(super) fn narrow(value: f64) -> f32 {
    value as f32
}
