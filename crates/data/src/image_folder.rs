//! A data set as folders of pictures, in the layout of torchvision's `ImageFolder`.

use crate::error::Error;
use crate::listing::{Entry, Listing};
use crate::scan;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Names under which a validation split is found.
const VALIDATION_FOLDERS: [&str; 3] = ["val", "valid", "validation"];

/// A folder of pictures whose layout was recognised.
///
/// ```text
/// root/train/CLASS/...jpg      root/CLASS/...jpg
/// root/val/CLASS/...jpg
/// ```
///
/// On the left `val` may also be `valid` or `validation`; without any of them `train/` is what will be split.
/// Classes are the folders' names in byte order, which is torchvision's order. Pictures are files ending in
/// `.jpg`, `.jpeg` or `.png` in any case, at any depth below the class folder, sorted. Hidden files and folders
/// are skipped, and so are symbolic links to folders (with a warning); links to files are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFolder {
    root: PathBuf,
    layout: Layout,
}

/// How an [`ImageFolder`] is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// Training and validation pictures lie in folders of their own.
    Separate {
        /// Samples of `train/`.
        train: Listing,
        /// Samples of the validation folder, with the classes of `train/`.
        val: Listing,
    },
    /// One folder of class folders, still to be split.
    Whole(Listing),
}

impl ImageFolder {
    /// Recognises the layout of `root` and lists its pictures.
    ///
    /// # Errors
    /// [`Error::MissingFolder`], [`Error::NoClassFolders`], [`Error::TwoValidationFolders`];
    /// [`Error::NoTrainingFolder`] for a validation folder without `train/` beside it, which would become a class;
    /// [`Error::EmptyClass`] for a class folder without a picture in either split; [`Error::UnknownClass`] for a
    /// class of the validation folder that `train/` lacks; [`Error::NotUnicode`], [`Error::TooLarge`] and
    /// [`Error::Io`]. A class that only the validation folder lacks is no error, but is warned of, and so are class
    /// folders that hold their pictures in folders of their own only: the root is probably one level too high.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, Error> {
        let root = root.into();
        if !root.is_dir() {
            return Err(Error::MissingFolder { path: root });
        }
        let train_root = root.join("train");
        let layout = match validation_folder(&root)? {
            Some(val) if train_root.is_dir() => separate(&train_root, &root.join(val))?,
            Some(val) if is_split_folder(&root.join(val))? => {
                return Err(Error::NoTrainingFolder { path: root, val });
            }
            _ if is_split_folder(&train_root)? => Layout::Whole(list(&train_root)?),
            _ => Layout::Whole(list(&root)?),
        };
        Ok(Self { root, layout })
    }

    /// The folder that was opened.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The layout found, with its listings.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Gives up the layout.
    pub fn into_layout(self) -> Layout {
        self.layout
    }
}

/// The name of the one validation folder of `root`, if any.
fn validation_folder(root: &Path) -> Result<Option<&'static str>, Error> {
    let mut found = VALIDATION_FOLDERS.into_iter().filter(|name| root.join(name).is_dir());
    match (found.next(), found.next()) {
        (Some(first), Some(second)) if root.join("train").is_dir() => {
            Err(Error::TwoValidationFolders { path: root.to_path_buf(), first, second })
        }
        (first, _) => Ok(first),
    }
}

/// Whether `folder` holds class folders; a *class* called `train` (the vehicle) holds pictures only.
fn is_split_folder(folder: &Path) -> Result<bool, Error> {
    Ok(folder.is_dir() && !scan::class_folders(folder)?.is_empty())
}

fn separate(train_root: &Path, val_root: &Path) -> Result<Layout, Error> {
    let train = list(train_root)?;
    let val_classes = class_folders(val_root)?;
    let names: Arc<[String]> = train.class_names().into();
    if let Some(unknown) = val_classes.iter().find(|class| names.binary_search(class).is_err()) {
        return Err(Error::UnknownClass { class: unknown.clone(), path: val_root.to_path_buf() });
    }
    for class in names.iter().filter(|class| val_classes.binary_search(class).is_err()) {
        tracing::warn!(class, folder = %val_root.display(), "a class has no validation pictures");
    }
    Ok(Layout::Separate { val: list_classes(val_root, &names, &val_classes)?, train })
}

/// All classes of `root` with their pictures.
fn list(root: &Path) -> Result<Listing, Error> {
    let classes = class_folders(root)?;
    list_classes(root, &Arc::from(classes.as_slice()), &classes)
}

fn class_folders(root: &Path) -> Result<Vec<String>, Error> {
    let classes = scan::class_folders(root)?;
    if classes.is_empty() {
        return Err(Error::NoClassFolders { path: root.to_path_buf() });
    }
    Ok(classes)
}

/// The pictures of `present`, labelled by their position in `names`; both are sorted.
fn list_classes(root: &Path, names: &Arc<[String]>, present: &[String]) -> Result<Listing, Error> {
    let found = scan::pictures(root, present)?;
    if found.iter().flatten().all(|picture| picture.name.contains('/')) {
        tracing::warn!(
            folder = %root.display(),
            "no picture lies directly in a class folder: is the folder one level too high?"
        );
    }
    let labels =
        (0_u32..).zip(names.iter()).filter(|(_, name)| present.binary_search(name).is_ok());
    let entries = labels.zip(&found).flat_map(|((class, _), pictures)| {
        pictures.iter().map(move |picture| Entry {
            class,
            name: &picture.name,
            file_bytes: picture.file_bytes,
        })
    });
    Listing::new(root, Arc::clone(names), entries)
}
