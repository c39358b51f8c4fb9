//! Checksums of a set's files, in the form that `sha256sum -c` reads.

use crate::error::Error;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Their file.
pub(super) const SUMS: &str = "SHA256SUMS";

/// The SHA-256 of `bytes` in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Checksums by file name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sums(BTreeMap<String, String>);

impl Sums {
    /// Notes the contents of a file.
    pub(super) fn add(&mut self, name: &str, contents: &[u8]) {
        self.0.insert(name.to_owned(), sha256(contents));
    }

    /// The lines of the file.
    pub(super) fn to_text(&self) -> String {
        let line = |(name, sum)| [sum, "  ", name, "\n"].concat();
        self.0.iter().map(|(name, sum)| (name.as_str(), sum.as_str())).map(line).collect()
    }

    /// Those of the set in `folder`.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when the file is missing or not one of checksums.
    pub(super) fn of_set(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(SUMS);
        let text = fs::read_to_string(&path).map_err(|error| Error::checkpoint(&path, error))?;
        let line = |(number, line): (usize, &str)| {
            let (sum, name) = line.split_once("  ").ok_or_else(|| {
                Error::checkpoint(&path, format!("line {} is no checksum", number + 1))
            })?;
            Ok((name.to_owned(), sum.to_owned()))
        };
        text.lines().enumerate().map(line).collect::<Result<_, _>>().map(Self)
    }

    /// The file's checksum.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The contents of the file `name` of the set in `folder`, which are what they were when it was written.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when it is missing, not listed or damaged.
    pub(super) fn read(&self, folder: &Path, name: &str) -> Result<Vec<u8>, Error> {
        let path = folder.join(name);
        let Some(expected) = self.get(name) else {
            return Err(Error::checkpoint(&path, format!("is not listed in {SUMS}")));
        };
        let contents = fs::read(&path).map_err(|error| Error::checkpoint(&path, error))?;
        if sha256(&contents) == *expected {
            return Ok(contents);
        }
        let bytes = contents.len();
        Err(Error::checkpoint(&path, format!("is damaged: its {bytes} bytes do not match {SUMS}")))
    }
}

#[cfg(test)]
mod tests {
    use super::{Sums, sha256};

    #[test]
    fn checksums_are_those_of_sha256sum() {
        // `printf abc | sha256sum`; also FIPS 180-2, appendix B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), abc);
        let mut sums = Sums::default();
        sums.add("file", b"abc");
        assert_eq!(sums.to_text(), format!("{abc}  file\n"));
    }
}
