//! A second network that follows the one that trains.

use crate::gradients::flatten;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;
use std::collections::HashMap;

/// When an average follows, and how far. Spans are in optimizer steps of the stage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// Old weights fade.
    Fading {
        /// Part of the average that an update keeps.
        decay: f64,
        /// Whether the first updates keep less.
        warmup: bool,
        /// Steps from one update to the next.
        every: u64,
    },
    /// All weights count alike.
    Even {
        /// Steps before the first span.
        start: u64,
        /// Steps from one update to the next.
        every: u64,
    },
}

impl Pace {
    /// How far the average goes towards the weights after `steps_done` steps of the stage and `updates` of its own: 0 for
    /// not at all, 1 for all the way; absent where it waits.
    pub fn part(self, steps_done: u64, updates: u64) -> Option<f64> {
        match self {
            Self::Fading { decay, warmup, every } => {
                steps_done.is_multiple_of(every).then(|| match updates {
                    0 => 1.0,
                    n if warmup => 1.0 - decay.min(1.0 - (1.0 + n as f64).powf(-2.0 / 3.0)),
                    _ => 1.0 - decay,
                })
            }
            Self::Even { start, every } => {
                let since = steps_done.saturating_sub(start);
                (since > 0 && since.is_multiple_of(every)).then(|| 1.0 / (updates as f64 + 1.0))
            }
        }
    }

    /// Whether batch norm's statistics must be computed anew, because a mean of weights has others than the mean of
    /// their statistics. Statistics that fade follow closely enough.
    pub fn needs_statistics(self) -> bool {
        matches!(self, Self::Even { .. })
    }
}

/// An average of a network's tensors, buffers included, on the plain device.
#[derive(Debug)]
pub struct Averaged<M> {
    /// The average.
    pub network: M,
    /// Networks in it.
    pub updates: u64,
}

impl<M: Module> Averaged<M> {
    /// Before the first update, which takes the weights as they are.
    pub fn new(live: &M) -> Self {
        Self { network: live.valid(), updates: 0 }
    }

    /// A second one that goes its own way; a clone of a module would share its running statistics.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self { network: self.network.valid(), updates: self.updates }
    }

    /// Moves the average by `part` of the way towards `live`, which has the same parameters.
    ///
    /// # Parity
    /// `torch.lerp`, for each tensor.
    #[must_use]
    pub fn towards(self, live: &M, part: f64) -> Self {
        let updates = self.updates + 1;
        if part == 1.0 {
            return Self { network: live.valid(), updates };
        }
        let mut collected = Collect { flat: HashMap::new() };
        live.valid().visit(&mut collected);
        let network = self.network.map(&mut Follow { live: collected.flat, part });
        Self { network, updates }
    }
}

struct Collect {
    flat: HashMap<ParamId, Tensor<1>>,
}

impl ModuleVisitor for Collect {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.flat.insert(param.id, flatten(param.base()));
    }
}

struct Follow {
    live: HashMap<ParamId, Tensor<1>>,
    part: f64,
}

impl ModuleMapper for Follow {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(live) = self.live.remove(&param.id) else { return param };
        let part = self.part;
        param.map(|average| {
            let live = live.reshape(average.dims());
            let way = live.clone() - average.clone();
            // Whichever rounds less: from the near end.
            if part < 0.5 { average + way * part } else { live - way * (1.0 - part) }
        })
    }
}
