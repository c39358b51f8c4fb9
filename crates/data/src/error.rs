//! What can go wrong with a data set, and whose fault it is.

use crate::decode::BadImage;
use kiln_augment::Size;
use std::io;
use std::path::{Path, PathBuf};

/// Errors of this crate. [`Error::fault`] says who can mend each.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting is outside its range.
    #[error("{field} must be {must_be}, found {found}")]
    OutOfRange {
        /// The setting's name as in the configuration.
        field: &'static str,
        /// The accepted values in words.
        must_be: &'static str,
        /// What was given.
        found: String,
    },
    /// An image folder was asked for without saying which.
    #[error("an image folder needs a path: set data.source.path or name a data folder")]
    NoPath,
    /// The folder is not there, or is not a folder.
    #[error("no such folder: {}", path.display())]
    MissingFolder {
        /// What was looked for.
        path: PathBuf,
    },
    /// The folder has no folders in it, so there is nothing to name a class after.
    #[error("no class folders in {} (expected one folder of pictures for each class)", path.display())]
    NoClassFolders {
        /// The folder searched.
        path: PathBuf,
    },
    /// Two folders could be the validation split.
    #[error("{} has both {first}/ and {second}/: keep one validation folder", path.display())]
    TwoValidationFolders {
        /// The data set's folder.
        path: PathBuf,
        /// One of the names.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// There is a validation folder and nothing to train on.
    #[error("{} has {val}/ but no train/: name the training folder train", path.display())]
    NoTrainingFolder {
        /// The data set's folder.
        path: PathBuf,
        /// The validation folder's name.
        val: &'static str,
    },
    /// A class folder holds no picture.
    #[error("class {class:?} has no pictures: {} holds no .jpg, .jpeg or .png file", path.display())]
    EmptyClass {
        /// The class.
        class: String,
        /// Its folder.
        path: PathBuf,
    },
    /// A list of samples has a line that cannot be used.
    #[error("{}:{line}: {problem}", path.display())]
    BadList {
        /// The list.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A class of the validation folder is not in the training folder.
    #[error("class {class:?} is in {} but not among the training classes", path.display())]
    UnknownClass {
        /// The class.
        class: String,
        /// The validation folder.
        path: PathBuf,
    },
    /// A class cannot be split because it has a single picture.
    #[error("no class of {} has the two pictures that a split into training and validation needs", path.display())]
    NothingToSplit {
        /// The folder of class folders.
        path: PathBuf,
    },
    /// A file or folder name is not Unicode, so it cannot be listed or fingerprinted portably.
    #[error("name is not valid Unicode: {}", path.display())]
    NotUnicode {
        /// The offending path.
        path: PathBuf,
    },
    /// The listing would not fit its 32-bit offsets or 16-bit classes.
    #[error("{} is too large to list: more than {limit} {what}", path.display())]
    TooLarge {
        /// The folder being listed.
        path: PathBuf,
        /// What there is too much of.
        what: &'static str,
        /// How much would be accepted.
        limit: u64,
    },
    /// A sample names a class that the listing does not have.
    #[error("sample {sample:?} has class {class}, but there are {classes} classes")]
    ClassOutOfRange {
        /// The sample's path below its class folder.
        sample: String,
        /// The class it names.
        class: u32,
        /// Number of classes.
        classes: usize,
    },
    /// A plan names a sample that the listing does not have.
    #[error("the plan has sample {sample}, but there are {samples} samples")]
    SampleOutOfRange {
        /// The sample it names.
        sample: u32,
        /// Number of samples.
        samples: u32,
    },
    /// A file could not be read or is not a picture.
    #[error("unusable picture {}: {why}", path.display())]
    BadImage {
        /// The file.
        path: PathBuf,
        /// What the reader or decoder said.
        why: String,
    },
    /// A folder that a generated data set should go to holds something else.
    #[error("{} exists but is not this generated data set: {why}", path.display())]
    ForeignFolder {
        /// The folder.
        path: PathBuf,
        /// How it differs.
        why: String,
    },
    /// The operating system refused.
    #[error("{doing} {}", path.display())]
    Io {
        /// A verb, so that "failed to {error}" reads.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// No worker thread could be started.
    #[error("start a loader thread")]
    Threads {
        /// What the operating system said.
        source: io::Error,
    },
    /// A recipe's pipeline gave a picture of another size than the batch needs.
    #[error("the pipeline must yield {expected} pictures, but made {found} of {}", path.display())]
    WrongSize {
        /// The picture it was given.
        path: PathBuf,
        /// The recipe's size.
        expected: Size,
        /// The pipeline's size.
        found: Size,
    },
    /// A loader worker panicked, most likely in a transform.
    #[error("a loader worker panicked on {}: {message}", path.display())]
    Panicked {
        /// The picture it worked on.
        path: PathBuf,
        /// The panic's message.
        message: String,
    },
    /// All loader workers ended before the plan did.
    #[error("the loader's workers ended before all batches were made")]
    WorkersGone,
    /// A sampler broke its own promise.
    #[error("{what} is wrong for class {class:?}: {found} of {available} samples chosen")]
    Unbalanced {
        /// Which sampler.
        what: &'static str,
        /// The class.
        class: String,
        /// Samples chosen.
        found: u32,
        /// Samples in the class.
        available: u32,
    },
}

/// Who can mend an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Whoever wrote the configuration.
    Configuration,
    /// Whoever prepared the data set.
    Data,
    /// Whoever runs the machine: permissions, disk, threads.
    System,
    /// Whoever wrote the code.
    Program,
}

impl Error {
    /// Whose fault the error is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::OutOfRange { .. } | Self::NoPath | Self::WrongSize { .. } => Fault::Configuration,
            Self::MissingFolder { .. }
            | Self::NoClassFolders { .. }
            | Self::TwoValidationFolders { .. }
            | Self::NoTrainingFolder { .. }
            | Self::EmptyClass { .. }
            | Self::BadList { .. }
            | Self::UnknownClass { .. }
            | Self::NothingToSplit { .. }
            | Self::NotUnicode { .. }
            | Self::TooLarge { .. }
            | Self::BadImage { .. }
            | Self::ForeignFolder { .. } => Fault::Data,
            Self::Io { .. } | Self::Threads { .. } => Fault::System,
            Self::ClassOutOfRange { .. }
            | Self::SampleOutOfRange { .. }
            | Self::Panicked { .. }
            | Self::WorkersGone
            | Self::Unbalanced { .. } => Fault::Program,
        }
    }

    /// For `map_err`: the operating system refused to do something with `path`.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { doing, path, source }
    }
}

impl From<BadImage> for Error {
    fn from(bad: BadImage) -> Self {
        Self::BadImage { path: bad.path, why: bad.why }
    }
}
