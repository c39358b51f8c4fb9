//! Writing of all three.

use super::csv;
use super::line::{Line, first_lines};
use super::tensorboard;
use crate::checkpoint::TrainState;
use crate::error::Error;
use crate::record::unix_seconds;
use crate::run_directory::{METRICS, RunDirectory};
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

const CSV: &str = "metrics.csv";
const EVENTS: &str = "tensorboard";

/// The open files of a run.
#[derive(Debug)]
pub(crate) struct MetricsLog<'a> {
    directory: &'a RunDirectory,
    csv: Appended,
    events: Appended,
}

/// A file that grows, and its path for errors.
#[derive(Debug)]
struct Appended {
    path: PathBuf,
    file: File,
}

impl<'a> MetricsLog<'a> {
    /// Opens the files with the lines that belong to `state`: what a resumed run does again is written again. The table
    /// and the events are made anew from the lines.
    ///
    /// # Errors
    /// [`Error::RunDirectory`] when there are fewer lines, or something cannot be written.
    pub(crate) fn open(directory: &'a RunDirectory, state: &TrainState) -> Result<Self, Error> {
        let path = directory.path().join(METRICS);
        let (text, lines) = first_lines(&path, state.lines)?;
        directory.write(METRICS, text.as_bytes())?;

        let mut table = csv::HEADER.to_owned();
        table.extend(lines.iter().filter_map(csv_row));
        directory.write(CSV, table.as_bytes())?;
        let events = directory.path().join(EVENTS);
        let fault = |error: std::io::Error| Error::run_directory(&events, error);
        // TensorBoard reads all files of a folder; those of former processes would show what was done again twice.
        if events.exists() {
            std::fs::remove_dir_all(&events).map_err(fault)?;
        }
        std::fs::create_dir_all(&events).map_err(fault)?;
        let now = unix_seconds();
        let mut bytes = tensorboard::header(now);
        for line in &lines {
            bytes.extend(tensorboard::events(line));
        }
        let name = format!("{EVENTS}/events.out.tfevents.{now:.0}.kiln");
        let mut log = Self {
            directory,
            csv: Appended::open(directory, CSV)?,
            events: Appended::open(directory, &name)?,
        };
        log.events.put(&bytes)?;
        Ok(log)
    }

    /// Adds a line, with its row and its events.
    ///
    /// # Errors
    /// [`Error::RunDirectory`] when it cannot be written.
    pub(crate) fn put(&mut self, line: &Line) -> Result<(), Error> {
        // Synced by the writer of checkpoints before one counts on it.
        self.directory.append(METRICS, line)?;
        if let Some(row) = csv_row(line) {
            self.csv.put(row.as_bytes())?;
        }
        self.events.put(&tensorboard::events(line))
    }
}

impl Appended {
    fn open(directory: &RunDirectory, name: &str) -> Result<Self, Error> {
        let path = directory.path().join(name);
        let file = File::options().create(true).append(true).open(&path);
        let file = file.map_err(|error| Error::run_directory(&path, error))?;
        Ok(Self { path, file })
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(|error| Error::run_directory(&self.path, error))
    }
}

fn csv_row(line: &Line) -> Option<String> {
    match line {
        Line::Epoch(record) => Some(csv::row(record)),
        Line::Steps(_) => None,
    }
}
