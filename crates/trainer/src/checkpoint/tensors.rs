//! Float tensors in safetensors files.

use crate::error::Error;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use std::collections::HashMap;
use std::path::Path;

/// Shape and values of one tensor.
pub(crate) type Stored = (Vec<usize>, Vec<f32>);

/// The bytes of a safetensors file with the given tensors and metadata.
pub(crate) fn to_bytes(
    path: &Path,
    tensors: impl IntoIterator<Item = (String, Stored)>,
    metadata: HashMap<String, String>,
) -> Result<Vec<u8>, Error> {
    let encoded: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
        .into_iter()
        .map(|(name, (shape, values))| {
            let mut bytes = Vec::with_capacity(values.len() * 4);
            for value in values {
                bytes.extend_from_slice(&value.to_le_bytes());
            }
            (name, shape, bytes)
        })
        .collect();
    let views = encoded
        .iter()
        .map(|(name, shape, bytes)| {
            TensorView::new(Dtype::F32, shape.clone(), bytes).map(|view| (name.as_str(), view))
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Error::checkpoint(path, error))?;
    safetensors::serialize(views, Some(metadata)).map_err(|error| Error::checkpoint(path, error))
}

/// Tensors by name.
pub(crate) type Tensors = HashMap<String, Stored>;

/// What a safetensors file holds.
pub(crate) struct TensorFile {
    pub(crate) tensors: Tensors,
    /// The header's texts by key.
    pub(crate) metadata: HashMap<String, String>,
}

/// Reads a safetensors file of f32 tensors.
pub(crate) fn from_bytes(path: &Path, bytes: &[u8]) -> Result<TensorFile, Error> {
    let fault = |error: &dyn std::fmt::Display| Error::checkpoint(path, error);
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| fault(&error))?;
    let file = SafeTensors::deserialize(bytes).map_err(|error| fault(&error))?;
    let mut tensors = HashMap::new();
    for (name, view) in file.iter() {
        if view.dtype() != Dtype::F32 {
            return Err(fault(&format!("tensor `{name}` is {:?}, expected F32", view.dtype())));
        }
        let (numbers, _) = view.data().as_chunks::<4>();
        let values = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        tensors.insert(name.to_owned(), (view.shape().to_vec(), values));
    }
    Ok(TensorFile { tensors, metadata: header.metadata().clone().unwrap_or_default() })
}
