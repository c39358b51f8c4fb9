//! Draws a sheet of generated pictures, one row for each class, and measures the renderer.
//!
//! ```text
//! cargo run -p kiln-data --example contact_sheet -- sheet.png [side]
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to its user")]

use image::{Rgb, RgbImage};
use kiln_data::synth::{CLASSES, Part, SynthSpec, render};
use std::error::Error;
use std::time::Instant;

const COLUMNS: u32 = 12;
const GAP: u32 = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: contact_sheet SHEET.png [side]")?;
    let side = arguments.next().map_or(Ok(96), |side| side.parse())?;
    let classes = u32::try_from(CLASSES.len())?;
    let spec = SynthSpec { side, ..SynthSpec::default() };
    let step = side + GAP;
    let mut sheet =
        RgbImage::from_pixel(COLUMNS * step + GAP, classes * step + GAP, Rgb([250, 250, 250]));
    let start = Instant::now();
    for index in 0..COLUMNS * classes {
        let (picture, class) = render(&spec, Part::Train, index);
        let (left, top) = (GAP + index / classes * step, GAP + class * step);
        for (i, pixel) in (0_u32..).zip(picture.pixels().chunks_exact(3)) {
            sheet.put_pixel(left + i % side, top + i / side, Rgb([pixel[0], pixel[1], pixel[2]]));
        }
    }
    let rate = f64::from(COLUMNS * classes) / start.elapsed().as_secs_f64();
    sheet.save(&path)?;
    println!("{path}: {rate:.0} pictures/s of {side} px on one core");
    Ok(())
}
