//! Writing to the standard streams and to files. A reader that has gone away (`kiln ... | head`) or a full disk behind a redirected
//! log is no reason to lose a run, so what cannot be written is dropped.

use anyhow::Context as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

/// Prints a line to the standard output.
pub(crate) fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Prints a line to the standard error stream.
pub(crate) fn complain(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Writes a whole file or none: to a temporary name beside it, synced, renamed.
pub(crate) fn write_file(path: &Path, contents: &[u8]) -> anyhow::Result<()> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let partial = path.with_file_name(format!(".{}.partial", name.unwrap_or_default()));
    let written = File::create(&partial)
        .and_then(|mut file| file.write_all(contents).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&partial, path));
    if written.is_err() {
        // The disk may be full: give its space back. The error to report is the first one.
        let _ = std::fs::remove_file(&partial);
    }
    written.with_context(|| format!("cannot write {}", path.display()))
}
