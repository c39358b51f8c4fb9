//! From Burn's module paths to torchvision's state-dict names.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;

/// A parameter's identity in the running program and its name on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Burn's id, new in every process.
    pub id: ParamId,
    /// The state-dict name, the same everywhere.
    pub name: String,
    /// Dimensions as Burn has them.
    pub shape: Vec<usize>,
    /// True for batch norm's running statistics, which no optimizer touches.
    pub is_buffer: bool,
}

/// The place of a tensor while a module is walked.
///
/// Burn's path has a component for every struct field, list index and enum variant. torchvision's name is
/// that path without the enum variants, with batch norm's `gamma` and `beta` called `weight` and `bias`, and with the
/// layers of a [`crate::Head`] and a [`crate::ConvNorm`] called by their places.
#[derive(Debug, Default)]
pub(crate) struct NamePath {
    components: Vec<Option<String>>,
    in_linear: Vec<bool>,
}

impl NamePath {
    pub(crate) fn enter(&mut self, name: &str, container: &str) {
        let component = match (container, name) {
            ("Struct:BatchNorm", "gamma") => Some("weight".to_owned()),
            ("Struct:BatchNorm", "beta") => Some("bias".to_owned()),
            // PyTorch's places in `nn.Sequential(Conv2d, BatchNorm2d)` and `nn.Sequential(Linear, ReLU, Dropout, Linear)`.
            ("Struct:ConvNorm", "conv") | ("Struct:Mlp", "first") => Some("0".to_owned()),
            ("Struct:ConvNorm", "norm") => Some("1".to_owned()),
            ("Struct:Mlp", "last") => Some("3".to_owned()),
            _ if container.starts_with("Enum:") => None,
            _ => Some(name.to_owned()),
        };
        self.components.push(component);
        self.in_linear.push(container == "Struct:Linear");
    }

    pub(crate) fn exit(&mut self) {
        self.components.pop();
        self.in_linear.pop();
    }

    pub(crate) fn name(&self) -> String {
        let parts: Vec<&str> = self.components.iter().flatten().map(String::as_str).collect();
        parts.join(".")
    }

    /// Burn stores a linear layer's weight as `[in, out]`, PyTorch as `[out, in]`.
    pub(crate) fn is_linear_weight(&self, rank: usize) -> bool {
        rank == 2 && self.in_linear.last().copied().unwrap_or(false)
    }

    pub(crate) fn is_buffer(&self) -> bool {
        matches!(self.components.last(), Some(Some(last)) if last.starts_with("running_"))
    }
}

/// All float tensors of `model` with their names, in the model's order.
pub fn parameter_names<M: Module>(model: &M) -> Vec<Named> {
    struct Visitor {
        path: NamePath,
        found: Vec<Named>,
    }
    impl ModuleVisitor for Visitor {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.path.enter(name, container);
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.exit();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.found.push(Named {
                id: param.id,
                name: self.path.name(),
                shape: param.base().dims().to_vec(),
                is_buffer: self.path.is_buffer(),
            });
        }
    }
    let mut visitor = Visitor { path: NamePath::default(), found: Vec::new() };
    model.visit(&mut visitor);
    visitor.found
}

/// Number of values an optimizer may train: all float tensors but the running statistics.
///
/// # Parity
/// `sum(p.numel() for p in model.parameters())` in PyTorch. (Burn's `num_params` counts the statistics too.)
pub fn parameter_count<M: Module>(model: &M) -> usize {
    let trained = parameter_names(model).into_iter().filter(|named| !named.is_buffer);
    trained.map(|named| named.shape.iter().product::<usize>()).sum()
}
