//! The folder that a run leaves behind.

use crate::checkpoint::sync_folder;
use crate::error::Error;
use crate::metrics::{Line, lines_of};
use crate::record::{EpochRecord, Evaluation, StepsRecord};
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Layout of run directories and checkpoints that this version writes and reads.
pub(crate) const FORMAT: u32 = 2;
/// What is measured, line by line.
pub(crate) const METRICS: &str = "metrics.jsonl";

const TEMPERATURE: &str = "temperature.json";

/// `run.json`: what tells one run from another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunIdentity {
    /// Layout of the directory.
    pub format: u32,
    /// The experiment's name: its file's name without `.toml`.
    pub experiment: String,
    /// SHA-256 of the configurations that were asked for, so that a file changed by hand is noticed.
    pub config_sha256: Vec<String>,
    /// Version of Kiln that began the run.
    pub kiln_version: String,
    /// Fingerprints of the pictures; absent until they are found.
    pub pictures: Option<PictureFingerprints>,
}

/// Whether the `format` that the JSON in `file` names is the one read here.
///
/// # Errors
/// [`Error::NewerFormat`], and [`Error::RunDirectory`] for an older one or none.
pub(crate) fn check_format(file: &Path, json: &serde_json::Value) -> Result<(), Error> {
    match json.get("format").and_then(serde_json::Value::as_u64) {
        Some(found) if found == u64::from(FORMAT) => Ok(()),
        Some(found) if found > u64::from(FORMAT) => {
            Err(Error::NewerFormat { path: file.to_owned(), found, reads: FORMAT })
        }
        Some(found) => {
            let problem = format!("written in format {found}, this version reads format {FORMAT}");
            Err(Error::run_directory(file, problem))
        }
        None => Err(Error::run_directory(file, "has no format number")),
    }
}

/// What tells one set of pictures from another: names, sizes and classes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureFingerprints {
    /// Of the training listing, the subset taken.
    pub train: String,
    /// Of the validation listing.
    pub val: String,
}

/// The newest run `PARENT/EXPERIMENT-NNN`, if there is one.
///
/// # Errors
/// [`Error::RunDirectory`] when `parent` cannot be read.
pub fn newest_run(parent: &Path, experiment: &str) -> Result<Option<PathBuf>, Error> {
    Ok(RunDirectory::newest_numbered(parent, experiment)?.map(|(_, path)| path))
}

/// `temperature.json`.
#[derive(Serialize, Deserialize)]
struct FittedTemperature {
    checkpoint: String,
    temperature: f64,
}

/// An open run directory.
#[derive(Debug, Clone)]
pub struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// Makes `runs/EXPERIMENT-NNN` under `parent` with a number above all that are there.
    ///
    /// # Errors
    /// [`Error::RunDirectory`] when the folder cannot be made.
    pub fn create_numbered(parent: &Path, experiment: &str) -> Result<Self, Error> {
        std::fs::create_dir_all(parent).map_err(|error| Error::run_directory(parent, error))?;
        // One more than the highest, so that the newest run has it.
        let newest = Self::newest_numbered(parent, experiment)?;
        let first = newest.map_or(1, |(number, _)| number.saturating_add(1));
        for number in first..=999_999 {
            let path = parent.join(format!("{experiment}-{number:03}"));
            // Making the folder is the reservation: two runs that start together get two numbers.
            match std::fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Error::run_directory(&path, error)),
            }
        }
        Err(Error::run_directory(parent, "no free number left"))
    }

    /// The folder that [`create_numbered`](Self::create_numbered) made last, and its number.
    ///
    /// # Errors
    /// [`Error::RunDirectory`] when `parent` cannot be read.
    pub(crate) fn newest_numbered(
        parent: &Path,
        experiment: &str,
    ) -> Result<Option<(u32, PathBuf)>, Error> {
        let entries = match std::fs::read_dir(parent) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::run_directory(parent, error)),
        };
        let number = |path: &Path| -> Option<u32> {
            let name = path.file_name()?.to_str()?.strip_prefix(experiment)?;
            name.strip_prefix('-')?.parse().ok()
        };
        let paths = entries.flatten().map(|entry| entry.path());
        let numbered = paths.filter_map(|path| Some((number(&path)?, path)));
        Ok(numbered.max())
    }

    /// Makes the folder `path`, which must not exist.
    ///
    /// # Errors
    /// [`Error::RunDirectory`] when it exists or cannot be made.
    pub fn create(path: &Path) -> Result<Self, Error> {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| Error::run_directory(parent, error))?;
        }
        std::fs::create_dir(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                Error::run_directory(path, "exists already; a run never overwrites another")
            }
            _ => Error::run_directory(path, error),
        })?;
        Ok(Self { path: path.to_owned() })
    }

    /// A folder that is there, in which nothing was begun.
    pub(crate) fn unbegun(path: PathBuf) -> Self {
        Self { path }
    }

    /// Opens an existing run and checks its format.
    ///
    /// # Errors
    /// [`Error::RunDirectory`] when it is missing, not a run, or of another format.
    pub fn open(path: &Path) -> Result<(Self, RunIdentity), Error> {
        let directory = Self { path: path.to_owned() };
        if !path.is_dir() {
            return Err(Error::run_directory(path, "no such folder"));
        }
        let file = path.join("run.json");
        let text = std::fs::read_to_string(&file)
            .map_err(|error| Error::run_directory(&file, format!("not a run: {error}")))?;
        let found: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| Error::run_directory(&file, error))?;
        check_format(&file, &found)?;
        let identity =
            serde_json::from_value(found).map_err(|error| Error::run_directory(&file, error))?;
        Ok((directory, identity))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The run's name: the folder's.
    pub fn name(&self) -> String {
        // `.` has no name of its own.
        let whole = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        whole.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Where the checkpoints are.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// Writes a file in one piece: it is whole or it is not there.
    ///
    /// # Errors
    /// [`Error::RunDirectory`] naming the file.
    pub fn write(&self, name: &str, contents: &[u8]) -> Result<(), Error> {
        let path = self.path.join(name);
        let partial = self.path.join(format!(".{name}.partial"));
        let written = std::fs::File::create(&partial)
            .and_then(|mut file| file.write_all(contents).and_then(|()| file.sync_all()))
            .and_then(|()| std::fs::rename(&partial, &path))
            .and_then(|()| sync_folder(&self.path));
        written.map_err(|error| {
            // What was written of it is of no use; a failure to remove it changes nothing.
            let _ = std::fs::remove_file(&partial);
            Error::run_directory(&path, error)
        })
    }

    /// Writes a value as JSON.
    ///
    /// # Errors
    /// [`Error::RunDirectory`] naming the file.
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), Error> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| Error::run_directory(&self.path.join(name), error))?;
        self.write(name, format!("{text}\n").as_bytes())
    }

    /// The resolved configuration, as TOML.
    ///
    /// # Errors
    /// [`Error::RunDirectory`] when it cannot be read.
    pub fn config(&self) -> Result<String, Error> {
        let path = self.path.join("config.toml");
        std::fs::read_to_string(&path).map_err(|error| Error::run_directory(&path, error))
    }

    /// The epochs on record.
    ///
    /// # Errors
    /// [`Error::RunDirectory`] naming the line that is not a record. A last line cut short is left out.
    pub fn records(&self) -> Result<Vec<EpochRecord>, Error> {
        let lines = lines_of(&self.path.join(METRICS))?.into_iter();
        let epochs = lines.filter_map(|line| match line {
            Line::Epoch(record) => Some(record),
            Line::Steps(_) => None,
        });
        Ok(epochs.collect())
    }

    /// The spans of steps on record.
    ///
    /// # Errors
    /// Those of [`records`](Self::records).
    pub fn steps(&self) -> Result<Vec<StepsRecord>, Error> {
        let lines = lines_of(&self.path.join(METRICS))?.into_iter();
        let steps = lines.filter_map(|line| match line {
            Line::Steps(record) => Some(record),
            Line::Epoch(_) => None,
        });
        Ok(steps.collect())
    }

    /// Removes a file if it is there.
    ///
    /// # Errors
    /// [`Error::RunDirectory`] when it cannot be removed.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.path.join(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::run_directory(&path, error))
            }
            Err(_) => Ok(()),
            Ok(()) => sync_folder(&self.path).map_err(|error| Error::run_directory(&path, error)),
        }
    }

    /// Adds a line of JSON to a file.
    ///
    /// # Errors
    /// [`Error::RunDirectory`] when it cannot be written.
    pub(crate) fn append(&self, name: &str, value: &impl Serialize) -> Result<(), Error> {
        let path = self.path.join(name);
        let fault = |error: &dyn std::fmt::Display| Error::run_directory(&path, error);
        let line = serde_json::to_string(value).map_err(|error| fault(&error))?;
        let mut file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(|error| fault(&error))?;
        // In one call, so that a kill leaves no half line.
        file.write_all(format!("{line}\n").as_bytes()).map_err(|error| fault(&error))
    }

    /// Writes down what the logits of a checkpoint are divided by before they become probabilities.
    ///
    /// # Errors
    /// [`Error::RunDirectory`] when the file cannot be written.
    pub fn write_temperature(&self, checkpoint: &str, temperature: f64) -> Result<(), Error> {
        let checkpoint = checkpoint.to_owned();
        self.write_json(TEMPERATURE, &FittedTemperature { checkpoint, temperature })
    }

    /// What was fitted for the weights of this checkpoint, if anything was.
    ///
    /// # Errors
    /// [`Error::RunDirectory`] for a file that is damaged.
    pub fn temperature(&self, checkpoint: &str) -> Result<Option<f64>, Error> {
        let path = self.path.join(TEMPERATURE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::run_directory(&path, error)),
        };
        let found: FittedTemperature =
            serde_json::from_str(&text).map_err(|error| Error::run_directory(&path, error))?;
        let is_sound = found.temperature > 0.0 && found.temperature.is_finite();
        if !is_sound {
            return Err(Error::run_directory(&path, "temperature must be above 0"));
        }
        Ok((found.checkpoint == checkpoint).then_some(found.temperature))
    }

    /// The final evaluation, if the run has got so far.
    ///
    /// # Errors
    /// [`Error::RunDirectory`] when the file is damaged.
    pub fn evaluation(&self) -> Result<Option<Evaluation>, Error> {
        let path = self.path.join("evaluation.json");
        match std::fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text)
                .map(Some)
                .map_err(|error| Error::run_directory(&path, error)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::run_directory(&path, error)),
        }
    }
}
