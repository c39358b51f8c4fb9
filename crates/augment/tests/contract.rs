//! What every op of the catalog promises, whatever it does.
#![allow(clippy::expect_used, clippy::panic, reason = "this file is tests and nothing else")]

use kiln_augment::{
    CatalogOp, Domain, Error, Image8, Op, OpDraw, OpSpec, Pipeline, RandomKey, Size, Transform,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const STAGE: Size = Size::new(8, 6);
const SIZES: [Size; 6] = [
    Size::new(1, 1),
    Size::new(1, 9),
    Size::new(13, 2),
    Size::new(7, 5),
    Size::new(32, 32),
    Size::new(40, 31),
];

/// What a stage has of ops.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stage {
    pipeline: Vec<OpSpec>,
}

fn parse(toml: &str) -> Result<Vec<OpSpec>, toml::de::Error> {
    toml::from_str(toml).map(|Stage { pipeline }| pipeline)
}

fn key(index: u64) -> RandomKey {
    RandomKey { seed: 1, domain: Domain::Augment, epoch: 2, index }
}

fn colorful(size: Size) -> Image8 {
    let pixels = (0..size.area() * 3).map(|i| (i * 97 % 251).to_le_bytes()[0]).collect();
    Image8::from_rgb(size, pixels).expect("three bytes for each pixel")
}

fn build(spec: &OpSpec) -> CatalogOp {
    spec.build(STAGE).unwrap_or_else(|error| panic!("{}: {error}", spec.name()))
}

#[test]
fn the_catalog_is_complete() {
    let examples: Vec<&str> = OpSpec::examples().iter().map(OpSpec::name).collect();
    assert_eq!(examples, OpSpec::NAMES);

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ops");
    let files: BTreeSet<String> = fs::read_dir(folder)
        .expect("the folder of ops can be read")
        .map(|file| file.expect("it can be listed").path())
        .map(|path| path.file_stem().expect("files have names").to_string_lossy().into_owned())
        .filter(|name| name != "catalog")
        .collect();
    let names: BTreeSet<String> = OpSpec::NAMES.iter().map(ToString::to_string).collect();
    assert_eq!(files, names, "one file for each op, named as the op");
}

#[test]
fn settings_survive_toml() {
    for spec in OpSpec::examples() {
        let name = spec.name();
        let stage = Stage { pipeline: vec![spec] };
        let written = toml::to_string(&stage).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(written.contains(&format!("type = \"{name}\"")), "{written}");
        assert_eq!(toml::from_str(&written), Ok(stage), "{written}");
    }
}

#[test]
fn unknown_settings_are_refused() {
    for spec in OpSpec::examples() {
        let mut table = toml::Table::try_from(&spec).expect("settings are a table");
        table.insert("nonsense".to_owned(), 1.into());
        let error = table.try_into::<OpSpec>().expect_err("an unknown setting").to_string();
        assert!(error.contains("unknown field `nonsense`"), "{}: {error}", spec.name());
    }
}

#[test]
fn the_same_key_gives_the_same_result() {
    for spec in OpSpec::examples() {
        let (first, second) = (build(&spec), build(&spec));
        for (index, size) in (0..).zip(SIZES) {
            let apply = |op: &CatalogOp| op.apply(colorful(size), &mut key(index).rng(0));
            let expect = apply(&first);
            assert_eq!(apply(&first), expect, "{} again", spec.name());
            assert_eq!(apply(&second), expect, "{} built again", spec.name());
        }
    }
}

#[test]
fn results_have_the_declared_size() {
    for spec in OpSpec::examples() {
        let op = build(&spec);
        for size in SIZES {
            for index in 0..20 {
                let result = op.apply(colorful(size), &mut key(index).rng(0));
                assert_eq!(result.size(), op.output_size(size), "{} of {size}", spec.name());
            }
        }
    }
}

#[test]
fn gray_pictures_give_what_their_rgb_form_gives() {
    for spec in OpSpec::examples() {
        let op = build(&spec);
        for (index, size) in (0..).zip(SIZES) {
            let levels = (0..size.area()).map(|i| (i * 97 % 251).to_le_bytes()[0]).collect();
            let gray = Image8::from_gray(size, levels).expect("one byte for each pixel");
            let apply = |image: Image8| op.apply(image, &mut key(index).rng(0));
            let expect = apply(gray.clone().into_rgb());
            assert_eq!(apply(gray).into_rgb(), expect, "{} of {size}", spec.name());
        }
    }
}

#[test]
fn draws_can_be_written_down_and_carried_out_again() {
    for spec in OpSpec::examples() {
        let op = build(&spec);
        for (index, size) in (0..).zip(SIZES) {
            let draw = op.draw(size, &mut key(index).rng(0));
            let written = serde_json::to_string(&draw).expect("draws are data");
            let read: OpDraw = serde_json::from_str(&written).expect("it was written by us");
            assert_eq!(read, draw, "{written}");
            let expect = op.apply(colorful(size), &mut key(index).rng(0));
            assert_eq!(op.render(colorful(size), &read), expect, "{written}");
        }
    }
}

#[test]
fn a_draw_of_another_op_changes_nothing() {
    let ops: Vec<CatalogOp> = OpSpec::examples().iter().map(build).collect();
    let size = Size::new(7, 5);
    for (op, other) in ops.iter().zip(ops.iter().cycle().skip(1)) {
        let draw = other.draw(size, &mut key(0).rng(0));
        assert_eq!(op.render(colorful(size), &draw), colorful(size), "{op:?} with {draw:?}");
    }
}

#[test]
fn examples_act() {
    for spec in OpSpec::examples() {
        let (op, image) = (build(&spec), colorful(Size::new(40, 31)));
        let acts = (0..20).any(|index| op.apply(image.clone(), &mut key(index).rng(0)) != image);
        assert!(acts, "{}", spec.name());
    }
}

#[test]
fn without_probability_nothing_happens() {
    let mut seen = 0;
    for spec in OpSpec::examples() {
        let mut table = toml::Table::try_from(&spec).expect("settings are a table");
        let Some(p) = table.get_mut("p") else { continue };
        *p = 0.0.into();
        let op = build(&table.try_into().expect("still settings"));
        for index in 0..100 {
            let image = colorful(Size::new(7, 5));
            assert_eq!(op.apply(image.clone(), &mut key(index).rng(0)), image, "{}", spec.name());
        }
        seen += 1;
    }
    assert!(seen >= 3, "some ops have a probability");
}

#[test]
fn pages_have_their_sections() {
    for name in OpSpec::NAMES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/ops/{name}.rs"));
        let source = fs::read_to_string(path).expect("every op has a file");
        let page: Vec<&str> = source
            .lines()
            .map_while(|line| line.strip_prefix("//!"))
            .map(|line| line.strip_prefix(' ').unwrap_or(line))
            .collect();
        let sections: Vec<&str> =
            page.iter().copied().filter(|line| line.starts_with("# ")).collect();
        assert_eq!(sections, ["# Randomness", "# Parity", "# Example"], "{name}");
        assert!(page[0].ends_with('.'), "{name}: a first sentence");
        let line_after = |heading: &str| {
            page.iter().skip_while(|line| **line != heading).nth(1).copied().unwrap_or_default()
        };
        assert!(!line_after("# Randomness").is_empty(), "{name}: how many draws");
        assert!(!line_after("# Parity").is_empty(), "{name}: which reference");

        let example: Vec<&str> = page
            .iter()
            .copied()
            .skip_while(|line| *line != "```toml")
            .skip(1)
            .take_while(|line| *line != "```")
            .collect();
        let ops = parse(&example.join("\n")).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(ops.iter().any(|op| op.name() == *name), "{name}: its example uses it");
        for op in &ops {
            build(op);
        }
    }
}

#[test]
fn torchvisions_shorthands_are_understood() {
    let check = |short: &str, long: &str| {
        let [short, long] = [short, long].map(|op| {
            parse(&format!("pipeline = [{{ {op} }}]")).unwrap_or_else(|e| panic!("{op}: {e}"))
        });
        assert_eq!(short, long);
    };
    check("type = 'resize', size = 9", "type = 'resize', size = [9, 9]");
    check("type = 'pad', padding = 3", "type = 'pad', padding = [3, 3, 3, 3]");
    check("type = 'pad', padding = [3]", "type = 'pad', padding = 3");
    check("type = 'pad', padding = [3, 1]", "type = 'pad', padding = [3, 1, 3, 1]");
    check("type = 'pad', padding = 1, fill = 7", "type = 'pad', padding = 1, fill = [7, 7, 7]");
    check("type = 'color_jitter', hue = 0", "type = 'color_jitter'");
    check("type = 'random_grayscale'", "type = 'random_grayscale', p = 0.1");
    check("type = 'random_vertical_flip'", "type = 'random_vertical_flip', p = 0.5");
}

#[test]
fn heights_come_before_widths() {
    let check = |op: &str| {
        let specs = parse(&format!("pipeline = [{{ {op} }}]")).expect("settings are complete");
        assert_eq!(build(&specs[0]).output_size(Size::new(30, 40)), Size::new(20, 10), "{op}");
    };
    check("type = 'resize', size = [10, 20]");
    check("type = 'center_crop', size = [10, 20]");
    check("type = 'random_crop', size = [10, 20]");
    check("type = 'random_resized_crop', size = [10, 20]");
}

#[test]
fn a_thin_picture_does_not_become_a_huge_one() {
    let [spec] =
        &parse("pipeline = [{ type = 'resize_short', size = 4 }]").expect("it is valid")[..]
    else {
        panic!("one op was written");
    };
    let op = build(spec);
    for (from, to) in [
        (Size::new(1, 65_000), Size::new(4, 65_535)),
        (Size::new(65_000, 1), Size::new(65_535, 4)),
        (Size::new(1, u32::MAX), Size::new(4, 65_535)),
        (Size::new(1, 16_383), Size::new(4, 65_532)),
    ] {
        assert_eq!(op.output_size(from), to, "{from}");
    }
    let thin = op.apply(Image8::filled(Size::new(1, 65_000), [9; 3]), &mut key(0).rng(0));
    assert_eq!(thin.size(), Size::new(4, 65_535));
}

#[test]
fn settings_out_of_range_are_refused() {
    let check = |op: &str, expect: &str| {
        let specs = parse(&format!("pipeline = [{{ {op} }}]")).expect("settings are complete");
        let error = specs[0].build(STAGE).expect_err("a setting out of range");
        assert!(matches!(error, Error::OutOfRange { .. }));
        assert_eq!(error.to_string(), expect, "{op}");
    };
    check("type = 'resize', size = 0", "size must be from 1 to 65535, found 0");
    check("type = 'resize_short', size = 70000", "size must be from 1 to 65535, found 70000");
    check("type = 'random_vertical_flip', p = 1.5", "p must be from 0 to 1, found 1.5");
    check("type = 'random_grayscale', p = nan", "p must be from 0 to 1, found NaN");
    check(
        "type = 'pad', padding = [1, 70000]",
        "padding must be from 0 to 65535 on each side, found 70000",
    );
    check(
        "type = 'random_resized_crop', scale = [0.0, 1.0]",
        "scale must be [min, max] with 0 < min <= max <= 1, found [0.0, 1.0]",
    );
    check(
        "type = 'random_resized_crop', ratio = [2.0, 1.0]",
        "ratio must be [min, max] with 0 < min <= max, found [2.0, 1.0]",
    );
    check(
        "type = 'color_jitter', brightness = -0.1",
        "brightness must be at least 0, or [min, max] with 0 <= min <= max, found -0.1",
    );
    check(
        "type = 'rand_augment', variant = 'timm', prob = nan",
        "prob must be from 0 to 1, found NaN",
    );
    check(
        "type = 'random_rotation', degrees = -30",
        "degrees must be from 0 to 36000 degrees, or [min, max] with -36000 <= min <= max <= 36000, \
         found -30.0",
    );
    check(
        "type = 'color_jitter', hue = 0.6",
        "hue must be from 0 to 0.5, or [min, max] with -0.5 <= min <= max <= 0.5, \
         found [-0.6, 0.6]",
    );
}

#[test]
fn wrong_shapes_are_explained() {
    let check = |op: &str, expect: &str| {
        let error = parse(&format!("pipeline = [{{ {op} }}]")).expect_err("a wrong shape");
        assert!(error.to_string().contains(expect), "{op}: {error}");
    };
    check("type = 'resize', size = [1, 2, 3]", "expected one side or [height, width]");
    check("type = 'resize', size = 'big'", "expected a number or a list of numbers");
    check("type = 'resize', interpolation = 'cubic'", "unknown variant `cubic`");
    check("type = 'pad', padding = [1, 2, 3]", "padding takes 1, 2 or 4 numbers, found 3");
    check("type = 'pad', padding = 1, fill = [1, 2]", "expected one level or [red, green, blue]");
    check("type = 'color_jitter', hue = [0.1]", "a range takes 2 numbers, found 1");
    check("type = 'pad'", "missing field `padding`");
    check("type = 'resise'", "unknown variant `resise`");
}

#[test]
fn mistakes_inside_of_ops_name_their_place() {
    let check = |op: &str, expect: &str| {
        let specs = parse(&format!("pipeline = [{{ {op} }}]")).expect("settings are complete");
        let error = specs[0].build(STAGE).expect_err("a setting out of range");
        assert_eq!(error.to_string(), expect, "{op}");
    };
    let flip = "{ type = 'random_vertical_flip', p = 1.5 }";
    let crop = "{ type = 'center_crop', size = 3 }";
    check(
        &format!("type = 'one_of', ops = [{{ type = 'sequential', ops = [{crop}, {flip}] }}]"),
        "ops[0] (sequential): ops[1] (random_vertical_flip): p must be from 0 to 1, found 1.5",
    );
    check("type = 'one_of', ops = []", "ops must be a list of at least one op, found none");
    check(
        &format!("type = 'one_of', weights = [1, 2], ops = [{crop}]"),
        "weights must be one number of at least 0 for each op, not all 0, found [1.0, 2.0]",
    );
    check(
        &format!("type = 'one_of', ops = [{crop}, {{ type = 'random_grayscale' }}]"),
        "ops must be a list of ops that yield one size, as any may be chosen, found several, of ops[0] and ops[1]",
    );
    for op in ["one_of', p = 0.5", "sequential', p = 0.5", "some_of', n = 1"] {
        check(
            &format!("type = '{op}, ops = [{crop}]"),
            "ops must be a list of ops that keep the size, as some may be left out, found one that changes it, ops[0]",
        );
    }
    check(
        "type = 'some_of', n = [1, 2], ops = [{ type = 'random_grayscale' }]",
        "n must be [min, max] with min <= max <= the number of ops, found [1, 2]",
    );
}

#[test]
fn crops_larger_than_any_picture_probed_before_are_seen_to_change_the_size() {
    let refused = |op: &str| {
        let specs = parse(&format!("pipeline = [{{ {op} }}]")).expect("settings are complete");
        assert!(specs[0].build(STAGE).is_err(), "{op}");
    };
    let [larger, large] =
        [800, 700].map(|size| format!("{{ type = 'random_crop', size = {size} }}"));
    refused(&format!("type = 'one_of', ops = [{larger}, {large}], p = 1.0"));
    refused(&format!("type = 'sequential', ops = [{larger}], p = 0.5"));
    refused(&format!("type = 'some_of', n = 1, ops = [{large}]"));
}

#[test]
fn a_crop_larger_than_its_pictures_needs_a_rule() {
    let build = |crop: &str| {
        let specs = parse(&format!(
            "pipeline = [{{ type = 'resize', size = [30, 40] }}, {{ type = 'random_crop', {crop} }}]"
        ));
        Pipeline::build(&specs.expect("settings are complete"), STAGE)
    };
    for crop in ["size = 30", "size = 32, padding = 1", "size = 99, pad_if_needed = true"] {
        assert!(build(crop).is_ok(), "{crop}");
    }
    let error = build("size = [31, 20]").expect_err("one row is missing");
    assert_eq!(
        error.to_string(),
        "ops[1] (random_crop): size must be at most that of the pictures, or pad_if_needed = true, \
         found 20x31 for pictures of 40x30"
    );
}

#[test]
fn settings_without_effect_are_refused() {
    let check = |op: &str, field: &str| {
        let specs = parse(&format!("pipeline = [{{ {op} }}]")).expect("settings are complete");
        let error = specs[0].build(STAGE).expect_err(op).to_string();
        assert!(error.starts_with(&format!("{field} must be left out")), "{op}: {error}");
    };
    check("type = 'rand_augment', variant = 'timm', num_magnitude_bins = 10", "num_magnitude_bins");
    check("type = 'grid_dropout', shift_xy = [1, 0]", "shift_xy");
    check(
        "type = 'grid_dropout', unit_size_range = [3, 4], holes_number_xy = [2, 2]",
        "unit_size_range",
    );
    check("type = 'random_erasing', mode = 'pixel', value = 7", "value");
    check("type = 'random_erasing', mean = [0.5, 0.5, 0.5]", "mean");
    check("type = 'pad', padding = 1, padding_mode = 'edge', fill = 9", "fill");
    check("type = 'random_crop', padding = 1, padding_mode = 'edge', fill = 9", "fill");
    check("type = 'grid_distortion', border_mode = 'replicate', fill = 9", "fill");
    check(
        "type = 'shift_scale_rotate', shift_limit = 0.5, shift_limit_x = 0.1, shift_limit_y = 0.1",
        "shift_limit",
    );
}

#[test]
fn ops_that_move_pixels_refuse_the_filter_that_only_resizes() {
    for op in [
        "rand_augment'",
        "auto_augment'",
        "trivial_augment_wide'",
        "aug_mix'",
        "random_rotation', degrees = 5",
    ] {
        let specs = parse(&format!("pipeline = [{{ type = '{op}, interpolation = 'lanczos' }}]"));
        let error = specs.expect("settings are complete")[0].build(STAGE).expect_err(op);
        let expect = "interpolation must be nearest, bilinear or bicubic, found lanczos";
        assert_eq!(error.to_string(), expect, "{op}");
    }
}

#[test]
fn ops_draw_from_the_stream_of_their_position() {
    let specs: Vec<OpSpec> = OpSpec::examples();
    let pipeline = Pipeline::build(&specs, STAGE).expect("examples are in range");
    let image = colorful(Size::new(40, 31));
    let expect = (0..).zip(&specs).fold(image.clone(), |image, (position, spec)| {
        build(spec).apply(image, &mut key(3).rng(position))
    });
    assert_eq!(pipeline.apply(image.clone(), key(3)), expect);
    assert_eq!(pipeline.output_size(image.size()), expect.size());
}
