//! A file of tensors, read one by one.

use super::error::WeightsError;
use super::layout::Layout;
use pytorch_reader::{DType, PytorchReader};
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// What `torch.save` writes, of any age. The pickle in it is read as data; nothing in it is executed.
    PyTorch,
    /// Hugging Face's safetensors.
    Safetensors,
}

/// The numbers of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum NumberType {
    F16,
    BF16,
    F32,
    F64,
    /// Whole numbers and truth values, which no weight has.
    Other(&'static str),
}

/// One tensor of a file.
#[derive(Debug)]
pub struct StoredTensor {
    /// Dimensions.
    pub shape: Vec<usize>,
    /// Its numbers.
    pub number_type: NumberType,
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// Bytes of the file.
    Range(Range<usize>),
    PyTorch(Box<pytorch_reader::Tensor>),
}

/// A file of weights: `.pth` and `.pt` in all of PyTorch's containers, and `.safetensors`; told apart by content.
#[derive(Debug)]
pub struct WeightsFile {
    /// The file.
    pub path: PathBuf,
    /// How it is written.
    pub format: Format,
    /// The texts in a safetensors file's header.
    pub metadata: BTreeMap<String, String>,
    /// The entry of a checkpoint that the tensors are from, such as `state_dict`.
    pub entry: Option<String>,
    /// Tensors by name, without the prefixes that wrappers of modules add.
    pub tensors: BTreeMap<String, StoredTensor>,
    /// A safetensors file's content.
    bytes: Vec<u8>,
}

/// Entries of a checkpoint that hold a model, the live one before its average.
const ENTRIES: [&str; 5] =
    ["state_dict", "model_state_dict", "model", "state_dict_ema", "model_ema"];
/// What `DataParallel`, `torch.compile` and modules around a model put before every name.
const PREFIXES: [&str; 3] = ["module.", "_orig_mod.", "model."];

impl WeightsFile {
    /// Opens a file and reads its list of tensors; of PyTorch's files the values stay on disk.
    ///
    /// # Errors
    /// [`WeightsError::File`] when there is no such file, it is neither kind, is truncated, or has no tensors.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let fault = |error: &dyn std::fmt::Display| WeightsError::file(path, error);
        let file = fs::File::open(path).map_err(|error| fault(&error))?;
        if !file.metadata().map_err(|error| fault(&error))?.is_file() {
            return Err(fault(&"not a file"));
        }
        let mut start = Vec::new();
        file.take(16).read_to_end(&mut start).map_err(|error| fault(&error))?;
        let opened =
            if is_safetensors(&start) { Self::safetensors(path)? } else { Self::pytorch(path)? };
        if opened.tensors.is_empty() {
            return Err(fault(&"no tensors in it"));
        }
        Ok(opened)
    }

    fn safetensors(path: &Path) -> Result<Self, WeightsError> {
        let fault = |error: &dyn std::fmt::Display| WeightsError::file(path, error);
        let bytes = fs::read(path).map_err(|error| fault(&error))?;
        let (header, metadata) =
            SafeTensors::read_metadata(&bytes).map_err(|error| fault(&error))?;
        // Checks that every tensor lies in the file and has as many bytes as its shape says.
        SafeTensors::deserialize(&bytes).map_err(|error| fault(&error))?;
        // The header's length, the header, the values.
        let values = 8 + header;
        let tensors = metadata.tensors().into_iter().map(|(name, info)| {
            let (start, end) = info.data_offsets;
            let tensor = StoredTensor {
                shape: info.shape.clone(),
                number_type: of_safetensors(info.dtype),
                source: Source::Range(values + start..values + end),
            };
            (name, tensor)
        });
        let (tensors, entry) = unwrapped(tensors.collect());
        let metadata = metadata.metadata().clone().unwrap_or_default().into_iter().collect();
        let path = path.to_owned();
        Ok(Self { path, format: Format::Safetensors, metadata, entry, tensors, bytes })
    }

    fn pytorch(path: &Path) -> Result<Self, WeightsError> {
        let reader = PytorchReader::new(path).map_err(|error| {
            let kinds = "neither a safetensors file nor one that `torch.save` wrote";
            WeightsError::file(path, format!("{kinds}, or damaged: {error}"))
        })?;
        let tensors = reader.into_tensors().into_iter().map(|(name, tensor)| {
            let stored = StoredTensor {
                shape: tensor.shape().to_vec(),
                number_type: of_pytorch(tensor.dtype()),
                source: Source::PyTorch(Box::new(tensor)),
            };
            (name, stored)
        });
        let (tensors, entry) = unwrapped(tensors.collect());
        let (path, format) = (path.to_owned(), Format::PyTorch);
        Ok(Self { path, format, metadata: BTreeMap::new(), entry, tensors, bytes: Vec::new() })
    }

    /// The values of the tensor `name` in f32; 64-bit ones are rounded.
    ///
    /// # Errors
    /// [`WeightsError::File`] when there is no such tensor or its bytes are not all there, [`WeightsError::NumberType`]
    /// when it does not hold floats.
    pub fn read(&self, name: &str) -> Result<Vec<f32>, WeightsError> {
        let fault = |problem: &dyn std::fmt::Display| {
            WeightsError::file(&self.path, format!("tensor `{name}`: {problem}"))
        };
        let tensor = self.tensors.get(name).ok_or_else(|| fault(&"not in the file"))?;
        let read;
        let bytes = match &tensor.source {
            Source::Range(range) => {
                self.bytes.get(range.clone()).ok_or_else(|| fault(&"lies outside of the file"))?
            }
            Source::PyTorch(tensor) => {
                read = tensor.read().map_err(|error| fault(&error))?;
                &read
            }
        };
        let values = match tensor.number_type {
            NumberType::F16 => each(bytes, |b| half::f16::from_le_bytes(b).to_f32()),
            NumberType::BF16 => each(bytes, |b| half::bf16::from_le_bytes(b).to_f32()),
            NumberType::F32 => each(bytes, f32::from_le_bytes),
            NumberType::F64 => each(bytes, |b| rounded(f64::from_le_bytes(b))),
            NumberType::Other(found) => {
                let (path, name) = (self.path.clone(), name.to_owned());
                return Err(WeightsError::NumberType { path, name, found: found.to_owned() });
            }
        };
        let expected = tensor.shape.iter().product::<usize>();
        if values.len() != expected {
            return Err(fault(&format!("{} values, expected {expected}", values.len())));
        }
        Ok(values)
    }

    /// Whether the file's tensors are exactly these, by Kiln's names and shapes.
    pub fn fits(&self, layout: Layout, tensors: &[(String, Vec<usize>)]) -> bool {
        let mut named: BTreeMap<String, &StoredTensor> = BTreeMap::new();
        for name in self.float_names() {
            let Some(ours) = layout.our_name(name) else { return false };
            if named.insert(ours, &self.tensors[name]).is_some() {
                return false;
            }
        }
        named.len() == tensors.len()
            && tensors
                .iter()
                .all(|(name, shape)| named.get(name).is_some_and(|tensor| tensor.shape == *shape))
    }

    /// Names of the tensors that a model can take: all but whole numbers that no weight has, such as batch norm's
    /// counters of batches.
    pub(super) fn float_names(&self) -> impl Iterator<Item = &String> {
        let is_counter = |name: &str| name.rsplit('.').next() == Some("num_batches_tracked");
        self.tensors.keys().filter(move |name| !is_counter(name))
    }
}

fn each<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let (numbers, _) = bytes.as_chunks::<N>();
    numbers.iter().map(|bytes| number(*bytes)).collect()
}

#[allow(clippy::cast_possible_truncation, reason = "models compute in f32")]
fn rounded(value: f64) -> f32 {
    value as f32
}

/// A length of at most 100 MB, the format's own bound, and the start of a JSON object.
fn is_safetensors(start: &[u8]) -> bool {
    let Some((length, rest)) = start.split_first_chunk::<8>() else { return false };
    rest.first() == Some(&b'{') && u64::from_le_bytes(*length) <= 100_000_000
}

type Tensors = BTreeMap<String, StoredTensor>;

/// The tensors of the first entry that is there, or all, without the prefixes that all of them have.
fn unwrapped(tensors: Tensors) -> (Tensors, Option<String>) {
    let found = ENTRIES.into_iter().find(|entry| {
        let inside = format!("{entry}.");
        tensors.keys().any(|name| name.starts_with(&inside))
    });
    let mut tensors = match found {
        Some(entry) => within(tensors, &format!("{entry}.")),
        None => tensors,
    };
    while let Some(prefix) =
        PREFIXES.into_iter().find(|prefix| tensors.keys().all(|name| name.starts_with(prefix)))
    {
        if tensors.is_empty() {
            break;
        }
        tensors = within(tensors, prefix);
    }
    (tensors, found.map(str::to_owned))
}

/// The tensors whose names begin with `prefix`, without it.
fn within(tensors: Tensors, prefix: &str) -> Tensors {
    let inside = |(name, tensor): (String, StoredTensor)| {
        let name = name.strip_prefix(prefix)?.to_owned();
        Some((name, tensor))
    };
    tensors.into_iter().filter_map(inside).collect()
}

fn of_safetensors(dtype: Dtype) -> NumberType {
    match dtype {
        Dtype::F16 => NumberType::F16,
        Dtype::BF16 => NumberType::BF16,
        Dtype::F32 => NumberType::F32,
        Dtype::F64 => NumberType::F64,
        Dtype::I64 => NumberType::Other("i64"),
        Dtype::I32 => NumberType::Other("i32"),
        Dtype::U8 => NumberType::Other("u8"),
        Dtype::BOOL => NumberType::Other("bool"),
        Dtype::F8_E4M3 | Dtype::F8_E5M2 => NumberType::Other("8-bit float"),
        _ => NumberType::Other("unusual"),
    }
}

fn of_pytorch(dtype: DType) -> NumberType {
    match dtype {
        DType::F16 => NumberType::F16,
        DType::BF16 => NumberType::BF16,
        DType::F32 => NumberType::F32,
        DType::F64 => NumberType::F64,
        DType::I64 => NumberType::Other("i64"),
        DType::I32 => NumberType::Other("i32"),
        DType::U8 => NumberType::Other("u8"),
        DType::Bool => NumberType::Other("bool"),
        _ => NumberType::Other("whole"),
    }
}
