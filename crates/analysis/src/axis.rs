//! Round numbers for axes.

/// An axis from its first tick to its last.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Axis {
    pub(crate) ticks: Vec<f64>,
    /// Digits after the point that tell neighbouring ticks apart.
    pub(crate) decimals: usize,
}

impl Axis {
    /// The axis with about `wanted` ticks at 1, 2 or 5 times a power of ten that holds all of
    /// `values`; `None` when none of them is finite.
    pub(crate) fn covering(values: impl IntoIterator<Item = f64>, wanted: u32) -> Option<Self> {
        let finite = values.into_iter().filter(|value| value.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        if low > high {
            return None;
        }
        // A flat line gets room above and below.
        let flat = high - low <= high.abs().max(low.abs()) * 1e-9;
        let room = if flat { (high.abs() * 0.1).max(1e-6) } else { 0.0 };
        let (low, high) = (low - room, high + room);

        let step = round_step((high - low) / f64::from(wanted.max(1)));
        let first = (low / step).floor();
        let last = (high / step).ceil();
        // Counted, because adding 1 to a huge float would never arrive.
        let count = 2 * wanted + 2;
        let ticks = (0..=count)
            .map(|index| first + f64::from(index))
            .take_while(|tick| *tick <= last)
            .map(|tick| tick * step)
            .collect();
        Some(Self { ticks, decimals: decimals(step) })
    }

    /// Powers of ten around all of `exponents` (logarithms to the base 10).
    pub(crate) fn decades(exponents: impl IntoIterator<Item = f64>) -> Option<Self> {
        let finite = exponents.into_iter().filter(|value| value.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        if low > high {
            return None;
        }
        // A logarithm of a power of ten may miss it by a rounding.
        let (mut first, mut last) = ((low + 1e-9).floor(), (high - 1e-9).ceil());
        if first >= last {
            (first, last) = (last - 1.0, first + 1.0);
        }
        let ticks = (0..=40_u32).map(|index| first + f64::from(index));
        Some(Self { ticks: ticks.take_while(|tick| *tick <= last).collect(), decimals: 0 })
    }

    /// The first tick and the last.
    pub(crate) fn ends(&self) -> (f64, f64) {
        let first = self.ticks.first().copied().unwrap_or(0.0);
        (first, self.ticks.last().copied().unwrap_or(first))
    }

    /// Where `value` is on a line of pixels from `start` (first tick) to `end` (last tick).
    pub(crate) fn place(&self, value: f64, start: f64, end: f64) -> f64 {
        let (low, high) = self.ends();
        let share = if high > low { (value - low) / (high - low) } else { 0.5 };
        start + share * (end - start)
    }
}

/// The smallest of 1, 2, 5 times a power of ten that is not below `step`.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let round = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|digit| digit * power)
        .find(|round| *round >= step * (1.0 - 1e-9));
    round.filter(|round| round.is_finite() && *round > 0.0).unwrap_or(1.0)
}

fn decimals(step: f64) -> usize {
    // 0.2 needs one digit, 0.05 two.
    (0..=12_u8)
        .find(|digits| {
            let scaled = step * 10_f64.powi(i32::from(*digits));
            (scaled - scaled.round()).abs() < 1e-6 && scaled.round() >= 1.0
        })
        .map_or(12, usize::from)
}

/// Whole numbers from 1 to `count` for an axis of epochs, at most `wanted` of them or so.
pub(crate) fn epoch_ticks(count: usize, wanted: usize) -> Vec<usize> {
    let mut step = 1;
    for factor in [2, 5, 10].into_iter().cycle() {
        if count / step <= wanted.max(1) {
            break;
        }
        step = if factor == 5 { step / 2 * 5 } else { step * 2 };
    }
    let mut ticks: Vec<usize> = (1..=count).filter(|epoch| epoch.is_multiple_of(step)).collect();
    // Next to a 2 there is no room for it.
    if step > 2 {
        ticks.insert(0, 1);
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::{Axis, epoch_ticks};

    fn check(values: &[f64], wanted: u32, expect: &[f64], decimals: usize) {
        let axis = Axis::covering(values.iter().copied(), wanted).unwrap();
        assert_eq!(axis.ticks.len(), expect.len(), "{values:?}: {axis:?}");
        for (tick, expect) in axis.ticks.iter().zip(expect) {
            assert!((tick - expect).abs() < 1e-9, "{values:?}: {axis:?}");
        }
        assert_eq!(axis.decimals, decimals, "{values:?}: {axis:?}");
    }

    #[test]
    fn ticks_are_round() {
        check(&[0.0, 1.0], 5, &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0], 1);
        check(&[0.3, 2.31], 5, &[0.0, 0.5, 1.0, 1.5, 2.0, 2.5], 1);
        check(&[61.0, 94.0], 5, &[60.0, 70.0, 80.0, 90.0, 100.0], 0);
        check(&[0.011, 0.019], 4, &[0.01, 0.012, 0.014, 0.016, 0.018, 0.02], 3);
        check(&[-1.0, 1.0], 4, &[-1.0, -0.5, 0.0, 0.5, 1.0], 1);
    }

    #[test]
    fn values_that_are_no_numbers_are_left_out() {
        check(&[f64::NAN, 0.0, f64::INFINITY, 1.0], 5, &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0], 1);
        assert_eq!(Axis::covering([f64::NAN, f64::INFINITY], 5), None);
        assert_eq!(Axis::covering([], 5), None);
    }

    #[test]
    fn flat_and_huge_values_get_an_axis() {
        for value in [0.0, 0.5, -3.0, 1e-30, 1e17, 1e300, f64::MAX / 4.0] {
            let axis = Axis::covering([value], 5).unwrap();
            let (low, high) = axis.ends();
            assert!(axis.ticks.len() < 20, "{axis:?}");
            assert!(low <= value && value <= high, "{value}: {axis:?}");
            assert!(axis.place(value, 0.0, 100.0).is_finite(), "{value}: {axis:?}");
        }
        assert!(Axis::covering([1e17, 1e17 + 64.0], 5).is_some());
    }

    #[test]
    fn decades_enclose() {
        assert_eq!(Axis::decades([-4.3, -3.0]).unwrap().ends(), (-5.0, -3.0));
        assert_eq!(Axis::decades([-3.0]).unwrap().ends(), (-4.0, -2.0));
    }

    #[test]
    fn places() {
        let axis = Axis { ticks: vec![0.0, 1.0, 2.0], decimals: 0 };
        assert_eq!(axis.place(0.5, 100.0, 0.0), 75.0);
    }

    #[test]
    fn epochs_are_whole() {
        assert_eq!(epoch_ticks(1, 8), [1]);
        assert_eq!(epoch_ticks(8, 8), [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(epoch_ticks(12, 8), [2, 4, 6, 8, 10, 12]);
        assert_eq!(epoch_ticks(40, 8), [1, 5, 10, 15, 20, 25, 30, 35, 40]);
        assert_eq!(epoch_ticks(90, 8).last(), Some(&80));
        assert!(epoch_ticks(0, 8).is_empty());
    }
}
