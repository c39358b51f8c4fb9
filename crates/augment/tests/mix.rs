//! Mixing of batches: results against timm's, decisions, labels.
#![allow(clippy::expect_used, clippy::panic, reason = "this file is tests and nothing else")]

#[path = "../../../tests/golden/generator.rs"]
mod generator;

use generator::{fnv1a64, splitmix64};
use kiln_augment::mix::{Blend, Layout, Mix, MixDraw, MixMode, MixSpec, Mixed};
use kiln_augment::{CropBox, Domain, OpRng, RandomKey, Size};
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
use serde::Deserialize;

const MANY: u64 = 20_000;

fn rng(index: u64) -> OpRng {
    RandomKey { seed: 42, domain: Domain::Mix, epoch: 0, index }.rng(0)
}

#[derive(Deserialize)]
struct Golden {
    count: usize,
    width: u32,
    height: u32,
    classes: usize,
    labels: Vec<u32>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    lambda: f64,
    r#box: Option<CropBox>,
    smoothing: f64,
    targets: Vec<f64>,
    bits: Vec<u32>,
}

/// Picture `i` of the script's batch, in either layout.
fn picture(i: usize, size: Size, layout: Layout) -> Vec<u8> {
    let start = fnv1a64(&format!("mix {i} {size}"));
    let byte = |at: usize| splitmix64(start.wrapping_add(at as u64)).to_be_bytes()[0];
    let area = size.area();
    match layout {
        Layout::Interleaved => (0..area * 3).map(byte).collect(),
        Layout::Planar => (0..area * 3).map(|at| byte(at % area * 3 + at / area)).collect(),
    }
}

fn uniform_draw(count: usize, lambda: f64, blend: Blend) -> MixDraw {
    let mixed = |own| Mixed { partner: count - 1 - own, lambda, blend };
    MixDraw { pictures: (0..count).map(mixed).collect() }
}

#[test]
fn batches_equal_those_of_timm() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/augment/mix.json");
    let text = std::fs::read_to_string(path).expect("the fixture can be read");
    let golden: Golden = serde_json::from_str(&text).expect("the fixture has its fields");
    let size = Size::new(golden.width, golden.height);
    for case in golden.cases {
        let blend = case.r#box.map_or(Blend::Sum, Blend::Paste);
        if let Some(pasted) = case.r#box {
            let rest = 1.0 - pasted.size().area() as f64 / size.area() as f64;
            assert_eq!(rest, case.lambda, "{}: the area that was pasted", case.name);
        }
        let draw = uniform_draw(golden.count, case.lambda, blend);
        let mut batch: Vec<f32> = (0..golden.count)
            .flat_map(|i| picture(i, size, Layout::Planar))
            .map(f32::from)
            .collect();
        draw.apply(&mut batch, size, Layout::Planar, &mut Vec::new());
        let bits: Vec<u32> = batch.into_iter().map(f32::to_bits).collect();
        let differs = bits.iter().zip(&case.bits).position(|(found, expect)| found != expect);
        assert_eq!(differs, None, "{}: the first number that differs", case.name);
        assert_eq!(bits.len(), case.bits.len());

        let spread = case.smoothing / golden.classes as f64;
        let labels = draw.labels(&golden.labels);
        for (row, label) in case.targets.chunks(golden.classes).zip(labels) {
            for (class, target) in (0..).zip(row) {
                let hit = |own| f64::from(u8::from(own == class)) * (1.0 - case.smoothing) + spread;
                let found =
                    hit(label.class) * label.lambda + hit(label.partner) * (1.0 - label.lambda);
                assert!((found - target).abs() < 1e-6, "{}: {found}, timm {target}", case.name);
            }
        }
    }
}

#[test]
fn levels_are_mixed_as_numbers_are() {
    let (size, count) = (Size::new(7, 6), 5);
    let pasted = CropBox { left: 2, top: 1, width: 4, height: 3 };
    for blend in [Blend::Sum, Blend::Paste(pasted), Blend::PasteResized(pasted)] {
        let draw = uniform_draw(count, 0.3, blend);
        let pictures = |layout| (0..count).flat_map(move |i| picture(i, size, layout));
        let mut planes: Vec<f32> = pictures(Layout::Planar).map(f32::from).collect();
        draw.apply(&mut planes, size, Layout::Planar, &mut Vec::new());
        let mut levels: Vec<u8> = pictures(Layout::Interleaved).collect();
        draw.apply(&mut levels, size, Layout::Interleaved, &mut Vec::new());
        let area = size.area();
        for (i, &level) in levels.iter().enumerate() {
            let (picture, at) = (i / (area * 3), i % (area * 3));
            let plane = planes[picture * area * 3 + at % 3 * area + at / 3];
            assert_eq!(f32::from(level), plane.round_ties_even(), "{blend:?}, number {i}");
        }
    }
}

#[test]
fn a_pasted_picture_is_whole() {
    // Twice as wide and high as the box, so that every second pixel of every second row is shown.
    let size = Size::new(8, 6);
    let pasted = CropBox { left: 3, top: 2, width: 4, height: 3 };
    let draw = uniform_draw(2, 0.75, Blend::PasteResized(pasted));
    let mut batch: Vec<f32> = vec![-1.0; size.area() * 3];
    batch.extend((0..size.area() * 3).map(|i| i as f32));
    draw.apply(&mut batch, size, Layout::Planar, &mut Vec::new());
    for (y, x) in (0..6).flat_map(|y| (0..8).map(move |x| (y, x))) {
        let inside = (3..7).contains(&x) && (2..5).contains(&y);
        let expect = if inside { ((y - 2) * 2 * 8 + (x - 3) * 2) as f32 } else { -1.0 };
        assert_eq!(batch[y * 8 + x], expect, "{x}, {y}");
    }
}

#[test]
fn beta_has_its_moments_and_quantiles() {
    // The part below 0.1, computed with SciPy's `beta.cdf(0.1, alpha, alpha)`.
    for (alpha, below) in
        [(0.2, 0.33669), (1.0, 0.1), (0.5, 0.20483), (2.0, 0.028), (8.0, 3.362e-5), (0.01, 0.4892)]
    {
        let drawn: Vec<f64> = (0..MANY).map(|index| rng(index).beta(alpha)).collect();
        assert!(drawn.iter().all(|part| (0.0..=1.0).contains(part)), "alpha {alpha}");
        let count = MANY as f64;
        let mean = drawn.iter().sum::<f64>() / count;
        let variance = drawn.iter().map(|part| (part - 0.5).powi(2)).sum::<f64>() / count;
        let expect = 1.0 / (4.0 * (2.0 * alpha + 1.0));
        assert!((mean - 0.5).abs() < 5.0 * (expect / count).sqrt(), "alpha {alpha}: mean {mean}");
        assert!((variance / expect - 1.0).abs() < 0.05, "alpha {alpha}: variance {variance}");
        let rate = drawn.iter().filter(|part| **part < 0.1).count() as f64 / count;
        let deviation = (below * (1.0 - below) / count).sqrt();
        assert!((rate - below).abs() <= 5.0 * deviation + 1e-5, "alpha {alpha}: {rate} below 0.1");
    }
}

fn build(toml: &str) -> Mix {
    toml::from_str::<MixSpec>(toml).expect("settings").build().expect("settings in range")
}

#[test]
fn kinds_come_as_often_as_told() {
    let both =
        "mixup_alpha = 0.2\ncutmix_alpha = 1.0\nprob = 0.8\nswitch_prob = 0.25\nmode = 'elem'";
    let draw = build(both).draw(20_000, Size::square(32), &mut rng(0));
    let rate = |kind: fn(&Blend) -> bool| {
        draw.pictures.iter().filter(|mixed| kind(&mixed.blend)).count() as f64 / 20_000.0
    };
    let close =
        |found: f64, expect: f64| assert!((found - expect).abs() < 0.02, "{found}, {expect}");
    close(rate(|blend| matches!(blend, Blend::Untouched)), 0.2);
    close(rate(|blend| matches!(blend, Blend::Sum)), 0.6);
    close(rate(|blend| matches!(blend, Blend::Paste(_))), 0.2);
}

#[test]
fn modes_share_draws() {
    let draw = |mode: &str| {
        let spec = format!("mixup_alpha = 0.4\nmode = '{mode}'");
        build(&spec).draw(9, Size::square(8), &mut rng(1)).pictures
    };
    let batch = draw("batch");
    assert!(batch.iter().all(|mixed| mixed.lambda == batch[0].lambda));
    let pair = draw("pair");
    assert!(pair.iter().all(|mixed| mixed.lambda == pair[mixed.partner].lambda));
    assert_ne!(pair[0].lambda, pair[1].lambda);
    let elem = draw("elem");
    assert_ne!(elem[0].lambda, elem[8].lambda);
    assert_eq!(MixMode::default(), MixMode::Batch);
}

#[test]
fn settings_out_of_range_are_refused() {
    let check = |toml: &str, expect: &str| {
        let spec: MixSpec = toml::from_str(toml).expect("settings");
        assert_eq!(spec.build().expect_err("out of range").to_string(), expect, "{toml}");
    };
    check("", "mixup_alpha must be above 0, or cutmix or resizemix on, found 0.0");
    check("mixup_alpha = nan", "mixup_alpha must be from 0 to 1000, found NaN");
    check("cutmix_alpha = -1", "cutmix_alpha must be from 0 to 1000, found -1.0");
    check("mixup_alpha = 1\nprob = 1.5", "prob must be from 0 to 1, found 1.5");
    check("mixup_alpha = 1\nswitch_prob = -1", "switch_prob must be from 0 to 1, found -1.0");
    check(
        "cutmix_minmax = [0.8, 0.2]",
        "cutmix_minmax must be [min, max] with 0 <= min <= max <= 1, found [0.8, 0.2]",
    );
    check(
        "cutmix_alpha = 1\nresizemix = [0.1, 0.8]",
        "resizemix must be off where cutmix is on, found [0.1, 0.8]",
    );
}

proptest! {
    #[test]
    fn lambda_is_the_area_that_remains(
        width in 1..60_u32,
        height in 1..60_u32,
        kind in 0..3_usize,
        seed in any::<u64>(),
    ) {
        let spec = ["cutmix_alpha = 1", "cutmix_minmax = [0, 1]", "resizemix = [0.1, 0.8]"][kind];
        let size = Size::new(width, height);
        let draw = build(spec).draw(2, size, &mut rng(seed));
        let mixed = draw.pictures[0];
        let (Blend::Paste(pasted) | Blend::PasteResized(pasted)) = mixed.blend else {
            panic!("something is pasted");
        };
        prop_assert!(pasted.left + pasted.width <= width && pasted.top + pasted.height <= height);
        let area = size.area() * 3;
        let mut batch: Vec<f32> = (0..area * 2).map(|i| if i < area { 0.0 } else { 1.0 }).collect();
        draw.apply(&mut batch, size, Layout::Planar, &mut Vec::new());
        let own = batch[..area].iter().filter(|level| **level == 0.0).count();
        prop_assert!((own as f64 / area as f64 - mixed.lambda).abs() < 1e-12);
    }

    #[test]
    fn any_count_is_mixed(count in 0..9_usize, seed in any::<u64>()) {
        let draw = build("mixup_alpha = 1\ncutmix_alpha = 1").draw(count, Size::square(3), &mut rng(seed));
        prop_assert_eq!(draw.pictures.len(), count);
        let mut batch = vec![7_u8; count * 27];
        draw.apply(&mut batch, Size::square(3), Layout::Interleaved, &mut Vec::new());
        prop_assert!(batch.iter().all(|&level| level == 7));
    }
}
