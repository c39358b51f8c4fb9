//! Colours for numbers from 0 to 1.

/// Stops of a colour scale that grows evenly in lightness, so that a map reads the same in grey and by people who see
/// fewer colours: black through purple and orange to pale yellow, in the manner of matplotlib's inferno.
const STOPS: [[f32; 3]; 9] = [
    [0.0, 0.0, 4.0],
    [31.0, 12.0, 72.0],
    [85.0, 15.0, 109.0],
    [136.0, 34.0, 106.0],
    [186.0, 54.0, 85.0],
    [227.0, 89.0, 51.0],
    [249.0, 140.0, 10.0],
    [249.0, 201.0, 50.0],
    [252.0, 255.0, 164.0],
];

/// The colour of a number.
pub(super) fn color(value: f32) -> [f32; 3] {
    let at = value.clamp(0.0, 1.0) * (STOPS.len() - 1) as f32;
    let first = (0..STOPS.len() - 1).rev().find(|stop| *stop as f32 <= at).unwrap_or(0);
    let part = at - first as f32;
    let (low, high) = (STOPS[first], STOPS[first + 1]);
    std::array::from_fn(|channel| low[channel] + (high[channel] - low[channel]) * part)
}
