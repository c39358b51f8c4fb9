//! Writes `docs/reference/augment.md` and the pictures beside it from the catalog.
//!
//! ```sh
//! cargo run -p kiln-augment --example reference
//! ```
//!
//! A test compares the page with what this would write.
#![allow(clippy::expect_used, clippy::panic, reason = "a program for the repository itself")]

mod op_page;
mod page;

use kiln_augment::{OpSpec, Size};
use op_page::OpPage;
use std::fs;
use std::path::Path;

/// The size of a picture on the page, at most.
const SHOWN: Size = Size::new(226, 150);

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
    fs::write(folder.join("augment.md"), page::markdown()).expect("the page can be written");
    let pictures = folder.join("augment");
    let photo = op_page::read_picture(&pictures.join("photo.jpg"));
    let shown = |picture| op_page::fitted(&picture, SHOWN);
    op_page::write_picture(&pictures.join("before.jpg"), &shown(photo.clone()));
    for name in OpSpec::NAMES {
        let picture = shown(OpPage::read(name).shown_on(&photo));
        op_page::write_picture(&pictures.join(format!("{name}.jpg")), &picture);
    }
}
