//! Which parts of a network learn.

use crate::catalog::Network;
use crate::names::NamePath;
use burn::module::{Flag, Module, ModuleMapper, Param};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// What stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Freeze {
    /// Parameters get no gradient. Batch norm still normalises by each batch and keeps its running statistics, and
    /// dropout still drops.
    Weights,
    /// Parameters get no gradient, batch norm normalises by its running statistics, which stay, and dropout, channel
    /// dropout and stochastic depth are off: the part does what it does in evaluation.
    WeightsAndStats,
}

impl Network {
    /// The same network, with the parts frozen that `rule` names and all others learning. It is asked for every
    /// parameter by its state-dict name; a batch norm follows its weight. A dropout or stochastic depth has no parameters
    /// and is asked for as `layer1.0.dropout`, by the block that it is in; what stands before the classifier belongs to
    /// it: `fc.dropout`, `classifier.dropout`.
    pub fn frozen(self, rule: impl Fn(&str) -> Option<Freeze>) -> Self {
        let head = self.head_prefix();
        self.map(&mut Mapper { path: NamePath::default(), head, rule })
    }
}

struct Mapper<F> {
    path: NamePath,
    head: &'static str,
    rule: F,
}

impl<F: Fn(&str) -> Option<Freeze>> ModuleMapper for Mapper<F> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.path.is_buffer() {
            return param;
        }
        let learns = (self.rule)(&self.path.name()).is_none();
        param.set_require_grad(learns)
    }

    fn map_flag(&mut self, param: Param<Flag>) -> Param<Flag> {
        param.with_value((self.rule)(&self.decides()) != Some(Freeze::WeightsAndStats))
    }
}

impl<F> Mapper<F> {
    /// The name whose rule decides on the flag that is being visited.
    fn decides(&self) -> String {
        let name = self.path.name();
        let mut parts: Vec<&str> = name.split('.').collect();
        // The flag's own name.
        parts.pop();
        if parts == ["classifier", "0"] {
            return "classifier.dropout".to_owned();
        }
        let all = parts.len();
        while matches!(parts.last(), Some(&"dropout" | &"stochastic_depth")) {
            parts.pop();
        }
        if parts.len() == all {
            return format!("{}.weight", parts.join("."));
        }
        // The dropout between the features and the classifier stands beside them.
        let block =
            if parts.is_empty() { self.head.trim_end_matches('.') } else { &parts.join(".") };
        format!("{block}.dropout")
    }
}
