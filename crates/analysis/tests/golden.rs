//! Class activation maps against `grad-cam`, metrics against scikit-learn and torchmetrics, the learning-rate finder against
//! fastai.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "../../../tests/golden/filling.rs"]
mod filling;
#[path = "../../../tests/golden/generator.rs"]
mod generator;

use burn::tensor::{DType, Device, Tensor, TensorData};
use filling::filled;
use generator::uniform;
use kiln_analysis::LrSuggestions;
use kiln_analysis::cam::{CamMethod, Explainer, HeatMap, trust};
use kiln_analysis::metrics::{
    Averages, PairedHits, Reliability, ScoreCard, Scored, fit_temperature, mcnemar,
};
use kiln_models::ModelSpec;
use kiln_trainer::{RangePoint, RangeRecord, SmoothedLoss};
use serde_json::{Value, json};

fn fixture(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/analysis");
    serde_json::from_str(&std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap())
        .unwrap()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

/// Numbers, with NaN for null.
fn numbers(value: &Value) -> Vec<f64> {
    array(value).iter().map(|number| number.as_f64().unwrap_or(f64::NAN)).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

fn index(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

/// Fails when `ours` is further from `theirs` than `tolerance` times the largest of `theirs`.
#[track_caller]
fn assert_close(what: &str, ours: &[f32], theirs: &[f64], tolerance: f64) {
    let scale = theirs.iter().fold(1e-12, |max: f64, value| max.max(value.abs()));
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
        let difference = (f64::from(*a) - b).abs();
        assert!(difference <= tolerance * scale, "{what}[{i}]: {a}, the reference has {b}");
    }
}

/// A network of the fixture and its pictures.
struct Case {
    explainer: Explainer,
    pictures: Vec<Tensor<4>>,
}

impl Case {
    #[allow(clippy::cast_possible_truncation, reason = "the reference rounds to f32 here too")]
    fn of(cams: &Value, name: &str) -> Self {
        let device = Device::flex();
        let json = &cams["networks"][name];
        let spec: ModelSpec = serde_json::from_value(json!({ "type": name })).unwrap();
        let shape: Vec<usize> = array(&json["input_shape"]).iter().map(index).collect();
        let (count, side) = (shape[0], shape[2]);
        let mut sums = vec![0.0; count * 3 * side * side];
        for part in array(&json["input"]) {
            let (size, times) = (index(&part["size"]), number(&part["times"]));
            let values = uniform(part["name"].as_str().unwrap(), count * 3 * size * size);
            let cell = side / size;
            for (i, sum) in sums.iter_mut().enumerate() {
                let (plane, y, x) = (i / (side * side), i / side % side, i % side);
                *sum += times * values[(plane * size + y / cell) * size + x / cell];
            }
        }
        let pictures = sums.chunks_exact(3 * side * side).map(|picture| {
            let values: Vec<f32> = picture.iter().map(|value| *value as f32).collect();
            let data = TensorData::new(values, [1, 3, side, side]);
            Tensor::from_data(data, (&device, DType::F32))
        });
        let pictures = pictures.collect();
        Self { explainer: Explainer::new(filled(&spec, &device), device), pictures }
    }
}

fn method(name: &str) -> CamMethod {
    match name {
        "gradcam" => CamMethod::GradCam,
        "gradcam++" => CamMethod::GradCamPlusPlus,
        "hirescam" => CamMethod::HiresCam,
        "xgradcam" => CamMethod::XgradCam,
        "layercam" => CamMethod::LayerCam,
        "eigencam" => CamMethod::EigenCam,
        "scorecam" => CamMethod::ScoreCam,
        "ablationcam" => CamMethod::AblationCam,
        other => panic!("{other}"),
    }
}

#[test]
fn maps_of_all_methods_are_grad_cams() {
    let cams = fixture("cams");
    let mut compared = 0;
    for (name, json) in cams["networks"].as_object().unwrap() {
        let case = Case::of(&cams, name);
        let logits: Vec<f32> = case
            .pictures
            .iter()
            .flat_map(|picture| case.explainer.logits(picture.clone()).concat())
            .collect();
        assert_close(name, &logits, &numbers(&json["logits"]), 1e-5);
        for (layer, json) in json["layers"].as_object().unwrap() {
            let stage = case.explainer.stages().iter().position(|stage| stage == layer).unwrap();
            for json in array(&json["cases"]) {
                let method = method(json["method"].as_str().unwrap());
                let picture_of = case.pictures.iter().zip(array(&json["classes"])).enumerate();
                for (i, (picture, class)) in picture_of {
                    let what = format!("{name} {layer} {method:?} picture {i}, class {class}");
                    let map = method.map(&case.explainer, picture, stage, index(class));
                    let sign = json.get("corrected_sign").map_or(1.0, |signs| number(&signs[i]));
                    let raw: Vec<f64> =
                        numbers(&json["raw"][i]).into_iter().map(|value| value * sign).collect();
                    assert_close(&what, &map.values, &raw, 1e-4);
                    if sign > 0.0 {
                        let scaled = numbers(&json["scaled"][i]);
                        assert_close(&what, &map.scaled().values, &scaled, 1e-4);
                    }
                    compared += 1;
                }
            }
        }
    }
    assert_eq!(compared, 8 * 5 + 6, "eight methods on each picture and layer, and other classes");
}

#[test]
#[allow(clippy::cast_possible_truncation, reason = "the fixture's numbers are f32")]
fn maps_over_pictures_and_their_curves_are_the_references() {
    let cams = fixture("cams");
    let case = Case::of(&cams, "resnet20");
    for json in array(&cams["resized"]) {
        let stage =
            case.explainer.stages().iter().position(|stage| *stage == json["layer"]).unwrap();
        let (picture, class) = (&case.pictures[index(&json["picture"])], index(&json["class"]));
        let map = CamMethod::GradCam.map(&case.explainer, picture, stage, class);
        let map = map.over_picture(32, 32);
        assert_close("resized", &map.values, &numbers(&json["map"]), 1e-4);
    }
    // By the reference's map: where two values are equal to the last bit, ours may order them otherwise.
    let values =
        numbers(&cams["resized"][0]["map"]).into_iter().map(|value| value as f32).collect();
    let map = HeatMap { width: 32, height: 32, values };
    let found = trust(&case.explainer, &case.pictures[0], &map, 0, 8);
    for (ours, area, name) in [
        (&found.deletion, found.deletion_area(), "deletion"),
        (&found.insertion, found.insertion_area(), "insertion"),
    ] {
        let json = &cams["curves"][name];
        let curve: Vec<f32> = ours.iter().map(|value| *value as f32).collect();
        assert_close(name, &curve, &numbers(&json["probabilities"]), 1e-4);
        assert!((area - number(&json["area"])).abs() < 1e-5, "{name}: {area}");
    }
    assert!(found.score() > 0.0);
}

/// Fails unless both are the same number to rounding, or both none.
#[track_caller]
fn assert_same(what: &str, ours: impl Into<Option<f64>>, theirs: &Value) {
    let ours: Option<f64> = ours.into();
    let ours = ours.filter(|number| !number.is_nan());
    match (ours, theirs.as_f64()) {
        (None, None) => {}
        (Some(a), Some(b)) if (a - b).abs() <= 1e-9 * b.abs().max(1.0) => {}
        _ => panic!("{what}: {ours:?}, the reference has {theirs}"),
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the fixture's numbers are exact in f32")]
fn logits_of(rows: &Value) -> Vec<f32> {
    array(rows).iter().flat_map(numbers).map(|value| value as f32).collect()
}

fn labels_of(labels: &Value) -> Vec<u32> {
    array(labels).iter().map(|label| u32::try_from(label.as_u64().unwrap()).unwrap()).collect()
}

#[test]
fn metrics_are_scikit_learns_and_torchmetrics() {
    for case in array(&fixture("metrics")["cases"]) {
        let name = case["name"].as_str().unwrap();
        let classes = index(&case["classes"]);
        let (logits, labels) = (logits_of(&case["logits"]), labels_of(&case["labels"]));
        let scored = Scored::from_logits(classes, &logits, labels.clone(), 1.0);
        let (expected, matrix) = (&case["expected"], scored.confusion());
        let same =
            |key: &str, ours: f64| assert_same(&format!("{name} {key}"), ours, &expected[key]);
        same("top1", scored.top_k(1));
        for k in [3, 5] {
            let key = format!("top{k}");
            if !expected[&key].is_null() {
                same(&key, scored.top_k(k));
            }
        }
        same("nll", scored.negative_log_likelihood());
        same("brier", scored.brier());
        same("balanced_accuracy", matrix.balanced_accuracy());
        same("cohen_kappa", matrix.cohen_kappa());
        same("matthews_corrcoef", matrix.matthews());
        assert_eq!(json!(matrix.counts()), expected["confusion"], "{name}");

        let averages = Averages::of(&matrix);
        let (macros, micro, weighted) = (averages.macro_average, averages.micro, averages.weighted);
        for (kind, average) in [("macro", macros), ("micro", micro), ("weighted", weighted)] {
            let theirs = &expected["averages"][kind];
            assert_same(
                &format!("{name} {kind} precision"),
                average.precision,
                &theirs["precision"],
            );
            assert_same(&format!("{name} {kind} recall"), average.recall, &theirs["recall"]);
            assert_same(&format!("{name} {kind} f1"), average.f1, &theirs["f1"]);
        }
        let (auc, precision) = (scored.roc_auc(), scored.average_precision());
        for class in 0..classes {
            let of = |key: &str| &expected["per_class"][key][class];
            assert_same(&format!("{name} AUROC {class}"), auc[class], of("roc_auc"));
            assert_same(&format!("{name} AP {class}"), precision[class], of("average_precision"));
        }
        let card = ScoreCard::of(&scored).unwrap();
        let (auc, precision) = (card.macro_roc_auc, card.macro_average_precision);
        assert_same(&format!("{name} AUROC"), auc, &expected["macro_roc_auc"]);
        assert_same(&format!("{name} AP"), precision, &expected["macro_average_precision"]);

        let reliability = Reliability::of(&scored, Reliability::BINS);
        same("ece", reliability.expected_error());
        same("mce", reliability.maximum_error());
        for (i, bin) in reliability.bins.iter().enumerate() {
            let theirs = &expected["bins"];
            assert_eq!(json!(bin.samples), theirs["count"][i], "{name} bin {i}");
            if bin.samples > 0 {
                assert_same(&format!("{name} bin {i}"), bin.confidence, &theirs["confidence"][i]);
                assert_same(&format!("{name} bin {i}"), bin.accuracy, &theirs["accuracy"][i]);
            }
        }

        let temperature = fit_temperature(classes, &logits, &labels);
        match (temperature, expected["temperature"].as_f64()) {
            (None, None) => {}
            (Some(ours), Some(theirs)) => {
                assert!((ours / theirs - 1.0).abs() < 1e-6, "{name}: {ours}, {theirs}");
                let scored = Scored::from_logits(classes, &logits, labels, ours);
                same("temperature_nll", scored.negative_log_likelihood());
            }
            pair => panic!("{name}: {pair:?}"),
        }
    }
}

#[test]
fn differences_are_as_likely_as_scipy_says() {
    for case in array(&fixture("metrics")["mcnemar"]) {
        let (only_first, only_second) = (case["b"].as_u64().unwrap(), case["c"].as_u64().unwrap());
        let hits = PairedHits { only_first, only_second, ..PairedHits::default() };
        let (ours, theirs) = (mcnemar(hits), number(&case["exact_p"]));
        assert!((ours - theirs).abs() <= 1e-9 * theirs, "{case}: {ours}");
    }
}

#[test]
fn suggested_rates_are_fastais() {
    let json = fixture("lr_finder");
    for curve in array(&json["curves"]) {
        let (lrs, losses) = (numbers(&curve["lrs"]), numbers(&curve["losses"]));
        let name = curve["name"].as_str().unwrap();
        let points = lrs.iter().zip(&losses);
        let points = points.map(|(lr, loss)| RangePoint { lr: *lr, loss: *loss, smoothed: *loss });
        let record = RangeRecord {
            stage: "train".to_owned(),
            setting: None,
            steps: curve["num_it"].as_u64().unwrap(),
            points: points.collect(),
            diverged: false,
        };
        compare(&format!("{name} cut"), LrSuggestions::of(&record), &curve["cut"]);
        if !curve["whole"].is_null() {
            compare(name, LrSuggestions::on(&lrs, &losses), &curve["whole"]);
        }
    }
    for run in array(&json["runs"]) {
        let mut mean = SmoothedLoss::default();
        for (raw, smoothed) in numbers(&run["raw"]).into_iter().zip(numbers(&run["smoothed"])) {
            let found = mean.add(raw);
            assert!((found - smoothed).abs() <= 1e-9 * smoothed.abs(), "{found}, {smoothed}");
        }
    }
}

fn compare(what: &str, found: LrSuggestions, theirs: &Value) {
    let LrSuggestions { valley, steep, minimum, slide } = found;
    for (rule, ours) in
        [("valley", valley), ("steep", steep), ("minimum", minimum), ("slide", slide)]
    {
        assert_same(&format!("{what} {rule}"), ours, &theirs[rule]);
    }
}
