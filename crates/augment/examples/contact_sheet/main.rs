//! Every op of the catalog on one photograph, with the settings of the example in its documentation.
//!
//! ```sh
//! cargo run -p kiln-augment --example contact_sheet -- PHOTO.jpg SHEET.png
//! ```
//!
//! The first cell is the photograph. An op that acts only sometimes is shown with the first draw that acts.
#![allow(
    clippy::print_stderr,
    clippy::expect_used,
    clippy::panic,
    reason = "a program that talks to its user"
)]

mod font;
#[path = "../reference/op_page.rs"]
mod op_page;

use kiln_augment::{Image8, OpSpec, Size};
use op_page::OpPage;
use std::path::Path;
use std::process::ExitCode;

/// Pixels of a cell without its name.
const CELL: Size = Size::new(192, 144);
/// Pixels of the line with the name.
const LINE: u32 = 16;
const MARGIN: u32 = 8;
const COLUMNS: u32 = 8;

fn main() -> ExitCode {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let [photo, sheet] = &paths[..] else {
        eprintln!("usage: contact_sheet PHOTO SHEET.png");
        return ExitCode::from(2);
    };
    let photo = op_page::read_picture(Path::new(photo));
    let mut cells = vec![("photograph", photo.clone())];
    for name in OpSpec::NAMES {
        cells.push((name, OpPage::read(name).shown_on(&photo)));
    }
    let rows = u32::try_from(cells.len()).expect("few").div_ceil(COLUMNS);
    let (width, height) = (CELL.width + MARGIN, CELL.height + LINE + MARGIN);
    let size = Size::new(COLUMNS * width + MARGIN, rows * height + MARGIN);
    let mut canvas = Image8::filled(size, [255; 3]);
    for (place, (name, picture)) in (0..).zip(&cells) {
        let (left, top) = (MARGIN + place % COLUMNS * width, MARGIN + place / COLUMNS * height);
        font::write(&mut canvas, name, left, top + 2);
        paste(&mut canvas, &op_page::fitted(picture, CELL), left, top + LINE);
    }
    op_page::write_picture(Path::new(sheet), &canvas);
    ExitCode::SUCCESS
}

fn paste(canvas: &mut Image8, picture: &Image8, left: u32, top: u32) {
    let stride = canvas.stride();
    let start = top as usize * stride + left as usize * 3;
    let rows = canvas.pixels_mut()[start..].chunks_mut(stride);
    for (to, from) in rows.zip(picture.pixels().chunks_exact(picture.stride())) {
        to[..from.len()].copy_from_slice(from);
    }
}
