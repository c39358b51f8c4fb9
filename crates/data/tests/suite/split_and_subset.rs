//! Splits are disjoint and covering; subsets keep the proportion of classes.

use crate::pictures::imaginary;
use kiln_data::{Error, split, subset};
use proptest::collection::vec;
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_split_is_disjoint_covering_and_stratified(
        counts in vec(0_u32..60, 1..8),
        val_fraction in 0.001_f64..0.999,
        seed: u64,
    ) {
        prop_assume!(counts.iter().any(|&n| n >= 2));
        let listing = imaginary(&counts);
        let parts = split(&listing, val_fraction, seed).unwrap();
        let mut all = [parts.train.as_slice(), &parts.val].concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..listing.count()).collect::<Vec<_>>());
        let (train, val) = (listing.select(&parts.train), listing.select(&parts.val));
        for ((&n, train), val) in counts.iter().zip(train.class_counts()).zip(val.class_counts()) {
            if n >= 2 {
                prop_assert!(train >= 1 && val >= 1);
                prop_assert!((f64::from(val) - f64::from(n) * val_fraction).abs() <= 1.0);
            } else {
                prop_assert_eq!((train, val), (n, 0));
            }
        }
    }

    #[test]
    fn a_subset_keeps_each_class_within_one_sample(
        counts in vec(0_u32..60, 1..8),
        fraction in 0.001_f64..=1.0,
        seed: u64,
    ) {
        let listing = imaginary(&counts);
        let chosen = subset(&listing, fraction, seed).unwrap();
        prop_assert!(chosen.is_sorted_by(|a, b| a < b));
        for (&n, found) in counts.iter().zip(listing.select(&chosen).class_counts()) {
            prop_assert!((f64::from(found) - f64::from(n) * fraction).abs() <= 1.0);
            prop_assert!(found >= n.min(1));
        }
    }

    #[test]
    fn a_larger_subset_holds_the_smaller(
        counts in vec(1_u32..60, 1..5),
        fractions in (0.01_f64..=1.0, 0.01_f64..=1.0),
        seed: u64,
    ) {
        let listing = imaginary(&counts);
        let small = subset(&listing, fractions.0.min(fractions.1), seed).unwrap();
        let large = subset(&listing, fractions.0.max(fractions.1), seed).unwrap();
        prop_assert!(small.iter().all(|i| large.binary_search(i).is_ok()));
    }
}

#[test]
fn choices_follow_the_seed_and_are_pinned() {
    let listing = imaginary(&[10, 10]);
    assert_eq!(split(&listing, 0.2, 42).unwrap().val, PINNED_SPLIT);
    assert_eq!(subset(&listing, 0.3, 42).unwrap(), PINNED_SUBSET);
    assert_ne!(split(&listing, 0.2, 43).unwrap().val, PINNED_SPLIT);
    assert_ne!(subset(&listing, 0.3, 43).unwrap(), PINNED_SUBSET);
}

const PINNED_SPLIT: [u32; 4] = [4, 7, 18, 19];
const PINNED_SUBSET: [u32; 6] = [0, 1, 7, 10, 14, 15];

#[test]
fn everything_is_a_subset() {
    assert_eq!(subset(&imaginary(&[3, 1]), 1.0, 0).unwrap(), [0, 1, 2, 3]);
}

#[test]
fn fractions_out_of_range_are_refused() {
    let listing = imaginary(&[4, 4]);
    for fraction in [0.0, 1.0, -0.1, f64::NAN, f64::INFINITY] {
        let error = split(&listing, fraction, 0).unwrap_err();
        assert!(matches!(error, Error::OutOfRange { field: "val_fraction", .. }), "{fraction}");
    }
    for fraction in [0.0, 1.01, -0.1, f64::NAN] {
        let error = subset(&listing, fraction, 0).unwrap_err();
        assert!(matches!(error, Error::OutOfRange { field: "fraction", .. }), "{fraction}");
    }
}

#[test]
fn single_pictures_cannot_be_split() {
    assert!(matches!(split(&imaginary(&[1, 1]), 0.5, 0), Err(Error::NothingToSplit { .. })));
}
