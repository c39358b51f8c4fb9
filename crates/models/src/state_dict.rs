//! A model's tensors out and in, under torchvision's names and in PyTorch's layout.

use crate::error::Error;
use crate::names::NamePath;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{DType, Tensor, TensorData};

/// One tensor of a state dict.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    /// The state-dict name, such as `layer1.0.bn1.running_mean`.
    pub name: String,
    /// Dimensions in PyTorch's layout: a linear weight is `[out, in]`.
    pub shape: Vec<usize>,
    /// Row-major values.
    pub values: Vec<f32>,
}

/// All float tensors of `model`, in the model's order, batch norm's running statistics included.
///
/// The values are those of `model.valid()`: a training model lags one update of the running statistics.
pub fn state_dict<M: Module>(model: &M) -> Vec<NamedTensor> {
    struct Visitor {
        path: NamePath,
        found: Vec<NamedTensor>,
    }
    impl ModuleVisitor for Visitor {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.path.enter(name, container);
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.exit();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let mut tensor = param.base();
            if self.path.is_linear_weight(D) {
                tensor = tensor.transpose();
            }
            let shape = tensor.dims().to_vec();
            let values = tensor.into_data().iter::<f32>().collect();
            self.found.push(NamedTensor { name: self.path.name(), shape, values });
        }
    }
    let mut visitor = Visitor { path: NamePath::default(), found: Vec::new() };
    model.valid().visit(&mut visitor);
    visitor.found
}

/// The names and shapes of [`state_dict()`], without the values.
pub fn state_dict_shapes<M: Module>(model: &M) -> Vec<(String, Vec<usize>)> {
    struct Visitor {
        path: NamePath,
        found: Vec<(String, Vec<usize>)>,
    }
    impl ModuleVisitor for Visitor {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.path.enter(name, container);
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.exit();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let mut shape = param.base().dims().to_vec();
            if self.path.is_linear_weight(D) {
                shape.reverse();
            }
            self.found.push((self.path.name(), shape));
        }
    }
    let mut visitor = Visitor { path: NamePath::default(), found: Vec::new() };
    model.visit(&mut visitor);
    visitor.found
}

/// Replaces every float tensor of `model` by what `lookup` gives for its name and its shape in PyTorch's layout.
///
/// # Errors
/// [`Error::MissingTensor`] when `lookup` gives `None`, [`Error::Shape`] when the number of values is wrong.
/// The first error is reported; the model is lost then.
pub fn load_state_dict<M: Module>(
    model: M,
    lookup: impl FnMut(&str, &[usize]) -> Option<NamedTensor>,
) -> Result<M, Error> {
    struct Mapper<F> {
        path: NamePath,
        lookup: F,
        error: Option<Error>,
    }
    impl<F: FnMut(&str, &[usize]) -> Option<NamedTensor>> Mapper<F> {
        fn replacement<const D: usize>(&mut self, current: &Tensor<D>) -> Result<Tensor<D>, Error> {
            let transposed = self.path.is_linear_weight(D);
            let mut shape = current.dims();
            if transposed {
                shape.reverse();
            }
            let name = self.path.name();
            let Some(found) = (self.lookup)(&name, &shape) else {
                return Err(Error::MissingTensor { name });
            };
            if found.shape != shape || found.values.len() != shape.iter().product::<usize>() {
                return Err(Error::Shape { name, expected: shape.to_vec(), found: found.shape });
            }
            // Transposed here and not on the device: a transposed view multiplies with other rounding than the
            // contiguous tensor that every optimizer step leaves, and a resumed run must not differ in one bit.
            let (values, shape) = if transposed {
                (transposed_values(&found.values, shape[0]), current.dims())
            } else {
                (found.values, shape)
            };
            let device = current.device();
            Ok(Tensor::from_data(TensorData::new(values, shape), (&device, DType::F32)))
        }
    }
    impl<F: FnMut(&str, &[usize]) -> Option<NamedTensor>> ModuleMapper for Mapper<F> {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.path.enter(name, container);
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.exit();
        }
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            param.map(|current| match self.replacement(&current) {
                Ok(tensor) => tensor.set_require_grad(current.is_require_grad()),
                Err(error) => {
                    self.error.get_or_insert(error);
                    current
                }
            })
        }
    }
    let mut mapper = Mapper { path: NamePath::default(), lookup, error: None };
    let model = model.map(&mut mapper);
    match mapper.error {
        None => Ok(model),
        Some(error) => Err(error),
    }
}

/// A row-major matrix of `rows` rows, transposed.
fn transposed_values(values: &[f32], rows: usize) -> Vec<f32> {
    let columns = values.len() / rows.max(1);
    (0..values.len()).map(|i| values[(i % rows) * columns + i / rows]).collect()
}
