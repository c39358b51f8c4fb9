//! Results against those of each op's reference: `tests/golden/augment`, made by the scripts there.
//!
//! Every picture there is one case: its input is generated, its draw is given, and only `render` runs. On a mismatch
//! the result is written next to the build.
#![allow(clippy::expect_used, clippy::panic, reason = "this file is tests and nothing else")]

#[path = "../../../tests/golden/generator.rs"]
mod generator;

use generator::{fnv1a64, splitmix64};
use image::{ExtendedColorType, ImageFormat};
use kiln_augment::{CatalogOp, Image8, Normalize, Op, OpSpec, Size};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Stands for the stage's size, which no case relies on.
const NO_SIZE: Size = Size::square(1);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/augment")
}

fn table<T: DeserializeOwned>(name: &str) -> T {
    let path = folder().join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A generated picture; the script describes the kinds.
#[derive(Deserialize)]
struct Input {
    kind: String,
    width: u32,
    height: u32,
}

impl Input {
    fn picture(&self) -> Image8 {
        let Self { kind, width, height } = self;
        let size = Size::new(*width, *height);
        let start = fnv1a64(&format!("{kind} {width}x{height}"));
        let noise =
            (0..size.area() as u64 * 3).map(|i| splitmix64(start.wrapping_add(i)).to_be_bytes()[0]);
        let pixels = match kind.as_str() {
            "noise" => noise.collect(),
            "extremes" => {
                noise.map(|byte| [0, 1, 127, 128, 254, 255][usize::from(byte % 6)]).collect()
            }
            "gradient" => gradient(size),
            other => panic!("unknown kind of picture `{other}`"),
        };
        Image8::from_rgb(size, pixels).expect("three bytes for each pixel")
    }
}

fn gradient(Size { width, height }: Size) -> Vec<u8> {
    let ramp = |at: u32, last: u32| u8::try_from(255 * at / last.max(1)).expect("at most last");
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    places
        .flat_map(|(x, y)| {
            [ramp(x, width - 1), ramp(y, height - 1), ramp(x + y, width + height - 2)]
        })
        .collect()
}

#[derive(Deserialize)]
struct Cases {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    file: String,
    input: Input,
    spec: OpSpec,
    /// The largest difference of a level that is accepted, of all levels but a share.
    within: u8,
    /// The part of all levels that may differ by more.
    #[serde(default)]
    except: f64,
    #[serde(default)]
    draw: Value,
}

impl Case {
    /// What is wrong with the result, if anything.
    fn fault(&self) -> Option<String> {
        let found = match self.spec.read_draw(&self.draw) {
            Ok(draw) => build(&self.spec).render(self.input.picture(), &draw),
            Err(error) => return Some(error.to_string()),
        };
        let expect = read_png(&folder().join(&self.file));
        if found.size() != expect.size() {
            return Some(format!("size {}, expected {}", found.size(), expect.size()));
        }
        let differences = found.pixels().iter().zip(expect.pixels()).map(|(a, b)| a.abs_diff(*b));
        let largest = differences.clone().max().unwrap_or(0);
        let beyond = differences.filter(|&difference| difference > self.within).count();
        if beyond as f64 <= self.except * found.pixels().len() as f64 {
            return None;
        }
        let written = write_png(&self.file, &found);
        Some(format!(
            "largest difference {largest}, accepted {} but for a part of {}; {beyond} of {} levels beyond; written to {}",
            self.within,
            self.except,
            found.pixels().len(),
            written.display()
        ))
    }
}

fn read_png(path: &Path) -> Image8 {
    let picture = image::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let picture = picture.into_rgb8();
    let size = Size::new(picture.width(), picture.height());
    Image8::from_rgb(size, picture.into_raw()).expect("three bytes for each pixel")
}

/// Writes a wrong result next to the build.
fn write_png(file: &str, picture: &Image8) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("golden-augment").join(file);
    let parent = path.parent().expect("joined from parts");
    fs::create_dir_all(parent).expect("the build folder can be written");
    let Size { width, height } = picture.size();
    let rgb = ExtendedColorType::Rgb8;
    image::save_buffer_with_format(&path, picture.pixels(), width, height, rgb, ImageFormat::Png)
        .expect("the build folder can be written");
    path
}

/// The cases of all modules of the script.
fn cases() -> Vec<Case> {
    ["geometry", "distortion", "color", "noise", "blur", "erasing", "policy"]
        .into_iter()
        .flat_map(|module| table::<Cases>(&format!("{module}.json")).cases)
        .collect()
}

#[test]
fn pictures_equal_those_of_the_references() {
    let cases = cases();
    let mut report = String::new();
    for case in &cases {
        if let Some(fault) = case.fault() {
            writeln!(report, "  {}: {fault}", case.file).expect("a string takes everything");
        }
    }
    assert!(report.is_empty(), "of {} cases:\n{report}", cases.len());
}

#[test]
fn every_picture_is_a_case() {
    let cases = cases();
    let listed: BTreeSet<String> = cases.iter().map(|case| case.file.clone()).collect();
    assert_eq!(listed.len(), cases.len(), "cases have names of their own");
    for entry in fs::read_dir(folder()).expect("the folder can be read") {
        let entry = entry.expect("the folder can be read");
        if entry.path().is_dir() {
            let name = entry.file_name();
            let op = OpSpec::NAMES.iter().any(|op| name == *op);
            assert!(op, "tests/golden/augment/{} belongs to no op", name.to_string_lossy());
        }
    }
    let mut found = BTreeSet::new();
    for op in OpSpec::NAMES {
        let files = fs::read_dir(folder().join(op))
            .unwrap_or_else(|e| panic!("`{op}` has no golden case in tests/golden/augment: {e}"));
        for file in files {
            let name = file.expect("the folder can be read").file_name();
            found.insert(format!("{op}/{}", name.to_string_lossy()));
        }
    }
    assert_eq!(found, listed);
    for case in cases {
        assert!(case.file.starts_with(&format!("{}/", case.spec.name())), "{}", case.file);
    }
}

#[test]
fn sizes_equal_those_of_torchvision() {
    #[derive(Deserialize)]
    struct Sizes {
        resize_short: Vec<Short>,
        random_resized_crop_centre: Vec<Centre>,
        five_crop: Vec<Five>,
    }
    #[derive(Deserialize)]
    struct Short {
        from: [u32; 2],
        size: u32,
        to: [u32; 2],
    }
    #[derive(Deserialize)]
    struct Centre {
        from: [u32; 2],
        ratio: [f64; 2],
        r#box: kiln_augment::CropBox,
    }
    /// Height and width of the crops, and where each begins.
    #[derive(Deserialize)]
    struct Five {
        from: [u32; 2],
        size: [u32; 2],
        corners: Vec<[u8; 2]>,
    }
    use kiln_augment::ops::RandomResizedCropSpec;
    use kiln_augment::{Domain, Op, OpSettings, RandomKey};

    let sizes: Sizes = table("sizes.json");
    for Short { from, size, to } in sizes.resize_short {
        let spec: OpSpec = spec(json!({ "type": "resize_short", "size": size }));
        let found = build(&spec).output_size(Size::new(from[0], from[1]));
        assert_eq!([found.width, found.height], to, "{from:?} with short side {size}");
    }
    let mut rng = RandomKey { seed: 0, domain: Domain::Augment, epoch: 0, index: 0 }.rng(0);
    for Centre { from, ratio, r#box } in sizes.random_resized_crop_centre {
        let spec = RandomResizedCropSpec { scale: [1.0, 1.0], ratio, ..Default::default() };
        let op = spec.build(NO_SIZE).expect("settings are in range");
        assert_eq!(op.draw(Size::new(from[0], from[1]), &mut rng), r#box, "{from:?}, {ratio:?}");
    }
    for Five { from: [width, height], size: [crop_height, crop_width], corners } in sizes.five_crop
    {
        let place = |x: u32, y: u32| [x, y, y].map(|at| u8::try_from(at).expect("small pictures"));
        let pixels = (0..height).flat_map(|y| (0..width).flat_map(move |x| place(x, y))).collect();
        let image = Image8::from_rgb(Size::new(width, height), pixels).expect("of that size");
        let crops = kiln_augment::five_crop(&image, Size::new(crop_width, crop_height))
            .expect("the crops fit");
        for (crop, [left, top]) in crops.into_iter().zip(corners) {
            assert_eq!(crop.size(), Size::new(crop_width, crop_height));
            let (left, top) = (u32::from(left), u32::from(top));
            let expect: Vec<u8> = (top..top + crop_height)
                .flat_map(|y| (left..left + crop_width).flat_map(move |x| place(x, y)))
                .collect();
            assert_eq!(crop.pixels(), expect, "{crop_width}x{crop_height} of {width}x{height}");
        }
    }
}

fn build(spec: &OpSpec) -> CatalogOp {
    spec.build(NO_SIZE).expect("settings are in range")
}

fn spec(value: Value) -> OpSpec {
    serde_json::from_value(value).expect("settings are complete")
}

#[test]
fn all_colors_are_adjusted_as_by_pillow() {
    #[derive(Deserialize)]
    struct AllColors {
        color_jitter: Vec<Row>,
        random_grayscale: String,
    }
    #[derive(Deserialize)]
    struct Row {
        adjustment: String,
        factor: f64,
        checksum: String,
    }

    let pixels = (0..1_u32 << 24).flat_map(|color| color.to_be_bytes().into_iter().skip(1));
    let colors = Image8::from_rgb(Size::square(4096), pixels.collect()).expect("2^24 pixels");
    let checksum = |adjusted: Image8| {
        let (pixels, _) = adjusted.pixels().as_chunks::<3>();
        let sum = (0_u64..).zip(pixels).fold(0_u64, |sum, (color, &[red, green, blue])| {
            let packed = u64::from(u32::from_be_bytes([0, red, green, blue]));
            sum.wrapping_add(splitmix64(color << 24 | packed))
        });
        format!("{sum:016x}")
    };

    let expect: AllColors = table("all_colors.json");
    let jitter = spec(json!({ "type": "color_jitter" }));
    for Row { adjustment, factor, checksum: expect } in expect.color_jitter {
        let order = ["brightness", "contrast", "saturation", "hue"];
        let draw = json!({ "order": order, adjustment.as_str(): factor });
        let draw = jitter.read_draw(&draw).expect("a draw of the op");
        let adjusted = build(&jitter).render(colors.clone(), &draw);
        assert_eq!(checksum(adjusted), expect, "{adjustment} {factor}");
    }
    let grayscale = spec(json!({ "type": "random_grayscale" }));
    let draw = grayscale.read_draw(&json!(true)).expect("a draw of the op");
    let grey = build(&grayscale).render(colors, &draw);
    assert_eq!(checksum(grey), expect.random_grayscale, "grey");
}

#[test]
fn normalisation_has_the_bits_of_torchvision() {
    #[derive(Deserialize)]
    struct Table {
        cases: Vec<Row>,
    }
    #[derive(Deserialize)]
    struct Row {
        mean: [f32; 3],
        std: [f32; 3],
        bits: Vec<u32>,
    }

    let pixels = (0..=255_u8).flat_map(|i| [i, 255 - i, i.wrapping_mul(7)]).collect();
    let image = Image8::from_rgb(Size::new(256, 1), pixels).expect("256 pixels");
    let Table { cases } = table("normalize.json");
    for Row { mean, std, bits } in cases {
        let mut planes = vec![0.0; bits.len()];
        Normalize { mean, std }.to_planar(&image, &mut planes);
        let found: Vec<u32> = planes.into_iter().map(f32::to_bits).collect();
        assert_eq!(found, bits, "mean {mean:?}, std {std:?}");
    }
    assert_eq!(Normalize::IMAGENET.validate(), Ok(()));
}
