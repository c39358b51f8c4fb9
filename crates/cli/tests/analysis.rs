//! Looking at models, rates and runs from the command line.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;
use support::workplace::Workplace;

const EXPERIMENT: &str = r#"
seed = 7
stages = ["train"]
[data]
source = { type = "image_folder", path = "pictures" }
cache = "cache"
[model]
type = "resnet20"
[common]
size = 32
batch = { micro = 8 }
run_for = { epochs = 2 }
pipeline = [{ type = "random_resized_crop" }]
optimizer = { type = "adam" }
schedule = { type = "one_cycle", max_lr = 3e-3 }
"#;

/// A folder with pictures of four classes, and runs of them.
fn place(runs: &[(&str, &str)]) -> Workplace {
    let place = Workplace::new();
    let synth = [
        "data",
        "synth",
        "pictures",
        "--train",
        "48",
        "--val",
        "24",
        "--classes",
        "4",
        "--side",
        "40",
    ];
    place.ok(&synth);
    std::fs::write(place.path("small.toml"), EXPERIMENT).unwrap();
    for (name, setting) in runs {
        place.ok(&["train", "small.toml", "--out", name, "--set", setting, "--quiet"]);
    }
    place
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_report_shows_what_was_learnt() {
    let place = place(&[("run", "seed=1")]);
    place.ok(&["lr-find", "run", "--steps", "12", "--quiet"]);
    place.ok(&["report", "run"]);
    let html = std::fs::read_to_string(place.path("run/report.html")).unwrap();
    for part in [
        "Diagnosis",
        "Confusion matrix",
        "Reliability",
        "Mistaken, surest first",
        "Training pictures",
        "Loss in a range test of stage train",
        "Throughput",
        "href=\"metrics.csv\"",
        "Environment",
    ] {
        assert!(html.contains(part), "{part}");
    }
    assert!(html.matches("src=\"data:image/png;base64,").count() >= 9);
    assert!(!html.contains("Left out"));

    // Without its pictures the page says what it lacks.
    std::fs::rename(place.path("pictures"), place.path("moved")).unwrap();
    place.ok(&["report", "run"]);
    let html = std::fs::read_to_string(place.path("run/report.html")).unwrap();
    assert!(html.contains("Left out") && html.contains("explained pictures: "), "{html}");
    place.ok(&["report", "run", "--data", "moved"]);
    let html = std::fs::read_to_string(place.path("run/report.html")).unwrap();
    assert!(!html.contains("Left out"));

    // A run that has not come to its evaluation.
    for file in ["evaluation.json", "outputs.safetensors"] {
        std::fs::remove_file(place.path("run").join(file)).unwrap();
    }
    place.ok(&["report", "run", "--data", "moved"]);
    let html = std::fs::read_to_string(place.path("run/report.html")).unwrap();
    assert!(html.contains("<svg") && !html.contains("Confusion matrix"));
    assert!(html.contains("the run has not come to its end"));
    let message = place.fails(5, &["grad-cam", "run", "--worst", "1", "--data", "moved"]);
    assert!(message.contains("has no outputs"), "{message}");
}

#[test]
fn a_rate_is_suggested_and_taken() {
    let place = place(&[]);
    let said = place.ok(&["lr-find", "small.toml", "--steps", "20", "--quiet"]);
    assert!(said.contains("valley") && said.contains("lr-find.svg"), "{said}");
    let svg = std::fs::read_to_string(place.path("lr-find.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("<style>"));
    let option =
        place.ok(&["lr-find", "small.toml", "--steps", "20", "--apply", "--rule", "steep"]);
    let setting = option.trim().strip_prefix("--set ").unwrap();
    assert!(setting.starts_with("stage.train.schedule.max_lr="), "{option}");
    place.ok(&["train", "small.toml", "--out", "run", "--set", setting, "--quiet"]);
    let found = json(&place.ok(&["lr-find", "small.toml", "--steps", "20", "--json"]));
    assert_eq!(found["test"]["points"].as_array().unwrap().len(), 20);
    let message = place.fails(2, &["lr-find", "small.toml", "--stage", "head"]);
    assert!(message.contains("no stage `head`; there is train"), "{message}");
    place.fails(2, &["lr-find", "small.toml", "--start", "1", "--end", "0.1"]);
}

#[test]
fn pictures_are_explained() {
    let place = place(&[("run", "seed=1")]);
    let picture = "pictures/val/circle/00001.jpg";
    let said = place.ok(&["grad-cam", "run", picture, "--worst", "1", "--json"]);
    let rows = json(&said);
    let row = &rows[0];
    assert_eq!(rows.as_array().unwrap().len(), 2);
    assert_eq!((row["path"].as_str(), &row["label"]), (Some(picture), &Value::Null));
    assert!(rows[1]["label"].is_string());
    let overlay = std::fs::read(place.path(row["overlay"].as_str().unwrap())).unwrap();
    assert!(overlay.starts_with(b"\x89PNG"));
    assert!(place.path("run/grad-cam/index.html").is_file());
    for method in ["eigen-cam", "score-cam", "ablation-cam", "layer-cam"] {
        place.ok(&["grad-cam", "run", picture, "--method", method, "--layer", "layer2"]);
    }
    let found = json(&place.ok(&["grad-cam", "run", picture, "--class", "cross", "--json"]));
    assert_eq!(found[0]["class"], "cross");
    let found = json(&place.ok(&["grad-cam", "run", "--class", "cross", "--json"]));
    assert_eq!(found.as_array().unwrap().len(), 6, "its validation pictures");
    assert!(found.as_array().unwrap().iter().all(|row| row["label"] == "cross"));

    let message = place.fails(2, &["grad-cam", "run", picture, "--class", "cat"]);
    assert!(message.contains("no class `cat`; the run has"), "{message}");
    let message = place.fails(2, &["grad-cam", "run", picture, "--layer", "layer9"]);
    assert!(message.contains("there is stem, layer1, layer2, layer3"), "{message}");
    place.fails(2, &["grad-cam", "run"]);
    std::fs::write(place.path("broken.jpg"), "no picture").unwrap();
    let message = place.fails(3, &["grad-cam", "run", "broken.jpg"]);
    assert!(message.contains("broken.jpg"), "{message}");
    // The others are explained all the same.
    place.ok(&["grad-cam", "run", "broken.jpg", picture]);
}

#[test]
fn runs_are_scored_alone_together_and_against_each_other() {
    let place = place(&[("one", "seed=1"), ("two", "seed=2")]);
    let alone = json(&place.ok(&["evaluate", "one", "--json"]));
    assert_eq!(alone["samples"], 24);
    assert_eq!(alone["scores"]["top1"], alone["top1"]);
    let views = json(&place.ok(&["evaluate", "one", "--tta", "flip,five-crop", "--json"]));
    assert_eq!(views["views"], 10);
    let rows =
        json(&place.ok(&["evaluate", "one", "two", "--ensemble", "--by-accuracy", "--json"]));
    assert_eq!(rows[2]["ensemble"], serde_json::json!(["one", "two"]));
    assert!(rows[2]["scores"]["top1"].as_f64().unwrap() > 0.0);
    place.fails(2, &["evaluate", "one", "--ensemble"]);

    let said = place.ok(&["evaluate", "one", "--fit-temperature"]);
    assert!(said.contains("temperature"), "{said}");
    let kept = said.contains("%: kept");
    assert_eq!(place.path("one/temperature.json").is_file(), kept, "{said}");
    std::fs::write(
        place.path("one/temperature.json"),
        serde_json::json!({ "checkpoint": alone["checkpoint"], "temperature": 2.0 }).to_string(),
    )
    .unwrap();
    place.ok(&["export", "one", "--output", "one.safetensors"]);
    let card = json(&std::fs::read_to_string(place.path("one.json")).unwrap());
    assert_eq!(card["temperature"], 2.0);
    let cooler = json(&place.ok(&["evaluate", "one", "--json"]));
    assert_eq!(cooler["top1"], alone["top1"]);
    assert_ne!(cooler["scores"]["brier"], alone["scores"]["brier"]);

    let said = place.ok(&["compare", "one", "two"]);
    assert!(said.contains("two is") && said.contains("McNemar"), "{said}");
    let html = std::fs::read_to_string(place.path("comparison.html")).unwrap();
    assert!(html.contains("<code>seed</code>") && html.contains("<svg"));
    let message = place.fails(2, &["compare", "one", "phase9"]);
    assert!(message.contains("phase9: neither a run directory nor"), "{message}");

    let other = [
        "data",
        "synth",
        "others",
        "--train",
        "24",
        "--val",
        "12",
        "--classes",
        "3",
        "--side",
        "40",
    ];
    place.ok(&other);
    place.ok(&["train", "small.toml", "--data", "others", "--out", "three", "--quiet"]);
    let message = place.fails(2, &["evaluate", "one", "three", "--ensemble"]);
    assert!(message.contains("three has other classes than one"), "{message}");
    let said = place.ok(&["compare", "one", "three"]);
    assert!(said.contains("cannot be compared picture by picture"), "{said}");
}

#[test]
fn a_run_is_watched_from_this_machine_alone() {
    let place = place(&[("run", "seed=1")]);
    let mut server = place.command(&["watch", "run"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.strip_prefix("http://").and_then(|rest| rest.split('/').next()).unwrap();
    let ask = |method: &str, path: &str, host: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let answer = ask("GET", "/", address);
    assert!(address.starts_with("127.0.0.1:"), "{line}");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("Confusion matrix"));
    // A run that is over is not looked at again and again; one that goes on is.
    assert!(!answer.contains("http-equiv=\"refresh\""));
    std::fs::remove_file(place.path("run/evaluation.json")).unwrap();
    let answer = ask("GET", "/", address);
    assert!(
        answer.contains("http-equiv=\"refresh\"") && answer.contains("has not come to its end")
    );
    assert!(ask("GET", "/../config.toml", address).starts_with("HTTP/1.1 404"));
    assert!(ask("POST", "/", address).starts_with("HTTP/1.1 405"));
    assert!(ask("GET", "/", "example.org").starts_with("HTTP/1.1 403"));
    server.kill().unwrap();
    server.wait().unwrap();
}
