//! How many pictures per second each op augments on one core: one JSON line for each row of the table.
//!
//! ```sh
//! cargo run -p kiln-augment --example throughput -- tests/peers/augment.toml PHOTO.jpg...
//! ```
//!
//! Pictures are decoded before. An op consumes its picture, so each gets a copy made outside of the clock: it finds the
//! picture in the caches, as right after decoding. `--only NAME` measures one row. `cargo xtask bench augment` runs this and the peers.
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    reason = "a program that talks to its user"
)]

use kiln_augment::{Domain, Image8, OpSpec, Pipeline, RandomKey, Size};
use serde::Deserialize;
use std::time::{Duration, Instant};

/// Pictures whose times are not counted.
const WARM_UP: usize = 4;

#[derive(Deserialize)]
struct Table {
    row: Vec<Row>,
}

/// One comparison: what Kiln applies; the peers' script knows what its side does under this name.
#[derive(Deserialize)]
struct Row {
    name: String,
    pipeline: Vec<OpSpec>,
}

fn decode(path: &str) -> Image8 {
    let picture = image::open(path).expect("a picture that can be decoded").into_rgb8();
    let size = Size::new(picture.width(), picture.height());
    Image8::from_rgb(size, picture.into_raw()).expect("three bytes for each pixel")
}

/// Seconds for each picture, the copying of it left out.
fn measure(pipeline: &Pipeline, pictures: &[Image8]) -> f64 {
    let key = |index| RandomKey { seed: 1, domain: Domain::Augment, epoch: 0, index };
    let mut spent = Duration::ZERO;
    // The memory of one result is that of the next copy, as in a loader: no time goes to the system's allocator.
    let mut memory = Vec::new();
    for (index, picture) in (0..).zip(pictures.iter().take(WARM_UP).chain(pictures)) {
        memory.clear();
        memory.extend_from_slice(picture.pixels());
        let copy = Image8::from_rgb(picture.size(), memory).expect("as long as the picture's");
        let began = Instant::now();
        let result = pipeline.apply(copy, key(index));
        if index >= WARM_UP as u64 {
            spent += began.elapsed();
        }
        memory = result.into_pixels();
    }
    spent.as_secs_f64() / pictures.len() as f64
}

fn main() {
    let mut arguments = std::env::args().skip(1).peekable();
    let only = arguments.next_if(|argument| argument == "--only").and_then(|_| arguments.next());
    let table = arguments.next().expect("the path of the table");
    let table = std::fs::read_to_string(table).expect("a table that can be read");
    let Table { row } = toml::from_str(&table).expect("rows of ops");
    let pictures: Vec<Image8> = arguments.map(|path| decode(&path)).collect();
    assert!(!pictures.is_empty(), "paths of pictures after the table");
    for row in row.into_iter().filter(|row| only.as_ref().is_none_or(|only| row.name == *only)) {
        let pipeline = Pipeline::build(&row.pipeline, Size::square(224))
            .unwrap_or_else(|error| panic!("{}: {error}", row.name));
        let seconds = measure(&pipeline, &pictures);
        println!("{}", serde_json::json!({ "name": row.name, "seconds": seconds }));
    }
}
