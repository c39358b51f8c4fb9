//! What people see before they train.

use crate::pictures::{folder, jpeg, picture, png, put};
use kiln_data::{ImageFolder, Layout, Range, describe};

#[test]
fn a_folder_is_described() {
    let root = folder(&["cat/1.png"]);
    put(root.path(), "cat/2.jpg", &jpeg(&picture(10, 20, 0)));
    put(root.path(), "dog/3.jpg", &png(&picture(30, 5, 0)));
    put(root.path(), "dog/4.jpg", b"text");
    let whole = jpeg(&picture(10, 20, 0));
    put(root.path(), "dog/5.jpg", &whole[..whole.len() - 9]);
    let Layout::Whole(listing) = ImageFolder::open(root.path()).unwrap().into_layout() else {
        panic!("one folder was expected");
    };
    let seen = describe(&listing);
    assert_eq!(seen.samples, 5);
    let classes: Vec<_> = seen.classes.iter().map(|c| (c.name.as_str(), c.samples)).collect();
    assert_eq!(classes, [("cat", 2), ("dog", 3)]);
    // By content: 3.jpg is a PNG.
    let formats: Vec<_> = seen.formats.iter().map(|(f, &n)| (f.as_str(), n)).collect();
    assert_eq!(formats, [("jpeg", 1), ("png", 2)]);
    assert_eq!(seen.width, Some(Range { min: 3, median: 10, max: 30 }));
    assert_eq!(seen.height, Some(Range { min: 2, median: 5, max: 20 }));
    assert_eq!(seen.broken.len(), 2);
    assert!(seen.broken[0].path.ends_with("dog/4.jpg"));
    assert!(seen.broken[1].why.contains("cut off"));
    assert_eq!(seen.fingerprint, listing.fingerprint());
    let json = serde_json::to_value(&seen).unwrap();
    assert_eq!(json["width"]["max"], 30);
    assert_eq!(json["classes"][1]["name"], "dog");
}
