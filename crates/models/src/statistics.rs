//! Batch norm's running statistics, computed anew.

use crate::catalog::Network;
use crate::names::NamePath;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;
use std::collections::HashMap;

/// Batch norm's running statistics as they are, to go back to them.
#[derive(Debug)]
pub struct RunningStatistics {
    /// By the running tensor's id.
    tensors: HashMap<ParamId, Tensor<1>>,
    /// The ids in the network's order.
    order: Vec<ParamId>,
}

impl RunningStatistics {
    /// Those of `network`.
    pub fn of(network: &Network) -> Self {
        let (tensors, order) = Default::default();
        let mut collect = Collect { path: NamePath::default(), found: Self { tensors, order } };
        // `valid` brings the running tensors up to date.
        network.valid().visit(&mut collect);
        collect.found
    }

    /// All of them, one after the other in the network's order; none for a network without batch norm.
    ///
    /// # Shapes
    /// `[values]`.
    pub fn joined(&self) -> Option<Tensor<1>> {
        let tensors = self.order.iter().filter_map(|id| self.tensors.get(id).cloned());
        let tensors: Vec<Tensor<1>> = tensors.collect();
        (!tensors.is_empty()).then(|| Tensor::cat(tensors, 0))
    }

    /// The statistics of the same network that are, [joined](Self::joined), these.
    ///
    /// # Shapes
    /// `[values]`.
    pub fn with_values(&self, joined: &Tensor<1>) -> Self {
        let mut begin = 0;
        let (mut tensors, order) = (self.tensors.clone(), self.order.clone());
        for id in &order {
            if let Some(tensor) = tensors.get_mut(id) {
                let end = begin + tensor.dims()[0];
                *tensor = joined.clone().narrow(0, begin, end - begin);
                begin = end;
            }
        }
        Self { tensors, order }
    }

    /// `network`, which is on an autodiff device, with these statistics instead of its own.
    pub fn put_back(&self, network: Network) -> Network {
        // `valid` brings the running tensors up to date; what waits in them would come over the old values otherwise.
        let _ = network.valid();
        network.map(&mut Put { tensors: &self.tensors })
    }
}

/// A pass over pictures after which a network's running statistics are the plain means of those of the batches, instead of
/// averages in which old batches fade. A mean of several networks' weights needs it: its maps have other statistics than
/// theirs.
///
/// # Parity
/// `torch.optim.swa_utils.update_bn`.
#[derive(Debug)]
pub struct StatisticsPass {
    network: Network,
    /// Of the batches so far, by the running tensor's id.
    means: HashMap<ParamId, Tensor<1>>,
    batches: u32,
}

impl StatisticsPass {
    /// A pass for `network`, which is on an autodiff device. Its batch norms normalise by the batch unless they are frozen
    /// with their statistics; those of which `is_kept` is true, asked by the running tensor's name, keep what they have.
    pub fn new(network: Network, is_kept: impl Fn(&str) -> bool) -> Self {
        let mut find = Find { path: NamePath::default(), is_kept, means: HashMap::new() };
        let network = network.no_grad().map(&mut find);
        Self { network, means: find.means, batches: 0 }
    }

    /// Takes the statistics of a batch into the means.
    ///
    /// # Shapes
    /// `[batch, channels, height, width]`, on the network's device.
    pub fn observe(mut self, pictures: Tensor<4>) -> Self {
        // From zero a batch leaves `momentum` times its own statistics.
        let network = self.network.map(&mut Reset { means: &self.means });
        network.forward(pictures);
        self.batches += 1;
        let share = 1.0 / f64::from(self.batches);
        let scale = 1.0 / network.batch_norm_momentum();
        // `valid` brings the running tensors up to date.
        let mut take = Take { means: &mut self.means, share, scale };
        network.valid().visit(&mut take);
        self.network = network;
        self
    }

    /// The network with the statistics of all batches, or with those it came with if there were none.
    pub fn finish(self) -> Network {
        if self.batches == 0 {
            return self.network;
        }
        self.network.map(&mut Put { tensors: &self.means })
    }
}

struct Find<F> {
    path: NamePath,
    is_kept: F,
    means: HashMap<ParamId, Tensor<1>>,
}

impl<F: Fn(&str) -> bool> ModuleMapper for Find<F> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.path.is_buffer() && !(self.is_kept)(&self.path.name()) {
            self.means.insert(param.id, flat(&param).inner().zeros_like());
        }
        param
    }
}

struct Reset<'a> {
    means: &'a HashMap<ParamId, Tensor<1>>,
}

impl ModuleMapper for Reset<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !self.means.contains_key(&param.id) {
            return param;
        }
        param.map(|current| current.zeros_like())
    }
}

struct Take<'a> {
    means: &'a mut HashMap<ParamId, Tensor<1>>,
    share: f64,
    scale: f64,
}

impl ModuleVisitor for Take<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(mean) = self.means.remove(&param.id) {
            let found = flat(param) * self.scale;
            self.means.insert(param.id, mean.clone() + (found - mean) * self.share);
        }
    }
}

struct Collect {
    path: NamePath,
    found: RunningStatistics,
}

impl ModuleVisitor for Collect {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.path.is_buffer() {
            self.found.order.push(param.id);
            self.found.tensors.insert(param.id, flat(param));
        }
    }
}

struct Put<'a> {
    tensors: &'a HashMap<ParamId, Tensor<1>>,
}

impl ModuleMapper for Put<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(tensor) = self.tensors.get(&param.id) else { return param };
        param.map(|current| Tensor::from_inner(tensor.clone()).reshape(current.dims()))
    }
}

fn flat<const D: usize>(param: &Param<Tensor<D>>) -> Tensor<1> {
    let tensor = param.base();
    let count = tensor.dims().iter().product::<usize>();
    tensor.reshape([count])
}
