//! What a network says of every picture of a validation set.

use crate::checkpoint::{tensors_from_bytes, tensors_to_bytes};
use crate::error::Error;
use crate::run_directory::RunDirectory;
use kiln_data::Listing;
use kiln_parallel::Ranks;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;

const FILE: &str = "outputs.safetensors";

/// A network's logits for pictures, in the order of the listing. Pictures that could not be decoded are left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Outputs {
    /// Whose weights they are, such as the name of a checkpoint.
    pub checkpoint: String,
    /// Names of the classes.
    pub class_names: Vec<String>,
    /// Where each picture is below the folder of the set's classes.
    pub pictures: Vec<String>,
    /// The class of each.
    pub labels: Vec<u32>,
    /// As many numbers as there are classes for each.
    pub logits: Vec<f32>,
}

/// What of it is text.
#[derive(Serialize, Deserialize)]
struct Header {
    checkpoint: String,
    class_names: Vec<String>,
    pictures: Vec<String>,
    labels: Vec<u32>,
}

impl Outputs {
    pub(crate) fn new(checkpoint: String, class_names: Vec<String>) -> Self {
        let (pictures, labels, logits) = Default::default();
        Self { checkpoint, class_names, pictures, labels, logits }
    }

    /// Adds pictures of a listing.
    pub(crate) fn add(
        &mut self,
        listing: &Listing,
        indices: &[u32],
        labels: impl Iterator<Item = u32>,
        logits: &[f32],
    ) {
        let class = |index| &listing.class_names()[listing.class(index) as usize];
        let name = |&index: &u32| format!("{}/{}", class(index), listing.name(index));
        self.pictures.extend(indices.iter().map(name));
        self.labels.extend(labels);
        self.logits.extend_from_slice(logits);
    }

    /// Replaces the pictures from number `from` on by those that all ranks have from there on, in the ranks' order.
    pub(crate) fn gather(&mut self, ranks: &Ranks, from: usize) -> Result<(), Error> {
        if ranks.is_alone() {
            return Ok(());
        }
        let own = (self.pictures.split_off(from), self.labels.split_off(from));
        let logits = self.logits.split_off(from * self.classes());
        let named = ranks.gather(&serde_json::to_vec(&own).unwrap_or_default())?;
        let logits: Vec<u8> = logits.iter().flat_map(|logit| logit.to_le_bytes()).collect();
        let logits = ranks.gather(&logits)?;
        for (rank, (named, logits)) in named.iter().zip(logits).enumerate() {
            let (pictures, labels): (Vec<String>, Vec<u32>) =
                serde_json::from_slice(named).map_err(|error| Error::other_rank(rank, &error))?;
            self.pictures.extend(pictures);
            self.labels.extend(labels);
            let logits = logits.chunks_exact(size_of::<f32>());
            let logit = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().unwrap_or_default());
            self.logits.extend(logits.map(logit));
        }
        Ok(())
    }

    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no picture.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.class_names.len()
    }

    /// The logits of a picture.
    pub fn row(&self, picture: usize) -> &[f32] {
        &self.logits[picture * self.classes()..][..self.classes()]
    }

    /// Writes them into a run's directory.
    pub(crate) fn write(&self, directory: &RunDirectory) -> Result<(), Error> {
        let path = directory.path().join(FILE);
        let header = Header {
            checkpoint: self.checkpoint.clone(),
            class_names: self.class_names.clone(),
            pictures: self.pictures.clone(),
            labels: self.labels.clone(),
        };
        let text =
            serde_json::to_string(&header).map_err(|error| Error::run_directory(&path, error))?;
        let logits = (vec![self.len(), self.classes()], self.logits.clone());
        let tensors = [("logits".to_owned(), logits)];
        let metadata = HashMap::from([("outputs".to_owned(), text)]);
        directory.write(FILE, &tensors_to_bytes(&path, tensors, metadata)?)
    }

    /// Those in a run's directory, if it has come to its evaluation and they are of the checkpoint that was evaluated.
    ///
    /// # Errors
    /// [`Error::RunDirectory`] for a file that is damaged.
    pub fn of_run(directory: &RunDirectory) -> Result<Option<Self>, Error> {
        let path = directory.path().join(FILE);
        let Some(evaluation) = directory.evaluation()? else { return Ok(None) };
        match std::fs::read(&path) {
            Ok(bytes) => {
                let outputs = Self::read(&path, &bytes)?;
                Ok(Some(outputs).filter(|outputs| outputs.checkpoint == evaluation.checkpoint))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::run_directory(&path, error)),
        }
    }

    fn read(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        let fault = |problem: &str| Error::run_directory(path, problem);
        let damaged = |error: Error| Error::run_directory(path, error);
        let mut file = tensors_from_bytes(path, bytes).map_err(damaged)?;
        let text = file.metadata.get("outputs").ok_or_else(|| fault("not outputs of a network"))?;
        let Header { checkpoint, class_names, pictures, labels } =
            serde_json::from_str(text).map_err(|error| Error::run_directory(path, error))?;
        let logits = file.tensors.remove("logits").map(|(_, values)| values).unwrap_or_default();
        let classes = class_names.len();
        let fits = labels.len() == pictures.len() && logits.len() == labels.len() * classes;
        if !(fits && labels.iter().all(|label| (*label as usize) < classes)) {
            return Err(fault("labels, logits and names do not fit together"));
        }
        Ok(Self { checkpoint, class_names, pictures, labels, logits })
    }
}
