//! Layouts found and faults named.

use crate::pictures::{folder, png, put};
use kiln_data::{Error, ImageFolder, Layout, Listing, decode_file};
use std::fs;
use std::path::Path;
use std::process::Command;

fn names(listing: &Listing) -> Vec<String> {
    (0..listing.count())
        .map(|i| {
            format!("{}/{}", listing.class_names()[listing.class(i) as usize], listing.name(i))
        })
        .collect()
}

fn whole(root: &Path) -> Listing {
    match ImageFolder::open(root).unwrap().into_layout() {
        Layout::Whole(listing) => listing,
        Layout::Separate { .. } => panic!("one folder was expected"),
    }
}

fn separate(root: &Path) -> (Listing, Listing) {
    match ImageFolder::open(root).unwrap().into_layout() {
        Layout::Separate { train, val } => (train, val),
        Layout::Whole(_) => panic!("two folders were expected"),
    }
}

#[test]
fn pictures_come_in_torchvisions_order() {
    let root = folder(&[
        "b/2.png",
        "b/10.png",
        "a/z.png",
        "a/sub/x.png",
        "a/sub-1/y.png",
        "a/sub/deep/w.png",
        "a/Z.PNG",
        "B/c.JPeG",
    ]);
    let expect = [
        "B/c.JPeG",
        "a/Z.PNG",
        "a/z.png",
        "a/sub/x.png",
        "a/sub-1/y.png",
        "a/sub/deep/w.png",
        "b/10.png",
        "b/2.png",
    ];
    // As Python sorts the paths of folders: "a/sub" < "a/sub-1" < "a/sub/deep".
    assert_eq!(names(&whole(root.path())), expect);
}

#[test]
fn what_is_hidden_or_no_picture_is_left_out() {
    let root =
        folder(&["a/1.jpg", "a/.2.jpg", "a/.hidden/3.jpg", ".git/4.jpg", "a/5.gif", "6.jpg"]);
    put(root.path(), "a/notes.txt", b"not a picture");
    let listing = whole(root.path());
    assert_eq!(names(&listing), ["a/1.jpg"]);
    assert!(listing.path(0).is_file());
}

#[cfg(unix)]
#[test]
fn links_to_files_are_followed_and_links_to_folders_are_not() {
    let root = folder(&["a/1.jpg"]);
    std::os::unix::fs::symlink(root.path().join("a"), root.path().join("b")).unwrap();
    std::os::unix::fs::symlink(root.path(), root.path().join("a/loop")).unwrap();
    std::os::unix::fs::symlink(root.path().join("a/1.jpg"), root.path().join("a/2.jpg")).unwrap();
    let listing = whole(root.path());
    assert_eq!(names(&listing), ["a/1.jpg", "a/2.jpg"]);
    assert_eq!(listing.file_bytes(0), listing.file_bytes(1));
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing_is_listed_and_cannot_be_decoded() {
    let root = folder(&["a/1.jpg"]);
    std::os::unix::fs::symlink("gone.jpg", root.path().join("a/2.jpg")).unwrap();
    std::os::unix::fs::symlink("3.jpg", root.path().join("a/3.jpg")).unwrap();
    let listing = whole(root.path());
    assert_eq!(names(&listing), ["a/1.jpg", "a/2.jpg", "a/3.jpg"]);
    for i in [1, 2] {
        assert_eq!(listing.file_bytes(i), 0);
        assert_eq!(decode_file(&listing.path(i)).unwrap_err().path, listing.path(i));
    }
}

#[cfg(unix)]
#[test]
fn what_could_block_a_reader_is_left_out() {
    let root = folder(&["a/1.jpg"]);
    let pipe = root.path().join("a/2.jpg");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::os::unix::fs::symlink("2.jpg", root.path().join("a/3.jpg")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", root.path().join("a/4.jpg")).unwrap();
    assert_eq!(names(&whole(root.path())), ["a/1.jpg"]);
}

#[test]
fn validation_folders_go_by_three_names() {
    for val in ["val", "valid", "validation"] {
        let in_val = format!("{val}/dog/3.jpg");
        let root = folder(&["train/cat/1.jpg", "train/dog/2.jpg", "train/dog/4.jpg", &in_val]);
        let (train, val) = separate(root.path());
        assert_eq!(names(&train), ["cat/1.jpg", "dog/2.jpg", "dog/4.jpg"]);
        assert_eq!(names(&val), ["dog/3.jpg"]);
        // Labels are those of training, also where validation lacks a class.
        assert_eq!(val.class_names(), ["cat", "dog"]);
        assert_eq!(val.class(0), 1);
    }
}

#[test]
fn a_training_folder_alone_is_the_whole() {
    let root = folder(&["train/cat/1.jpg", "test/2.jpg"]);
    let listing = whole(root.path());
    assert_eq!(names(&listing), ["cat/1.jpg"]);
    assert_eq!(listing.root(), root.path().join("train"));
}

#[test]
fn a_class_may_be_called_train_or_val() {
    let root = folder(&["train/1.jpg", "plane/2.jpg"]);
    assert_eq!(names(&whole(root.path())), ["plane/2.jpg", "train/1.jpg"]);
    let root = folder(&["val/1.jpg", "plane/2.jpg"]);
    assert_eq!(names(&whole(root.path())), ["plane/2.jpg", "val/1.jpg"]);
}

#[test]
fn faults_are_named() {
    let check = |paths: &[&str], empty: &[&str], expect: &str| {
        let root = folder(paths);
        for path in empty {
            fs::create_dir_all(root.path().join(path)).unwrap();
        }
        let error = ImageFolder::open(root.path()).unwrap_err().to_string();
        let shown = error.replace(&*root.path().to_string_lossy(), "ROOT");
        assert_eq!(shown, expect);
    };
    check(
        &["1.jpg"],
        &[],
        "no class folders in ROOT (expected one folder of pictures for each class)",
    );
    check(
        &["cat/1.jpg"],
        &["dog"],
        "class \"dog\" has no pictures: ROOT/dog holds no .jpg, .jpeg or .png file",
    );
    check(
        &["train/cat/1.jpg", "val/cat/2.jpg", "train/dog/3.jpg"],
        &["val/dog"],
        "class \"dog\" has no pictures: ROOT/val/dog holds no .jpg, .jpeg or .png file",
    );
    check(
        &["train/cat/1.jpg", "val/cat/2.jpg", "val/cow/3.jpg"],
        &[],
        "class \"cow\" is in ROOT/val but not among the training classes",
    );
    check(
        &["train/cat/1.jpg", "val/cat/2.jpg", "valid/cat/3.jpg"],
        &[],
        "ROOT has both val/ and valid/: keep one validation folder",
    );
    check(
        &["valid/cat/1.jpg", "valid/dog/2.jpg", "other/3.jpg"],
        &[],
        "ROOT has valid/ but no train/: name the training folder train",
    );
    check(
        &["train/cat/1.jpg"],
        &["val"],
        "no class folders in ROOT/val (expected one folder of pictures for each class)",
    );
}

#[test]
fn a_missing_folder_is_named() {
    let root = folder(&[]);
    let missing = root.path().join("flowers");
    let error = ImageFolder::open(&missing).unwrap_err();
    assert!(matches!(error, Error::MissingFolder { path } if path == missing));
}

#[test]
fn the_fingerprint_survives_a_move_and_sees_changes() {
    let (here, there) = (folder(&["a/1.png", "b/2.png"]), folder(&["b/2.png", "a/1.png"]));
    let fingerprint = whole(here.path()).fingerprint();
    assert_eq!(fingerprint, whole(there.path()).fingerprint());
    put(there.path(), "b/2.png", &[png(&crate::pictures::picture(3, 2, 0)), vec![0]].concat());
    assert_ne!(fingerprint, whole(there.path()).fingerprint());
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_not_unicode_is_refused() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let root = folder(&["a/1.jpg"]);
    fs::write(root.path().join("a").join(OsStr::from_bytes(b"\xff.jpg")), b"").unwrap();
    assert!(matches!(ImageFolder::open(root.path()), Err(Error::NotUnicode { .. })));
}
