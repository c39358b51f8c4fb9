//! From a state dict to a safetensors file that PyTorch loads with `strict=True`.

use super::layout::Layout;
use crate::state_dict::NamedTensor;
use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, TensorView};
use std::borrow::Cow;
use std::collections::HashMap;

/// What Hugging Face's own writers put into the header for PyTorch.
const FORMAT: (&str, &str) = ("format", "pt");

/// Name, numbers, shape and values.
type Encoded<'a> = (Cow<'a, str>, Dtype, &'a [usize], Vec<u8>);

/// The bytes of a safetensors file with the tensors of a model in f32 and texts for its header.
///
/// Every batch norm also gets its `num_batches_tracked`, so that the names are those of PyTorch's state dict. It is 0:
/// Kiln does not count batches, and PyTorch reads it only with `momentum=None`.
///
/// # Errors
/// [`SafeTensorError`] when a shape and its number of values disagree.
pub fn to_safetensors(
    tensors: &[NamedTensor],
    texts: &[(&str, String)],
) -> Result<Vec<u8>, SafeTensorError> {
    let mut encoded: Vec<Encoded<'_>> = Vec::new();
    for tensor in tensors {
        let bytes = tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        encoded.push((Cow::Borrowed(&tensor.name), Dtype::F32, &tensor.shape, bytes));
        if let Some(norm) = tensor.name.strip_suffix("running_var") {
            let name = Cow::Owned(format!("{norm}num_batches_tracked"));
            encoded.push((name, Dtype::I64, &[], 0_i64.to_le_bytes().to_vec()));
        }
    }
    let views = encoded
        .iter()
        .map(|(name, dtype, shape, bytes)| {
            Ok((name, TensorView::new(*dtype, shape.to_vec(), bytes)?))
        })
        .collect::<Result<Vec<_>, SafeTensorError>>()?;
    let texts = texts.iter().map(|(key, text)| ((*key).to_owned(), text.clone()));
    let header: HashMap<String, String> =
        texts.chain([(FORMAT.0.to_owned(), FORMAT.1.to_owned())]).collect();
    safetensors::serialize(views, Some(header))
}

/// The tensors under the names of another layout.
pub fn in_layout(tensors: Vec<NamedTensor>, layout: Layout) -> Vec<NamedTensor> {
    let rename = |tensor: NamedTensor| {
        let name = layout.name_of(&tensor.name);
        NamedTensor { name, ..tensor }
    };
    tensors.into_iter().map(rename).collect()
}
