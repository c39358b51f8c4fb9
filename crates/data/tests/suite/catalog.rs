//! The `data.source` table.

use crate::pictures::{folder, put};
use kiln_data::synth::SynthSpec;
use kiln_data::{Error, Food101Spec, ImageFolderSpec, OpenContext, SourceSpec};
use serde_json::json;
use std::path::{Path, PathBuf};

fn context(data_dir: Option<PathBuf>, cache: &Path) -> OpenContext {
    OpenContext { data_dir, cache_dir: cache.join("cache"), seed: 42 }
}

#[test]
fn every_source_survives_a_trip_through_text() {
    for spec in SourceSpec::all() {
        let json = serde_json::to_value(&spec).unwrap();
        assert!(json["type"].is_string(), "{json}");
        assert_eq!(serde_json::from_value::<SourceSpec>(json).unwrap(), spec);
        assert!(spec.validate().is_ok());
    }
}

#[test]
fn settings_have_defaults_and_unknown_ones_are_refused() {
    let folder: SourceSpec = serde_json::from_value(json!({ "type": "image_folder" })).unwrap();
    assert_eq!(folder, SourceSpec::ImageFolder(ImageFolderSpec::default()));
    let synth: SourceSpec =
        serde_json::from_value(json!({ "type": "synth", "classes": 3 })).unwrap();
    assert_eq!(synth, SourceSpec::Synth(SynthSpec { classes: 3, ..SynthSpec::default() }));
    for unknown in [
        json!({ "type": "image_folder", "val_fracton": 0.1 }),
        json!({ "type": "synth", "clases": 3 }),
        json!({ "type": "magic" }),
    ] {
        assert!(serde_json::from_value::<SourceSpec>(unknown.clone()).is_err(), "{unknown}");
    }
}

#[test]
fn a_folder_with_both_splits_comes_as_it_is() {
    let root = folder(&["train/cat/1.jpg", "train/dog/2.jpg", "val/cat/3.jpg", "val/dog/4.jpg"]);
    let spec = ImageFolderSpec { path: Some(root.path().to_path_buf()), ..Default::default() };
    let data = SourceSpec::ImageFolder(spec).open(&context(None, root.path())).unwrap();
    assert_eq!((data.train.len(), data.val.len()), (2, 2));
    assert_eq!(data.root, root.path());
}

#[test]
fn a_whole_folder_is_split_by_the_experiments_seed() {
    let paths: Vec<String> = (0..20).map(|i| format!("class{}/{i}.jpg", i % 2)).collect();
    let root = folder(&paths.iter().map(String::as_str).collect::<Vec<_>>());
    let spec = SourceSpec::ImageFolder(ImageFolderSpec { path: None, val_fraction: 0.3 });
    let context = context(Some(root.path().to_path_buf()), root.path());
    let data = spec.open(&context).unwrap();
    assert_eq!(data.train.class_counts(), [7, 7]);
    assert_eq!(data.val.class_counts(), [3, 3]);
    assert_eq!(data, spec.open(&context).unwrap());
    let other = spec.open(&OpenContext { seed: 43, ..context }).unwrap();
    assert_ne!(data.val, other.val);
}

#[test]
fn the_folder_named_for_the_run_goes_first() {
    let root = folder(&["train/cat/1.jpg", "val/cat/2.jpg"]);
    let spec = ImageFolderSpec { path: Some("no/such/folder".into()), ..Default::default() };
    let spec = SourceSpec::ImageFolder(spec);
    assert!(spec.open(&context(Some(root.path().to_path_buf()), root.path())).is_ok());
    let error = spec.open(&context(None, root.path())).unwrap_err();
    assert_eq!(error.to_string(), "no such folder: no/such/folder");
}

#[test]
fn a_folder_without_a_path_says_so() {
    let spec = SourceSpec::ImageFolder(ImageFolderSpec::default());
    let error = spec.open(&context(None, Path::new("unused"))).unwrap_err();
    assert!(matches!(error, Error::NoPath));
    let spec = SourceSpec::ImageFolder(ImageFolderSpec { path: None, val_fraction: 1.5 });
    assert!(matches!(spec.validate(), Err(Error::OutOfRange { field: "val_fraction", .. })));
}

#[test]
fn generated_pictures_go_to_the_cache_or_the_named_folder() {
    let root = tempfile::tempdir().unwrap();
    let spec = SynthSpec { train: 6, val: 4, classes: 2, side: 16, seed: 1 };
    let cached = SourceSpec::Synth(spec).open(&context(None, root.path())).unwrap();
    assert!(cached.root.starts_with(root.path().join("cache")));
    assert_eq!((cached.train.len(), cached.val.len()), (6, 4));
    let named = root.path().join("deep/shapes");
    let data = SourceSpec::Synth(spec).open(&context(Some(named.clone()), root.path())).unwrap();
    assert_eq!(data.root, named);
    assert_eq!(data.train.fingerprint(), cached.train.fingerprint());
}

#[test]
fn food101_comes_in_the_order_of_its_lists() {
    let root = folder(&[
        "images/soup/7.jpg",
        "images/cake/3.jpg",
        "images/soup/1.jpg",
        "images/cake/9.jpg",
    ]);
    put(root.path(), "meta/train.txt", b"soup/7\ncake/3\n\n");
    put(root.path(), "meta/test.txt", b"soup/1\r\ncake/9\r\n");
    let spec: SourceSpec = serde_json::from_value(json!({ "type": "food101" })).unwrap();
    let data = spec.open(&context(Some(root.path().to_path_buf()), root.path())).unwrap();
    assert_eq!(data.train.class_names(), ["cake", "soup"]);
    assert_eq!((data.train.class(0), data.train.name(0)), (1, "7.jpg"));
    assert_eq!(data.train.path(1), root.path().join("images/cake/3.jpg"));
    assert_eq!((data.val.class(0), data.val.name(0), data.val.len()), (1, "1.jpg", 2));
}

#[test]
fn a_list_of_food101_that_cannot_be_used_names_its_line() {
    let open = |train: &str, test: &str| {
        let root = folder(&["images/soup/7.jpg", "images/soup/1.jpg"]);
        put(root.path(), "meta/train.txt", train.as_bytes());
        put(root.path(), "meta/test.txt", test.as_bytes());
        let spec = SourceSpec::Food101(Food101Spec { path: Some(root.path().to_path_buf()) });
        let error = spec.open(&context(None, root.path())).unwrap_err();
        error.to_string().replace(&root.path().display().to_string(), "ROOT")
    };
    let rows = [
        ("soup/7\nsoup", "soup/1", "ROOT/meta/train.txt:2: expected CLASS/ID, found `soup`"),
        ("soup/7", "../../x", "ROOT/meta/test.txt:1: expected CLASS/ID, found `../../x`"),
        ("soup/7\nsoup/7", "soup/1", "ROOT/meta/train.txt:2: `soup/7` is listed twice"),
        ("soup/7", "soup/7", "ROOT/meta/test.txt:1: `soup/7` is in train.txt too"),
        ("soup/7", "\n", "ROOT/meta/test.txt:1: no line CLASS/ID"),
        ("soup/7", "cake/1", "ROOT/meta/test.txt:1: the class `cake` is not in train.txt"),
    ];
    for (train, test, expected) in rows {
        assert_eq!(open(train, test), expected);
    }
    assert!(
        open("soup/8", "soup/1").starts_with("ROOT/meta/train.txt:1: ROOT/images/soup/8.jpg: ")
    );
}
