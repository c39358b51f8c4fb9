//! The report in a browser: it renders without an error, shows every picture, and sorts its tables. Uses headless Chromium
//! where it is installed, and says so where it is not. `KILN_REPORT` names another report to look at, that of a real run.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test")]

mod support;

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::workplace::Workplace;

/// Looks at the page from inside and leaves what it sees in the body.
const PROBE: &str = r#"<script>
const errors = [];
window.addEventListener("error", (event) => errors.push(String(event.message)));
window.addEventListener("load", () => {
  const table = document.querySelector("table.sortable");
  const column = () => [...table.tBodies[0].rows].map((row) => Number(row.cells[2].dataset.v));
  const before = column();
  table.querySelectorAll("thead th")[2].click();
  const up = column();
  table.querySelectorAll("thead th")[2].click();
  const images = [...document.images];
  const result = {
    errors, before, up, down: column(),
    images: images.length,
    shown: images.filter((image) => image.complete && image.naturalWidth > 0).length,
    charts: [...document.querySelectorAll("svg")].filter((svg) => svg.getBoundingClientRect().height > 50).length,
    svgs: document.querySelectorAll("svg").length,
    wider: document.documentElement.scrollWidth - window.innerWidth,
  };
  document.body.textContent = "RESULT" + JSON.stringify(result) + "END";
});
</script>"#;

fn chromium() -> Option<&'static str> {
    let works = |name: &&str| {
        Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
    };
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find(works)
}

/// What the probe sees in a window of this size, and what the browser complains about.
fn look(browser: &str, page: &Path, size: &str) -> (Value, String) {
    let html = std::fs::read_to_string(page).unwrap();
    let probed = page.with_extension("probed.html");
    std::fs::write(&probed, html.replacen("<head>", &format!("<head>{PROBE}"), 1)).unwrap();
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--enable-logging=stderr",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--window-size={size}"))
        .arg("--virtual-time-budget=10000")
        .arg(format!("file://{}", probed.display()))
        .output()
        .unwrap();
    std::fs::remove_file(&probed).unwrap();
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    // The last one: the first is the probe's own.
    let result = dom.rsplit_once("RESULT").and_then(|(_, rest)| rest.split_once("END"));
    let Some((text, _)) = result else { panic!("{dom}\n{errors}") };
    let console =
        errors.lines().filter(|line| line.contains("CONSOLE")).collect::<Vec<_>>().join("\n");
    (serde_json::from_str(text).unwrap(), console)
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// The report named by `KILN_REPORT`, or that of a small run.
fn report(place: &Workplace) -> PathBuf {
    if let Some(path) = std::env::var_os("KILN_REPORT") {
        return std::path::absolute(PathBuf::from(path)).unwrap();
    }
    let config = format!("{}/../../configs/phase1.toml", env!("CARGO_MANIFEST_DIR"));
    let mut arguments = vec!["train", &config, "--out", "run", "--quiet"];
    for setting in [
        "model.type=\"resnet20\"",
        "common.size=32",
        "common.run_for.epochs=2",
        "data.source.train=64",
        "data.source.val=40",
        "data.source.side=40",
    ] {
        arguments.extend(["--set", setting]);
    }
    place.ok(&arguments);
    place.path("run/report.html")
}

#[test]
fn the_report_renders_sorts_and_shows_every_picture() {
    let Some(browser) = chromium() else {
        eprintln!("no Chromium here: the report was not looked at");
        return;
    };
    let place = Workplace::new();
    let page = report(&place);
    for size in ["1280,1000", "500,900"] {
        let (seen, console) = look(browser, &page, size);
        assert_eq!(console, "", "{size}");
        assert_eq!(seen["errors"], serde_json::json!([]), "{size}");
        assert_eq!(seen["images"], seen["shown"], "{size}: {seen}");
        assert!(seen["images"].as_u64().unwrap() > 8, "{seen}");
        assert_eq!(seen["svgs"], seen["charts"], "{size}: {seen}");
        assert!(seen["wider"].as_f64().unwrap() <= 0.0, "{size}: wider than the window: {seen}");
        let (up, down) = (numbers(&seen["up"]), numbers(&seen["down"]));
        assert!(up.is_sorted() && down.iter().rev().is_sorted(), "{seen}");
        assert_eq!(up.len(), numbers(&seen["before"]).len());
    }
}
