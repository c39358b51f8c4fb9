//! Making folders of small pictures.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageFormat, Rgb, RgbImage};
use kiln_data::{Entry, Listing};
use std::fs;
use std::io::Cursor;
use std::path::Path;
use tempfile::TempDir;

/// A picture whose pixels depend on `variant`.
pub(crate) fn picture(width: u32, height: u32, variant: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([x * 7 + variant * 31, y * 5 + variant, (x + y) * 3].map(|v| v.to_le_bytes()[0]))
    })
}

pub(crate) fn png(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

pub(crate) fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 90)
        .encode(picture, picture.width(), picture.height(), ExtendedColorType::Rgb8)
        .unwrap();
    bytes
}

/// Writes `bytes` to `folder/path`, making folders.
pub(crate) fn put(folder: &Path, path: &str, bytes: &[u8]) {
    let file = folder.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, bytes).unwrap();
}

/// A temporary folder with the same small PNG at each of `paths`.
pub(crate) fn folder(paths: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let bytes = png(&picture(3, 2, 0));
    for path in paths {
        put(folder.path(), path, &bytes);
    }
    folder
}

/// A listing of files that need not exist, with so many samples of each class.
pub(crate) fn imaginary(counts: &[u32]) -> Listing {
    let classes: Vec<String> = (0..counts.len()).map(|class| format!("class{class}")).collect();
    let names: Vec<(u32, String)> = (0_u32..)
        .zip(counts)
        .flat_map(|(class, &count)| (0..count).map(move |i| (class, format!("{i}.jpg"))))
        .collect();
    let entries = names.iter().map(|(class, name)| Entry { class: *class, name, file_bytes: 1 });
    Listing::new("nowhere", classes, entries).unwrap()
}
