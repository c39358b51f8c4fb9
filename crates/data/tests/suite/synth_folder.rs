//! Generated data sets on disk.

use kiln_data::synth::{Part, Rendered, SynthSpec, render, write};
use kiln_data::{Error, ImageFolder, Layout, decode_file};
use std::fs;
use std::path::Path;

const SPEC: SynthSpec = SynthSpec { train: 11, val: 5, classes: 5, side: 16, seed: 3 };

fn entries(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[test]
fn a_data_set_is_written_once_and_reused() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("shapes");
    assert_eq!(write(&SPEC, &dir).unwrap(), Rendered::Fresh);
    assert_eq!(write(&SPEC, &dir).unwrap(), Rendered::Reused);
    assert_eq!(entries(parent.path()), 1, "nothing is left beside it");
    let folder = ImageFolder::open(&dir).unwrap();
    let Layout::Separate { train, val } = folder.layout() else { panic!("{folder:?}") };
    assert_eq!(train.class_names(), ["arrow", "circle", "crescent", "cross", "heart"]);
    assert_eq!(train.class_counts(), [3, 2, 2, 2, 2]);
    assert_eq!(val.class_counts(), [1; 5]);
    let (picture, class) = render(&SPEC, Part::Train, 6);
    assert_eq!(class, 1);
    let read = decode_file(&dir.join("train/circle/00006.jpg")).unwrap();
    assert_eq!(read.size(), picture.size());
}

#[test]
fn the_same_spec_gives_the_same_bytes() {
    let parent = tempfile::tempdir().unwrap();
    let [a, b] = ["a", "b"].map(|name| {
        let dir = parent.path().join(name);
        write(&SPEC, &dir).unwrap();
        ["train/arrow/00005.jpg", "val/heart/00004.jpg", "synth.json"]
            .map(|file| fs::read(dir.join(file)).unwrap())
    });
    assert_eq!(a, b);
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("shapes");
    let check = |spec: &SynthSpec, expect: &str| {
        let error = write(spec, &dir).unwrap_err();
        assert!(matches!(error, Error::ForeignFolder { .. }), "{error}");
        assert!(error.to_string().contains(expect), "{error}");
    };
    fs::create_dir(&dir).unwrap();
    check(&SPEC, "it has no synth.json");
    fs::remove_dir(&dir).unwrap();
    write(&SPEC, &dir).unwrap();
    check(&SynthSpec { seed: 4, ..SPEC }, "seed: 3");
    let stamp = fs::read_to_string(dir.join("synth.json")).unwrap();
    fs::write(dir.join("synth.json"), stamp.replace("fingerprint\": \"", "fingerprint\": \"0"))
        .unwrap();
    check(&SPEC, "another version");
    fs::write(dir.join("synth.json"), "{").unwrap();
    check(&SPEC, "damaged");
}

#[test]
fn specs_out_of_range_are_refused() {
    let check = |spec: SynthSpec, field: &str| {
        let error = write(&spec, Path::new("never-made")).unwrap_err();
        assert!(matches!(error, Error::OutOfRange { field: f, .. } if f == field), "{error}");
    };
    check(SynthSpec { classes: 1, ..SPEC }, "classes");
    check(SynthSpec { classes: 11, ..SPEC }, "classes");
    check(SynthSpec { side: 15, ..SPEC }, "side");
    check(SynthSpec { train: 4, ..SPEC }, "train");
    check(SynthSpec { val: 0, ..SPEC }, "val");
}
