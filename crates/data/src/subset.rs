//! A part of a listing that keeps its classes in proportion.

use crate::error::Error;
use crate::listing::Listing;
use crate::split::nearest;
use kiln_augment::{Domain, RandomKey};

/// Chooses `fraction` of each class, rounded to the nearest count and at least one. Indices ascend.
///
/// Of one class, a smaller fraction chooses a part of what a larger one chooses with the same seed.
///
/// # Errors
/// [`Error::OutOfRange`] when `fraction` is not above 0 and at most 1; [`Error::Unbalanced`] if the result broke
/// the promise, which would be a defect.
pub fn subset(listing: &Listing, fraction: f64, seed: u64) -> Result<Vec<u32>, Error> {
    check_fraction(fraction)?;
    let mut chosen = Vec::new();
    for (class, mut members) in (0_u64..).zip(listing.by_class()) {
        let taken = nearest(members.len(), fraction).max(1).min(members.len());
        RandomKey { seed, domain: Domain::Subset, epoch: 0, index: class }
            .rng(0)
            .shuffle(&mut members);
        chosen.extend_from_slice(&members[..taken]);
    }
    chosen.sort_unstable();
    check_balance(listing, &chosen, fraction)?;
    Ok(chosen)
}

/// Whether `indices` has of every class the fraction within one sample, and at least one.
///
/// # Errors
/// [`Error::Unbalanced`] naming the first class that does not.
pub(crate) fn check_balance(
    listing: &Listing,
    indices: &[u32],
    fraction: f64,
) -> Result<(), Error> {
    let mut found = vec![0_u32; listing.class_names().len()];
    for &i in indices {
        found[listing.class(i) as usize] += 1;
    }
    for ((&found, &available), class) in
        found.iter().zip(&listing.class_counts()).zip(listing.class_names())
    {
        let wanted = f64::from(available) * fraction;
        let near = (f64::from(found) - wanted).abs() <= 1.0;
        let some = found >= available.min(1);
        if !(near && some) {
            let (what, class) = ("the subset", class.clone());
            return Err(Error::Unbalanced { what, class, found, available });
        }
    }
    Ok(())
}

pub(crate) fn check_fraction(fraction: f64) -> Result<(), Error> {
    if fraction > 0.0 && fraction <= 1.0 {
        return Ok(());
    }
    Err(Error::OutOfRange {
        field: "fraction",
        must_be: "above 0 and at most 1",
        found: fraction.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listing::Entry;

    #[test]
    fn imbalance_is_noticed() {
        let names: Vec<String> = (0..20).map(|i| format!("{i}.jpg")).collect();
        let entries =
            (0..).zip(&names).map(|(i, name)| Entry { class: i / 10, name, file_bytes: 1 });
        let classes = ["class0", "class1"].map(str::to_owned).to_vec();
        let listing = Listing::new("nowhere", classes, entries).unwrap();
        let error = check_balance(&listing, &[0, 1, 2, 3, 4], 0.25).unwrap_err();
        let expect = "the subset is wrong for class \"class0\": 5 of 10 samples chosen";
        assert_eq!(error.to_string(), expect);
        assert!(check_balance(&listing, &[0, 1, 2, 11, 12], 0.25).is_ok());
    }
}
