//! The shape of the workspace, as ARCHITECTURE.md states it, checked against `cargo metadata`.
#![allow(clippy::expect_used, clippy::panic, reason = "this file is tests and nothing else")]

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

/// Every edge that is allowed between crates of the workspace, tests and builds included.
const EDGES: [(&str, &[&str]); 11] = [
    ("kiln-augment", &[]),
    ("kiln-data", &["kiln-augment"]),
    ("kiln-kernels", &["kiln-parallel"]),
    ("kiln-models", &["kiln-kernels"]),
    ("kiln-optim-schedules", &[]),
    ("kiln-parallel", &[]),
    (
        "kiln-trainer",
        &["kiln-augment", "kiln-data", "kiln-models", "kiln-optim-schedules", "kiln-parallel"],
    ),
    (
        "kiln-analysis",
        &["kiln-augment", "kiln-data", "kiln-models", "kiln-optim-schedules", "kiln-trainer"],
    ),
    (
        "kiln-cli",
        &[
            "kiln-analysis",
            "kiln-augment",
            "kiln-data",
            "kiln-models",
            "kiln-optim-schedules",
            "kiln-parallel",
            "kiln-trainer",
        ],
    ),
    ("kiln-tests", &[]),
    ("xtask", &[]),
];

/// Backends that need a toolkit or a driver, so that nobody gets them without asking.
const GPU_BACKENDS: [&str; 5] = ["cuda", "metal", "rocm", "vulkan", "wgpu"];

/// `cargo xtask` builds in seconds; a tree of this many packages is where that ends.
const XTASK_PACKAGES: usize = 20;

static METADATA: LazyLock<Value> = LazyLock::new(metadata);

/// What cargo says about the workspace with its default features on this platform.
fn metadata() -> Value {
    // The build of this test has fetched all that is needed, so the network is a last resort.
    [&["--offline"][..], &[]]
        .iter()
        .find_map(|flags| {
            let output = cargo()
                .args(["metadata", "--format-version", "1", "--filter-platform", &host()])
                .args(*flags)
                .output()
                .expect("cargo starts");
            output.status.success().then_some(output.stdout)
        })
        .map(|text| serde_json::from_slice(&text).expect("cargo metadata prints JSON"))
        .expect("cargo metadata succeeds")
}

fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo
}

/// The platform that cargo runs on. Without it cargo would fetch the packages of all platforms.
fn host() -> String {
    let output = cargo().arg("-vV").output().expect("cargo starts");
    let text = String::from_utf8(output.stdout).expect("cargo prints UTF-8");
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("cargo names its host").to_owned()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("`{key}` is a list in {value}"))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("`{key}` is a string in {value}"))
}

/// The packages of the workspace by name.
fn members() -> BTreeMap<&'static str, &'static Value> {
    let ids = list(&METADATA, "workspace_members");
    list(&METADATA, "packages")
        .iter()
        .filter(|package| ids.contains(&package["id"]))
        .map(|package| (text(package, "name"), package))
        .collect()
}

/// Names of all packages that are linked or built for `root`; those of its tests do not count.
fn tree(root: &str) -> BTreeSet<&'static str> {
    let names: BTreeMap<&str, &str> = list(&METADATA, "packages")
        .iter()
        .map(|package| (text(package, "id"), text(package, "name")))
        .collect();
    let nodes: BTreeMap<&str, &Value> =
        list(&METADATA["resolve"], "nodes").iter().map(|node| (text(node, "id"), node)).collect();

    let mut seen = BTreeSet::new();
    let mut open = vec![text(members()[root], "id")];
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let used = list(nodes[id], "deps").iter().filter(|dependency| {
            list(dependency, "dep_kinds").iter().any(|kind| kind["kind"] != "dev")
        });
        open.extend(used.map(|dependency| text(dependency, "pkg")));
    }
    seen.into_iter().map(|id| names[id]).collect()
}

#[test]
fn crates_depend_only_along_the_allowed_edges() {
    let members = members();
    let names: Vec<&str> = members.keys().copied().collect();
    let mut listed = EDGES.map(|(name, _)| name);
    listed.sort_unstable();
    assert_eq!(
        names, listed,
        "ARCHITECTURE.md, dependencies between crates: a crate was added or removed; state its \
         edges there and here"
    );

    let mut forbidden = Vec::new();
    for (name, allowed) in EDGES {
        // The declared dependencies hold for all platforms, features and kinds of builds.
        for dependency in list(members[name], "dependencies") {
            let to = text(dependency, "name");
            if members.contains_key(to) && !allowed.contains(&to) {
                forbidden.push(format!("{name} -> {to}"));
            }
        }
    }
    assert!(
        forbidden.is_empty(),
        "ARCHITECTURE.md, dependencies between crates: not among the allowed edges: {}",
        forbidden.join(", ")
    );
}

#[test]
fn augment_and_data_know_nothing_of_burn() {
    for name in ["kiln-augment", "kiln-data"] {
        let burn: Vec<&str> = tree(name)
            .into_iter()
            .filter(|package| {
                ["burn", "cubecl"].into_iter().any(|family| package.starts_with(family))
            })
            .collect();
        assert!(
            burn.is_empty(),
            "ARCHITECTURE.md, crates without Burn: {name} pulls in {}",
            burn.join(", ")
        );
    }
}

#[test]
fn xtask_stays_small() {
    let tree = tree("xtask");
    assert!(
        tree.len() < XTASK_PACKAGES,
        "ARCHITECTURE.md, xtask builds in seconds: its tree has {} packages: {tree:?}",
        tree.len()
    );
}

#[test]
fn gpu_backends_are_asked_for() {
    let features = &members()["kiln-cli"]["features"];
    let mut seen = BTreeSet::new();
    let mut open = vec!["default"];
    while let Some(name) = open.pop() {
        if seen.insert(name) {
            let enabled = features[name].as_array().map_or(&[][..], Vec::as_slice);
            open.extend(enabled.iter().filter_map(Value::as_str));
        }
    }
    // An entry is `feature`, `package/feature` or `package?/feature`.
    let chosen: Vec<&str> = seen
        .into_iter()
        .filter(|entry| GPU_BACKENDS.contains(&entry.rsplit('/').next().unwrap_or(entry)))
        .collect();
    assert!(
        chosen.is_empty(),
        "ARCHITECTURE.md, backends are chosen in kiln-cli and none by default: its default \
         features bring {}",
        chosen.join(", ")
    );

    // And no crate of the workspace brings them in by another way. The packages in the resolve
    // graph say nothing here: cargo lists those behind `package?/feature` even when they are off.
    let packages = list(&METADATA, "packages");
    let burn = packages.iter().find(|package| text(package, "name") == "burn");
    let burn = burn.expect("burn is among the packages");
    for node in list(&METADATA["resolve"], "nodes").iter().filter(|node| node["id"] == burn["id"]) {
        let on: Vec<&str> = list(node, "features")
            .iter()
            .filter_map(Value::as_str)
            .filter(|feature| GPU_BACKENDS.contains(feature))
            .collect();
        assert!(
            on.is_empty(),
            "ARCHITECTURE.md, backends are chosen in kiln-cli and none by default: burn has {}",
            on.join(", ")
        );
    }
}
