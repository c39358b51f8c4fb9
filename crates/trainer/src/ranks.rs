//! What ranks settle among themselves, so that all of them do the same: each function is to be called by every rank.

use crate::checkpoint::sha256;
use crate::error::Error;
use kiln_parallel::Ranks;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Whether `work` succeeded on every rank. A rank that failed returns its own error, the others say whose work failed.
pub(crate) fn settle<T>(ranks: &Ranks, own: Result<T, Error>) -> Result<T, Error> {
    if ranks.is_alone() {
        return own;
    }
    // The exit code, and the words; nothing where all went well.
    let told = own.as_ref().err().map(|error| {
        let words = error.to_string().into_bytes();
        std::iter::once(error.exit_code()).chain(words).collect::<Vec<u8>>()
    });
    let told = ranks.gather(&told.unwrap_or_default())?;
    let mut failed = told.iter().enumerate().filter_map(|(rank, told)| {
        let (code, problem) = told.split_first()?;
        Some((rank, *code, String::from_utf8_lossy(problem).into_owned()))
    });
    match (own, failed.next()) {
        (Ok(_), Some((rank, code, problem))) => Err(Error::OtherRank { rank, problem, code }),
        (own, _) => own,
    }
}

/// Does `work` on rank 0 alone: what it returned there.
pub(crate) fn first_only<T>(
    ranks: &Ranks,
    work: impl FnOnce() -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    settle(ranks, ranks.is_first().then(work).transpose())
}

/// What `work` gives on rank 0, on every rank.
pub(crate) fn from_first<T: Serialize + DeserializeOwned>(
    ranks: &Ranks,
    work: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    let own = first_only(ranks, work)?;
    // In a list, for JSON does not tell nothing from something that is nothing.
    let message = serde_json::to_vec(own.as_slice()).unwrap_or_default();
    let told = ranks.of_first(&message)?;
    match own {
        Some(own) => Ok(own),
        None => serde_json::from_slice::<[T; 1]>(&told)
            .map(|[told]| told)
            .map_err(|error| Error::other_rank(0, &error)),
    }
}

/// Does `work` on one rank after the other, so that what they write to caches does not meet.
pub(crate) fn in_turn<T>(
    ranks: &Ranks,
    work: impl FnMut() -> Result<T, Error>,
) -> Result<T, Error> {
    if ranks.is_alone() {
        let mut work = work;
        return work();
    }
    let own = ranks.in_turn(work)?;
    settle(ranks, own)
}

/// Whether every rank has the same `text`, which says what `what` is.
///
/// # Errors
/// [`Error::RanksDiffer`] on all of them.
pub(crate) fn agree(ranks: &Ranks, what: &'static str, text: &str) -> Result<(), Error> {
    if ranks.is_alone() {
        return Ok(());
    }
    let all = ranks.gather(text.as_bytes())?;
    let Some(rank) = all.iter().position(|other| *other != all[0]) else { return Ok(()) };
    let (first, other) = (String::from_utf8_lossy(&all[0]), String::from_utf8_lossy(&all[rank]));
    let difference = first_difference(&first, &other);
    Err(Error::RanksDiffer { what, rank, difference })
}

/// The first line in which two texts differ, in both.
fn first_difference(first: &str, other: &str) -> String {
    let same = first.lines().zip(other.lines()).take_while(|(first, other)| first == other).count();
    let line = |text: &str| text.lines().nth(same).unwrap_or("nothing more").trim().to_owned();
    format!("`{}` and `{}`", line(first), line(other))
}

/// What must be the same program on every rank: its version, and a sum over its file.
pub(crate) fn program() -> String {
    let file = std::env::current_exe().and_then(std::fs::read);
    let sum = file.map_or_else(|error| error.to_string(), |bytes| sha256(&bytes));
    format!("kiln {}, SHA-256 of the program {sum}", env!("CARGO_PKG_VERSION"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::{agree, from_first, in_turn, settle};
    use crate::Error;
    use kiln_parallel::on_threads;

    #[test]
    fn one_failure_stops_all() {
        let said = on_threads(3, |ranks| {
            let own = if ranks.rank() == 1 {
                Err(Error::Device { reason: "burnt".to_owned() })
            } else {
                Ok(())
            };
            settle(&ranks, own).unwrap_err().to_string()
        });
        assert_eq!(said[1], "the device failed: burnt");
        assert_eq!(said[0], "rank 1: the device failed: burnt");
        assert_eq!(said[2], said[0]);
    }

    #[test]
    fn a_difference_is_named() {
        let said = on_threads(3, |ranks| {
            let lr = if ranks.rank() == 2 { 0.2 } else { 0.1 };
            agree(&ranks, "the configuration", &format!("seed = 1\nlr = {lr}"))
                .unwrap_err()
                .to_string()
        });
        for line in said {
            assert!(line.contains("the configuration") && line.contains("rank 2"), "{line}");
            assert!(line.contains("`lr = 0.1` and `lr = 0.2`"), "{line}");
        }
    }

    #[test]
    fn rank_0_decides_and_turns_end() {
        let given = on_threads(2, |ranks| {
            let decided = from_first(&ranks, || Ok((ranks.rank(), "a".to_owned()))).unwrap();
            let nothing = from_first(&ranks, || Ok(None::<usize>)).unwrap();
            assert_eq!(nothing, None);
            (decided, in_turn(&ranks, || Ok(ranks.rank())).unwrap())
        });
        assert_eq!(given, [((0, "a".to_owned()), 0), ((0, "a".to_owned()), 1)]);
    }
}
