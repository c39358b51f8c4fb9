//! Where downloads stay.

use super::error::FetchError;
use std::env;
use std::path::{Path, PathBuf};

/// `asked`, else `KILN_CACHE`, else the platform's folder for caches.
pub(crate) fn folder(asked: Option<&Path>) -> Result<PathBuf, FetchError> {
    if let Some(asked) = asked {
        return Ok(asked.to_owned());
    }
    let from = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = from("KILN_CACHE") {
        return Ok(folder.join("weights"));
    }
    let caches = if cfg!(windows) {
        from("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        from("HOME").map(|home| home.join("Library/Caches"))
    } else {
        from("XDG_CACHE_HOME").or_else(|| from("HOME").map(|home| home.join(".cache")))
    };
    caches.map(|caches| caches.join("kiln/weights")).ok_or(FetchError::NoCache)
}
