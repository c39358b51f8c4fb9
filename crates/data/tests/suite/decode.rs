//! All kinds of files, good and bad.

use crate::pictures::{jpeg, picture, png};
use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgb, Rgba};
use kiln_augment::Size;
use kiln_data::{Decoder, Error, decode_bytes, decode_file};
use std::ffi::OsStr;
use std::io::Cursor;
use std::path::Path;
use tempfile::tempdir;

fn png_of(picture: impl Into<DynamicImage>) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn a_png_keeps_its_pixels() {
    let original = picture(5, 4, 3);
    let image = decode_bytes(&png(&original)).unwrap();
    assert_eq!(image.size(), Size::new(5, 4));
    assert_eq!(image.pixels(), original.as_raw().as_slice());
}

#[test]
fn every_layout_of_channels_becomes_rgb() {
    let check = |file: Vec<u8>, expect: [u8; 3]| {
        assert_eq!(decode_bytes(&file).unwrap().pixels(), [expect, expect].concat());
    };
    check(png_of(ImageBuffer::from_pixel(2, 1, Luma([77_u8]))), [77; 3]);
    check(png_of(ImageBuffer::from_pixel(2, 1, LumaA([77_u8, 3]))), [77; 3]);
    check(png_of(ImageBuffer::from_pixel(2, 1, Rgba([10_u8, 20, 30, 0]))), [10, 20, 30]);
    check(png_of(ImageBuffer::from_pixel(2, 1, Luma([0x12ff_u16]))), [0x12; 3]);
    check(png_of(ImageBuffer::from_pixel(2, 1, LumaA([0x12ff_u16, 9]))), [0x12; 3]);
    check(
        png_of(ImageBuffer::from_pixel(2, 1, Rgb([0x12ff_u16, 0x3480, 0xffff]))),
        [0x12, 0x34, 0xff],
    );
    check(png_of(ImageBuffer::from_pixel(2, 1, Rgba([0x12ff_u16, 0x3480, 0, 7]))), [0x12, 0x34, 0]);
}

#[test]
fn a_grey_jpeg_becomes_rgb() {
    let mut bytes = Cursor::new(Vec::new());
    let grey = DynamicImage::from(ImageBuffer::from_pixel(9, 7, Luma([100_u8])));
    grey.write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    let image = decode_bytes(&bytes.into_inner()).unwrap();
    assert_eq!(image.size(), Size::new(9, 7));
    assert!(image.pixels().iter().all(|&level| level.abs_diff(100) <= 1));
}

#[test]
fn the_exif_orientation_is_not_applied() {
    let upright = jpeg(&picture(20, 10, 1));
    // Big-endian TIFF with one entry: orientation (0x112), a 16-bit number, 6 for a quarter turn.
    let tiff = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let payload = [b"Exif\0\0", tiff.as_slice()].concat();
    let length = u16::try_from(payload.len() + 2).unwrap().to_be_bytes();
    let segment = [&[0xff, 0xe1], length.as_slice(), &payload].concat();
    let turned = [&upright[..2], &segment, &upright[2..]].concat();
    assert_eq!(decode_bytes(&turned).unwrap(), decode_bytes(&upright).unwrap());
}

#[test]
fn the_content_decides_not_the_name() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("really-a-png.jpg");
    std::fs::write(&path, png(&picture(5, 4, 3))).unwrap();
    assert_eq!(decode_file(&path).unwrap().size(), Size::new(5, 4));
}

#[test]
fn bad_files_are_named_and_explained() {
    let folder = tempdir().unwrap();
    let whole = jpeg(&picture(64, 64, 0));
    let cut_png = png(&picture(64, 64, 0));
    let mut decoder = Decoder::new();
    let mut check = |name: &str, bytes: &[u8], expect: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let bad = decoder.decode(&path).unwrap_err();
        assert_eq!(bad.path, path);
        assert!(bad.why.contains(expect), "{name}: {}", bad.why);
        let message = Error::from(bad).to_string();
        assert!(message.starts_with("unusable picture ") && message.contains(name), "{message}");
    };
    check("empty.jpg", b"", "the file is empty");
    check("text.jpg", b"I am not a picture", "neither a JPEG nor a PNG");
    check("half.jpg", &whole[..whole.len() / 2], "cut off");
    check("start.jpg", &whole[..2], "neither a JPEG nor a PNG");
    check("header.jpg", &whole[..30], "cut off");
    check("almost.jpg", &whole[..whole.len() - 2], "cut off");
    check("half.png", &cut_png[..cut_png.len() / 2], "end");
    check("gif.jpg", b"GIF89a\x01\0\x01\0\0\0\0", "neither a JPEG nor a PNG");
}

#[test]
fn no_prefix_of_a_file_panics() {
    for file in [jpeg(&picture(17, 9, 2)), png(&picture(17, 9, 2))] {
        for end in 0..file.len() {
            // A PNG may be complete before its closing chunk; all that matters here is an answer.
            let _ = decode_bytes(&file[..end]);
        }
    }
}

#[test]
fn no_damage_panics() {
    for file in [jpeg(&picture(40, 24, 2)), png(&picture(40, 24, 2))] {
        for variant in 0..300_usize {
            let mut damaged = file.clone();
            // Spread over the whole file, with one to three bytes changed.
            for change in 0..=variant % 3 {
                let at = (variant * file.len() / 300 + change * 37) % file.len();
                damaged[at] ^= [0xff, 0x01, 0x80, 0x10][(variant + change) % 4];
            }
            assert!(damaged != file);
            // What a decoder makes of it is its own affair; all that matters here is an answer.
            let _ = decode_bytes(&damaged);
        }
    }
}

#[test]
fn a_picture_of_absurd_size_is_refused() {
    let mut file = jpeg(&picture(16, 16, 0));
    let frame = file.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    file[frame + 5..frame + 9].copy_from_slice(&[0xf0, 0, 0xf0, 0]);
    assert!(decode_bytes(&file).unwrap_err().contains("more than 178956970 pixels"));
}

#[test]
fn a_picture_of_one_endless_row_is_refused() {
    let row = ImageBuffer::<Luma<u8>, _>::from_pixel(65_536, 1, Luma([0]));
    let why = decode_bytes(&png_of(row)).unwrap_err();
    assert_eq!(why, "a side of 65536x1 is longer than 65535 pixels");
}

#[test]
fn a_missing_file_is_a_bad_picture() {
    let folder = tempdir().unwrap();
    let bad = decode_file(&folder.path().join("gone.jpg")).unwrap_err();
    assert!(!bad.why.is_empty());
}

#[test]
fn a_jpeg_has_the_pixels_that_pillow_sees() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/jpeg");
    let mut compared = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "jpg") {
            continue;
        }
        let ours = decode_file(&path).unwrap();
        let pillow = decode_file(&path.with_extension("png")).unwrap();
        assert_eq!(ours.size(), pillow.size());
        let levels = ours.pixels().iter().zip(pillow.pixels());
        let apart: u64 = levels.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        let mean = apart as f64 / ours.pixels().len() as f64;
        let most = match path.file_stem().and_then(OsStr::to_str) {
            _ if cfg!(feature = "libjpeg") => 0.0,
            // `image` enlarges colour planes of a single column in another way.
            Some("4-2-0-one-column") => 14.0,
            _ => 0.5,
        };
        assert!(mean <= most, "{}: {mean} levels apart on average", path.display());
        compared += 1;
    }
    assert_eq!(compared, 13);
}

#[cfg(feature = "libjpeg")]
#[test]
fn libjpeg_explains_what_it_cannot_decode() {
    let mut bytes = jpeg(&picture(16, 16, 0));
    let header = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    // Sixteen bits a level.
    bytes[header + 4] = 16;
    let why = decode_bytes(&bytes).unwrap_err();
    assert!(why.contains("libjpeg") && why.contains("16"), "{why}");
}
