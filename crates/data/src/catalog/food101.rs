//! `type = "food101"`.

use super::{DataSet, OpenContext, Source};
use crate::error::Error;
use crate::listing::{Entry, Listing};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Settings of Food-101 (Bossard et al., 2014), or of any folder in its own layout with official lists.
///
/// ```text
/// root/images/CLASS/ID.jpg
/// root/meta/train.txt       lines CLASS/ID, to train on
/// root/meta/test.txt        the same, to validate on
/// ```
///
/// Classes are the names in `train.txt` in byte order, which is the order of Food-101's `classes.txt` and of
/// torchvision's `Food101`; samples come in the order of the lists.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Food101Spec {
    /// The folder that has `images` and `meta`. May be left out where a folder is named for the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
}

impl Source for Food101Spec {
    fn validate(&self) -> Result<(), Error> {
        Ok(())
    }

    fn open(&self, context: &OpenContext) -> Result<DataSet, Error> {
        let root = context.data_dir.as_ref().or(self.path.as_ref()).ok_or(Error::NoPath)?;
        let images = root.join("images");
        for folder in [root, &images] {
            if !folder.is_dir() {
                return Err(Error::MissingFolder { path: folder.clone() });
            }
        }
        let train = List::read(&root.join("meta").join("train.txt"))?;
        let test = List::read(&root.join("meta").join("test.txt"))?;
        let mut names: Vec<String> = train.classes().map(str::to_owned).collect();
        names.sort();
        names.dedup();
        let names: Arc<[String]> = names.into();
        let trained: HashSet<&str> = train.samples().map(|(_, sample)| sample).collect();
        if let Some((line, sample)) = test.samples().find(|(_, sample)| trained.contains(sample)) {
            return Err(test.fault(line, format!("`{sample}` is in train.txt too")));
        }
        let root = root.clone();
        Ok(DataSet {
            train: train.listing(&images, &names)?,
            val: test.listing(&images, &names)?,
            root,
        })
    }
}

/// One of the lists: lines `CLASS/ID`.
struct List {
    path: PathBuf,
    text: String,
}

impl List {
    fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
        let list = Self { path: path.to_path_buf(), text };
        let mut seen = HashSet::new();
        for (line, sample) in list.samples() {
            // Nothing else, for a path with `..` or a root of its own would be read from elsewhere.
            let parts: Vec<&str> = sample.split('/').collect();
            let plain =
                |part: &&str| !part.is_empty() && !part.starts_with('.') && !part.contains('\\');
            if parts.len() != 2 || !parts.iter().all(plain) {
                return Err(list.fault(line, format!("expected CLASS/ID, found `{sample}`")));
            }
            if !seen.insert(sample) {
                return Err(list.fault(line, format!("`{sample}` is listed twice")));
            }
        }
        if seen.is_empty() {
            return Err(list.fault(1, "no line CLASS/ID".to_owned()));
        }
        Ok(list)
    }

    /// Lines that are not empty, with their numbers from 1.
    fn samples(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines().map(str::trim)).filter(|(_, line)| !line.is_empty())
    }

    fn classes(&self) -> impl Iterator<Item = &str> {
        self.samples().filter_map(|(_, sample)| Some(sample.split_once('/')?.0))
    }

    fn fault(&self, line: usize, problem: String) -> Error {
        Error::BadList { path: self.path.clone(), line, problem }
    }

    /// The samples as files of `images`, labelled by their position in the sorted `names`.
    fn listing(&self, images: &Path, names: &Arc<[String]>) -> Result<Listing, Error> {
        let samples: Vec<(usize, &str)> = self.samples().collect();
        let found: Vec<(u32, String, u64)> = samples
            .par_iter()
            .map(|&(line, sample)| {
                let (class, id) = sample.split_once('/').unwrap_or((sample, ""));
                let label = names.binary_search_by(|name| name.as_str().cmp(class)).ok();
                let label = label.and_then(|label| u32::try_from(label).ok()).ok_or_else(|| {
                    self.fault(line, format!("the class `{class}` is not in train.txt"))
                })?;
                let name = format!("{id}.jpg");
                let file = images.join(class).join(&name);
                match fs::metadata(&file) {
                    Ok(metadata) if metadata.is_file() => Ok((label, name, metadata.len())),
                    Ok(_) => Err(self.fault(line, format!("{} is not a file", file.display()))),
                    Err(error) => Err(self.fault(line, format!("{}: {error}", file.display()))),
                }
            })
            .collect::<Result<_, Error>>()?;
        let entries = found.iter().map(|(class, name, file_bytes)| Entry {
            class: *class,
            name,
            file_bytes: *file_bytes,
        });
        Listing::new(images, Arc::clone(names), entries)
    }
}
