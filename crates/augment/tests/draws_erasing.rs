//! What ops draw that take parts away.
#![allow(clippy::expect_used, clippy::panic, reason = "this file is tests and nothing else")]

mod support;

use kiln_augment::ops::random_erasing::{ErasingMode, Patch, PatchContent};
use kiln_augment::ops::{
    CoarseDropoutSpec, CutoutSpec, GridDropoutSpec, GridMaskSpec, HideAndSeekSpec,
    RandomErasingSpec,
};
use kiln_augment::{CropBox, HoleFill, Holes, Image8, Op, OpSettings, Size};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use support::many_draws::{MANY, STAGE, check_rate, draws, rng};

fn share<T>(items: &[T], expect: f64, accept: impl Fn(&T) -> bool) {
    check_rate(items.iter().filter(|item| accept(item)).count(), items.len(), expect);
}

#[test]
fn erased_rectangles_fill_the_ranges_of_area_and_shape() {
    let size = Size::new(1000, 1000);
    let drawn = draws(&RandomErasingSpec { scale: [0.1, 0.2], ..Default::default() }, size);
    share(&drawn, 0.5, Option::is_some);
    let boxes: Vec<CropBox> = drawn.into_iter().flatten().flatten().map(|p| p.area).collect();
    let area = |b: &CropBox| b.size().area() as f64 / size.area() as f64;
    let shape = |b: &CropBox| f64::from(b.height) / f64::from(b.width);
    assert!(boxes.iter().all(|b| b.is_inside(size)));
    assert!(boxes.iter().all(|b| (0.098..0.202).contains(&area(b))));
    assert!(boxes.iter().all(|b| (0.298..3.32).contains(&shape(b))));
    share(&boxes, 0.25, |b| area(b) < 0.125);
    share(&boxes, 0.5, |b| shape(b) < (0.3_f64 * 3.3).sqrt());
    // A corner is uniform over the places that the rectangle leaves it.
    share(&boxes, 0.25, |b| f64::from(b.left) < 0.25 * f64::from(size.width - b.width));
    share(&boxes, 0.25, |b| f64::from(b.top) < 0.25 * f64::from(size.height - b.height));
}

#[test]
fn several_rectangles_share_the_area() {
    let spec = RandomErasingSpec {
        p: 1.0,
        scale: [0.2, 0.2],
        mode: ErasingMode::Random,
        min_count: 2,
        max_count: Some(4),
        ..Default::default()
    };
    let size = Size::new(1000, 1000);
    let drawn: Vec<Vec<Patch>> = draws(&spec, size).into_iter().flatten().collect();
    for count in 2..=4 {
        share(&drawn, 1.0 / 3.0, |patches| patches.len() == count);
    }
    for patches in &drawn {
        let area: usize = patches.iter().map(|patch| patch.area.size().area()).sum();
        assert!((198_000..202_000).contains(&area));
    }
    // The colours normalise to standard normal numbers, but for rounding and clipping.
    let colors = drawn.into_iter().flatten().map(|patch| match patch.content {
        PatchContent::Color(color) => color,
        other => panic!("mode random draws colours, found {other:?}"),
    });
    let pixels: Vec<[u8; 3]> = colors.collect();
    check_normal(&pixels);
}

/// The share of levels up to the bounds of levels, of the normal distribution with the statistics of ImageNet.
fn check_normal(pixels: &[[u8; 3]]) {
    for (channel, bounds) in [
        // 255 (0.485 + 0.229 n) and so on; then the standard normal distribution, from tables.
        (0, [(0, 0.017_458), (65, 0.159_569), (123, 0.498_804), (182, 0.843_120)]),
        (1, [(0, 0.021_333), (59, 0.160_100), (116, 0.501_537), (173, 0.841_768)]),
        (2, [(0, 0.036_269), (46, 0.160_115), (103, 0.499_791), (160, 0.839_631)]),
    ] {
        for (level, expect) in bounds {
            share(pixels, expect, |pixel| pixel[channel] <= level);
        }
    }
}

#[test]
fn pixels_of_noise_normalise_to_standard_normal_numbers() {
    let spec = RandomErasingSpec { mode: ErasingMode::Pixel, p: 1.0, ..Default::default() };
    let op = spec.build(STAGE).expect("settings are in range");
    let size = Size::new(300, 200);
    let noise = |seed| {
        let patch = Patch { area: CropBox::whole(size), content: PatchContent::Noise(seed) };
        op.render(Image8::filled(size, [0; 3]), &Some(vec![patch]))
    };
    let image = noise(1);
    let pixels = image.pixels().as_chunks::<3>().0;
    check_normal(pixels);
    // Neighbours and channels are independent: both below the median in a quarter of all cases.
    let low = |pixel: &[u8; 3], channel: usize| pixel[channel] <= [123, 116, 103][channel];
    let pairs: Vec<_> = pixels.iter().zip(&pixels[1..]).collect();
    share(&pairs, 0.25, |(a, b)| low(a, 0) && low(b, 0));
    share(pixels, 0.25, |pixel| low(pixel, 0) && low(pixel, 1));
    share(pixels, 0.25, |pixel| low(pixel, 1) && low(pixel, 2));
    assert_ne!(noise(2), image);

    let seeds: BTreeSet<u64> = draws(&spec, size)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|patch| match patch.content {
            PatchContent::Noise(seed) => Some(seed),
            _ => None,
        })
        .collect();
    assert_eq!(seeds.len() as u64, MANY);
}

#[test]
fn a_rectangle_that_cannot_fit_is_left_out() {
    let spec = RandomErasingSpec { p: 1.0, scale: [1.0, 1.0], ..Default::default() };
    assert!(draws(&spec, Size::new(9, 5)).iter().all(|drawn| drawn.as_ref() == Some(&vec![])));
}

#[test]
fn squares_have_their_centres_everywhere() {
    let size = Size::new(7, 5);
    let spec = CutoutSpec { n_holes: 2, length: 5, ..Default::default() };
    let drawn: Vec<Vec<CropBox>> = draws(&spec, size).into_iter().flatten().collect();
    assert_eq!(drawn.len() as u64, MANY);
    assert!(drawn.iter().all(|squares| squares.len() == 2));
    let squares: Vec<CropBox> = drawn.concat();
    // Two pixels to each side of the centre, without what lies outside.
    for (centre, (left, width)) in
        (0..7).zip([(0, 2), (0, 3), (0, 4), (1, 4), (2, 4), (3, 4), (4, 3)])
    {
        share(&squares, 1.0 / 7.0, |b| (b.left, b.width) == (left, width));
        for (top, height) in [(0, 2), (0, 3), (0, 4), (1, 4), (2, 3)] {
            let hit =
                |b: &CropBox| (b.left, b.width, b.top, b.height) == (left, width, top, height);
            share(&squares, 1.0 / 35.0, hit);
        }
        assert!(squares.iter().any(|b| b.left == left), "centre {centre}");
    }
    let some = draws(&CutoutSpec { p: 0.3, ..spec }, size);
    share(&some, 0.3, Option::is_some);
}

#[test]
fn holes_have_the_sizes_of_their_ranges() {
    let size = Size::new(40, 30);
    let spec = CoarseDropoutSpec {
        num_holes_range: [2, 4],
        hole_height_range: [0.1, 0.5],
        hole_width_range: [3.0, 50.0],
        ..Default::default()
    };
    let drawn = draws(&spec, size);
    share(&drawn, 0.5, Option::is_some);
    let drawn: Vec<Holes> = drawn.into_iter().flatten().collect();
    assert!(drawn.iter().all(|holes| holes.seed == 0));
    for count in 2..=4 {
        share(&drawn, 1.0 / 3.0, |holes| holes.boxes.len() == count);
    }
    let boxes: Vec<CropBox> = drawn.into_iter().flat_map(|holes| holes.boxes).collect();
    assert!(boxes.iter().all(|hole| hole.is_inside(size)));
    // Heights are cut to whole pixels; widths end at the picture's.
    for height in 3..15 {
        share(&boxes, 1.0 / 12.0, |hole| hole.height == height);
    }
    for width in 3..=40 {
        share(&boxes, 1.0 / 38.0, |hole| hole.width == width);
    }
    let narrow: Vec<_> = boxes.into_iter().filter(|b| (b.width, b.height) == (3, 3)).collect();
    share(&narrow, 1.0 / 38.0, |hole| hole.left == 37);
    share(&narrow, 1.0 / 28.0, |hole| hole.top == 0);

    let seeds: BTreeSet<u64> = draws(&CoarseDropoutSpec { fill: HoleFill::Random, ..spec }, size)
        .into_iter()
        .flatten()
        .map(|holes| holes.seed)
        .collect();
    assert!(seeds.len() > 9000, "a seed for each picture");
}

#[test]
fn random_fills_are_uniform() {
    let size = Size::new(200, 150);
    let black = || Image8::filled(size, [0; 3]);
    let render = |fill, boxes: Vec<CropBox>, seed| {
        let spec = CoarseDropoutSpec { fill, ..Default::default() };
        let op = spec.build(STAGE).expect("settings are in range");
        op.render(black(), &Some(Holes { boxes, seed }))
    };
    let whole = vec![CropBox::whole(size)];
    let noise = render(HoleFill::Random, whole.clone(), 5);
    for bound in [0, 63, 127, 254] {
        share(noise.pixels(), f64::from(bound + 1) / 256.0, |level| i32::from(*level) <= bound);
    }
    let pairs: Vec<_> = noise.pixels().iter().zip(&noise.pixels()[1..]).collect();
    share(&pairs, 0.25, |(a, b)| **a < 128 && **b < 128);
    assert_ne!(render(HoleFill::Random, whole, 6), noise);

    let cells = (0..200)
        .flat_map(|left| (0..150).map(move |top| CropBox { left, top, width: 1, height: 1 }));
    let colors = render(HoleFill::RandomUniform, cells.collect(), 5);
    share(colors.pixels(), 0.25, |level| *level < 64);
    let wide = CropBox { left: 3, top: 2, width: 100, height: 50 };
    let plain = render(HoleFill::RandomUniform, vec![wide], 5);
    let pixels = plain.pixels().as_chunks::<3>().0;
    let found: BTreeMap<[u8; 3], usize> = pixels.iter().fold(BTreeMap::new(), |mut counts, p| {
        *counts.entry(*p).or_default() += 1;
        counts
    });
    assert_eq!(found.into_values().collect::<BTreeSet<_>>(), [5000, 25_000].into());
}

/// Where cells are equal and offsets are given, albumentations' holes are the only ones.
#[test]
fn grids_without_randomness_are_those_of_albumentations() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/augment/erasing.json");
    let text = fs::read_to_string(path).expect("the fixture can be read");
    let table: Value = serde_json::from_str(&text).expect("the fixture is JSON");
    let mut seen = 0;
    for case in table["cases"].as_array().expect("a list of cases") {
        let mut spec = case["spec"].clone();
        if spec["type"] != "grid_dropout" || spec["random_offset"] != Value::Bool(false) {
            continue;
        }
        spec.as_object_mut().expect("a table").remove("type");
        let spec: GridDropoutSpec = serde_json::from_value(spec).expect("settings are complete");
        let side = |name: &str| {
            let side = case["input"][name].as_u64().expect("a side");
            u32::try_from(side).expect("small")
        };
        let size = Size::new(side("width"), side("height"));
        let op = spec.build(STAGE).expect("settings are in range");
        let expect: Option<Holes> =
            serde_json::from_value(case["draw"].clone()).expect("a draw of the op");
        assert_eq!(op.draw(size, &mut rng(3)), expect, "{}", case["file"]);
        seen += 1;
    }
    assert!(seen >= 6);
}

#[test]
fn every_cell_of_a_grid_has_a_hole() {
    let size = Size::new(23, 11);
    let spec = GridDropoutSpec { p: 1.0, holes_number_xy: Some([3, 2]), ..Default::default() };
    let drawn: Vec<Holes> = draws(&spec, size).into_iter().flatten().collect();
    for Holes { boxes, .. } in &drawn {
        assert_eq!(boxes.len(), 6);
        assert!(boxes.iter().all(|hole| hole.is_inside(size)));
        // Cells of 8, 8 and 7 columns and of 6 and 5 rows, each in any order.
        let mut widths = [boxes[0].width, boxes[1].width, boxes[2].width];
        widths.sort_unstable();
        assert_eq!(widths, [3, 4, 4]);
        assert_eq!(boxes[0].height + boxes[3].height, 5);
        for pair in boxes.chunks(3).flat_map(|row| row.windows(2)) {
            assert!(pair[0].left + pair[0].width <= pair[1].left);
        }
    }
    for place in 0..3 {
        share(&drawn, 1.0 / 3.0, |holes| holes.boxes[place].width == 3);
    }
    share(&drawn, 0.5, |holes| holes.boxes[0].height == 3);
    let wide: Vec<CropBox> =
        drawn.iter().map(|holes| holes.boxes[0]).filter(|hole| hole.width == 4).collect();
    for left in 0..=4 {
        share(&wide, 0.2, |hole| hole.left == left);
    }

    let count = |spec: &GridDropoutSpec, size| -> BTreeSet<usize> {
        draws(spec, size).into_iter().flatten().map(|holes| holes.boxes.len()).collect()
    };
    let unit = GridDropoutSpec { unit_size_range: Some([4, 6]), ..Default::default() };
    assert_eq!(count(&unit, size), [5 * 2, 4 * 2].into(), "6 is not drawn");
    assert_eq!(count(&unit, Size::new(3, 7)), [2].into(), "a unit of 3 is the largest");
    assert_eq!(count(&GridDropoutSpec::default(), size), [11 * 5].into());
    assert_eq!(count(&spec, Size::new(1, 1)), [1].into());
    share(&draws(&unit, size), 0.5, Option::is_some);
}

#[test]
fn grids_begin_and_turn_anywhere() {
    let size = Size::new(23, 11);
    let spec = GridMaskSpec { p: 0.8, d_range: [3, 6], rotate: 4, ..Default::default() };
    let drawn = draws(&spec, size);
    share(&drawn, 0.8, Option::is_some);
    let grids: Vec<_> = drawn.into_iter().flatten().collect();
    for unit in 3..6 {
        share(&grids, 1.0 / 3.0, |grid| grid.unit == unit);
    }
    for angle in 0..4 {
        share(&grids, 0.25, |grid| grid.angle == angle);
    }
    let fives: Vec<_> = grids.into_iter().filter(|grid| grid.unit == 5).collect();
    for first in 0..5 {
        share(&fives, 0.2, |grid| grid.top == first);
        share(&fives, 0.2, |grid| grid.left == first);
    }
}

#[test]
fn cells_are_hidden_as_often_as_told() {
    let size = Size::new(23, 11);
    let spec = HideAndSeekSpec { grid_sizes: vec![0, 4, 30], p_hide: 0.3, ..Default::default() };
    let drawn: Vec<_> = draws(&spec, size).into_iter().flatten().collect();
    assert_eq!(drawn.len() as u64, MANY);
    for side in [0, 4, 30] {
        share(&drawn, 1.0 / 3.0, |hidden| hidden.side == side);
    }
    let of = |side| drawn.iter().filter(|hidden| hidden.side == side).collect::<Vec<_>>();
    assert!(of(0).iter().all(|hidden| hidden.cells.is_empty()));
    share(&of(30), 0.3, |hidden| hidden.cells == [0]);
    for cell in 0..6 * 3 {
        share(&of(4), 0.3, |hidden| hidden.cells.contains(&cell));
    }
    assert!(of(4).iter().all(|hidden| hidden.cells.iter().all(|cell| *cell < 18)));
    share(&draws(&HideAndSeekSpec { p: 0.1, ..spec }, size), 0.1, Option::is_some);
}

#[test]
fn settings_out_of_range_are_refused() {
    fn check<S: OpSettings + serde::de::DeserializeOwned>(settings: &str, expect: &str) {
        let spec: S = toml::from_str(settings).expect("settings are complete");
        let error = spec.build(STAGE).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some(expect), "{settings}");
    }
    check::<RandomErasingSpec>(
        "scale = [0.5, nan]",
        "scale must be [min, max] with 0 <= min <= max <= 1, found [0.5, NaN]",
    );
    check::<RandomErasingSpec>(
        "min_count = 3\nmax_count = 2",
        "max_count must be from min_count to 1000, found 2",
    );
    check::<RandomErasingSpec>(
        "std = [1.0, 0.0, 1.0]",
        "std must be finite numbers above 0, found [1.0, 0.0, 1.0]",
    );
    check::<CutoutSpec>("length = 1", "length must be from 2 to 65535, found 1");
    check::<CoarseDropoutSpec>(
        "hole_height_range = [0.5, 1.0]",
        "hole_height_range must be [min, max] with 0 <= min <= max, both below 1 or both whole \
         numbers, found [0.5, 1.0]",
    );
    check::<GridDropoutSpec>("ratio = nan", "ratio must be above 0 and at most 1, found NaN");
    check::<GridMaskSpec>("rotate = 0", "rotate must be from 1 to 360, found 0");
    check::<HideAndSeekSpec>(
        "grid_sizes = []",
        "grid_sizes must be a list of sides from 0 to 65535, found []",
    );
}

#[test]
fn fills_are_written_in_several_ways() {
    let read = |fill: &str| -> Result<HoleFill, String> {
        let spec = toml::from_str::<CoarseDropoutSpec>(&format!("fill = {fill}"));
        spec.map(|spec| spec.fill).map_err(|error| error.to_string())
    };
    assert_eq!(read("7"), Ok(HoleFill::Color([7; 3])));
    assert_eq!(read("[1, 2, 3]"), Ok(HoleFill::Color([1, 2, 3])));
    assert_eq!(read("'random'"), Ok(HoleFill::Random));
    assert_eq!(read("'random_uniform'"), Ok(HoleFill::RandomUniform));
    for (fill, expect) in [
        ("300", "invalid value: integer `300`, expected u8"),
        ("[1, 2]", "expected one level or [red, green, blue]"),
        ("'inpaint'", "unknown variant `inpaint`"),
        ("true", "expected a level, [red, green, blue], `random` or `random_uniform`"),
    ] {
        assert!(read(fill).is_err_and(|error| error.contains(expect)), "{fill}: {:?}", read(fill));
    }
}
