//! Writing to the standard streams. A reader that has gone away (`kiln ... | head`) or a full disk behind a redirected
//! log is no reason to lose a run, so what cannot be written is dropped.

use std::io::Write as _;

/// Prints a line to the standard output.
pub(crate) fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Prints a line to the standard error stream.
pub(crate) fn complain(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
