//! Checkpoints as another program of ours would leave them.

use sha2::{Digest as _, Sha256};
use std::path::Path;

/// Rewrites `old` to `new` in a file of the checkpoint `set`, checksum included.
pub(crate) fn rewrite(set: &Path, file: &str, old: &str, new: &str) {
    let sum = |text: &str| {
        Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
    };
    let (path, sums) = (set.join(file), set.join("SHA256SUMS"));
    let before = std::fs::read_to_string(&path).unwrap();
    let after = before.replacen(old, new, 1);
    assert_ne!(before, after, "{old} is not in {file}");
    std::fs::write(&path, &after).unwrap();
    let lines = std::fs::read_to_string(&sums).unwrap().replace(&sum(&before), &sum(&after));
    std::fs::write(sums, lines).unwrap();
}
