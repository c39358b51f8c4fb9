//! A generated data set as an image folder on disk.

use super::render::render;
use super::spec::{CLASSES, Part, SynthSpec};
use crate::error::Error;
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use kiln_augment::Image8;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fs, io};
use xxhash_rust::xxh3::Xxh3;

/// The file in the folder that says which data set it is.
const STAMP_FILE: &str = "synth.json";

const JPEG_QUALITY: u8 = 90;

/// How [`write()`] came by the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rendered {
    /// All pictures were rendered.
    Fresh,
    /// The folder held them already.
    Reused,
}

/// The content of [`STAMP_FILE`].
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stamp {
    spec: SynthSpec,
    /// Of one picture of each class, so that a change of the renderer is noticed.
    fingerprint: String,
}

impl Stamp {
    fn of(spec: SynthSpec) -> Self {
        let mut hash = Xxh3::new();
        for index in 0..spec.classes {
            hash.update(render(&spec, Part::Train, index).0.pixels());
        }
        Self { spec, fingerprint: format!("{:032x}", hash.digest128()) }
    }
}

/// A short name for the data set, different for every spec and every version of the renderer.
pub(crate) fn folder_name(spec: &SynthSpec) -> String {
    let SynthSpec { train, val, classes, side, seed } = *spec;
    let fingerprint = Stamp::of(*spec).fingerprint;
    format!("synth-{train}-{val}-{classes}x{side}px-seed-{seed}-{}", &fingerprint[..8])
}

/// Makes `dir` an image folder of the data set: `train/CLASS/NNNNN.jpg`, `val/CLASS/NNNNN.jpg`, where `NNNNN` is
/// the picture's index in its part.
///
/// Rendering is parallel, and its bytes do not depend on how. It goes to a hidden folder beside `dir`, which is
/// renamed at the end, so an interrupted rendering is never taken for a data set (but may be left behind). A
/// `dir` that is there already is reused if its `synth.json` agrees with `spec` and this renderer.
///
/// # Errors
/// [`Error::OutOfRange`] for a bad spec; [`Error::ForeignFolder`] when `dir` holds something else;
/// [`Error::Io`].
pub fn write(spec: &SynthSpec, dir: &Path) -> Result<Rendered, Error> {
    spec.validate()?;
    let stamp = Stamp::of(*spec);
    if dir.exists() {
        return check(dir, &stamp).map(|()| Rendered::Reused);
    }
    tracing::info!(folder = %dir.display(), train = spec.train, val = spec.val, "rendering pictures");
    let partial = partial_name(dir);
    let finished = fill(&partial, spec, &stamp).and_then(|()| match fs::rename(&partial, dir) {
        Ok(()) => Ok(Rendered::Fresh),
        // Somebody else was faster.
        Err(_) if dir.exists() => check(dir, &stamp).map(|()| Rendered::Reused),
        Err(error) => Err(Error::io("create", dir)(error)),
    });
    if !matches!(finished, Ok(Rendered::Fresh)) {
        // A leftover is harmless; the outcome is what to report.
        let _ = fs::remove_dir_all(&partial);
    }
    finished
}

fn partial_name(dir: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(dir.file_name().unwrap_or_default());
    name.push(format!(".partial-{}", std::process::id()));
    dir.with_file_name(name)
}

fn check(dir: &Path, stamp: &Stamp) -> Result<(), Error> {
    let foreign = |why: String| Error::ForeignFolder { path: dir.to_path_buf(), why };
    let path = dir.join(STAMP_FILE);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(foreign(format!("it has no {STAMP_FILE}")));
        }
        Err(error) => return Err(Error::io("read", &path)(error)),
    };
    let found: Stamp = serde_json::from_slice(&bytes)
        .map_err(|error| foreign(format!("its {STAMP_FILE} is damaged: {error}")))?;
    if found.spec != stamp.spec {
        return Err(foreign(format!("it was rendered from {:?}", found.spec)));
    }
    if found.fingerprint != stamp.fingerprint {
        return Err(foreign("it was rendered by another version".to_owned()));
    }
    Ok(())
}

fn fill(folder: &Path, spec: &SynthSpec, stamp: &Stamp) -> Result<(), Error> {
    if folder.exists() {
        // Left by a process of the same number that was interrupted.
        fs::remove_dir_all(folder).map_err(Error::io("clear", folder))?;
    }
    for part in Part::ALL {
        let classes = CLASSES.iter().take(spec.classes as usize);
        for folder in classes.map(|class| folder.join(part.folder()).join(class)) {
            fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
        }
        (0..spec.count(part)).into_par_iter().try_for_each(|index| {
            let (image, class) = render(spec, part, index);
            let path = folder
                .join(part.folder())
                .join(CLASSES[class as usize])
                .join(format!("{index:05}.jpg"));
            encode(&image)
                .and_then(|bytes| fs::write(&path, bytes))
                .map_err(Error::io("write", &path))
        })?;
    }
    let path = folder.join(STAMP_FILE);
    serde_json::to_vec_pretty(stamp)
        .map_err(io::Error::other)
        .and_then(|json| fs::write(&path, json))
        .map_err(Error::io("write", &path))
}

fn encode(image: &Image8) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let size = image.size();
    JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY)
        .encode(image.pixels(), size.width, size.height, ExtendedColorType::Rgb8)
        .map_err(io::Error::other)?;
    Ok(bytes)
}
