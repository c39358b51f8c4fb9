//! The reference page says what the ops say.
#![allow(clippy::expect_used, clippy::panic, reason = "this file is tests and nothing else")]

#[path = "../examples/reference/op_page.rs"]
mod op_page;
#[path = "../examples/reference/page.rs"]
mod page;

use kiln_augment::OpSpec;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference")
}

#[test]
fn the_page_is_fresh() {
    let found = fs::read_to_string(folder().join("augment.md")).expect("the page can be read");
    let stale = "run `cargo run -p kiln-augment --example reference`";
    for (found, expect) in found.lines().zip(page::markdown().lines()) {
        assert_eq!(found, expect, "{stale}");
    }
    assert_eq!(found, page::markdown(), "{stale}");
}

#[test]
fn every_op_has_its_picture() {
    let found: BTreeSet<String> = fs::read_dir(folder().join("augment"))
        .expect("the folder of pictures can be read")
        .map(|file| file.expect("it can be listed").file_name().to_string_lossy().into_owned())
        .collect();
    let others = ["before.jpg", "photo.jpg", "sheet.jpg"].map(str::to_owned);
    let ops = OpSpec::NAMES.iter().map(|name| format!("{name}.jpg"));
    assert_eq!(found, ops.chain(others).collect());
}

#[test]
fn the_sheet_has_a_cell_for_every_op() {
    // Eight cells in a row; a row is a picture, a line with its name, and a margin high.
    let rows = u32::try_from(OpSpec::NAMES.len() + 1).expect("few").div_ceil(8);
    let (_, height) = image::image_dimensions(folder().join("augment/sheet.jpg"))
        .expect("the sheet is a picture");
    let stale = "run the example contact_sheet on docs/reference/augment/photo.jpg";
    assert_eq!(height, rows * (144 + 16 + 8) + 8, "{stale}");
}
