//! What tests of whole runs share.

pub(crate) mod runs;
