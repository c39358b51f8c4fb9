//! A subset on disk is used while it fits and replaced when it does not.

use crate::pictures::imaginary;
use kiln_data::{Listing, Outcome, cached_subset, subset};
use std::fs;
use std::path::{Path, PathBuf};

fn only_file(folder: &Path) -> PathBuf {
    let files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

/// Caches a subset, spoils the file, and returns why it was rebuilt.
fn why_rebuilt(before: &Listing, spoil: impl Fn(&str) -> String, now: &Listing) -> String {
    let cache = tempfile::tempdir().unwrap();
    let (_, outcome) = cached_subset(cache.path(), before, 0.5, 7).unwrap();
    assert_eq!(outcome, Outcome::Fresh);
    let file = only_file(cache.path());
    fs::write(&file, spoil(&fs::read_to_string(&file).unwrap())).unwrap();
    let (indices, outcome) = cached_subset(cache.path(), now, 0.5, 7).unwrap();
    assert_eq!(indices, subset(now, 0.5, 7).unwrap());
    let Outcome::Rebuilt { why } = outcome else { panic!("{outcome:?}") };
    let (again, outcome) = cached_subset(cache.path(), now, 0.5, 7).unwrap();
    assert_eq!((again, outcome), (indices, Outcome::Reused));
    only_file(cache.path());
    why
}

#[test]
fn the_second_time_it_is_reused() {
    let cache = tempfile::tempdir().unwrap();
    let folder = cache.path().join("made/on/demand");
    let listing = imaginary(&[20, 10, 1]);
    let (fresh, first) = cached_subset(&folder, &listing, 0.5, 7).unwrap();
    let (reused, second) = cached_subset(&folder, &listing, 0.5, 7).unwrap();
    assert_eq!((first, second), (Outcome::Fresh, Outcome::Reused));
    assert_eq!(fresh, reused);
    let (_, other_seed) = cached_subset(&folder, &listing, 0.5, 8).unwrap();
    let (_, other_fraction) = cached_subset(&folder, &listing, 0.25, 7).unwrap();
    assert_eq!((other_seed, other_fraction), (Outcome::Fresh, Outcome::Fresh));
}

#[test]
fn what_is_stale_or_damaged_is_rebuilt_and_says_why() {
    let listing = imaginary(&[4, 4]);
    let check = |from: &str, to: &str, expect: &str| {
        let why = why_rebuilt(
            &listing,
            |json| {
                assert!(json.contains(from), "{json} lacks {from}");
                json.replace(from, to)
            },
            &listing,
        );
        assert!(why.contains(expect), "{why}");
    };
    check("}", "", "damaged");
    check("\"seed\"", "\"sed\"", "damaged");
    check("\"format\":1", "\"format\":2", "its format is 2, not 1");
    check("\"seed\":7", "\"seed\":8", "for fraction 0.5 and seed 8");
    check("\"indices\":[", "\"indices\":[9,", "out of order or out of range");
    let why = why_rebuilt(
        &listing,
        |json| format!("{}\"indices\":[0,1,2,3]}}", json.split("\"indices\"").next().unwrap()),
        &listing,
    );
    assert!(why.contains("class \"class0\": 4 of 4 samples chosen"), "{why}");
}

#[test]
fn a_changed_data_set_is_noticed() {
    let why = why_rebuilt(&imaginary(&[4, 4]), str::to_owned, &imaginary(&[4, 5]));
    assert_eq!(why, "the data set has changed since");
}
