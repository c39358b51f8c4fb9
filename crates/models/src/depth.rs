//! How deep in a network its parameters are.

use crate::catalog::Network;
use crate::names::parameter_names;
use burn::module::ParamId;
use std::collections::{BTreeSet, HashMap};

impl Network {
    /// The layer of each parameter, counted back from the last: 0 for the classifier, 1 for the last block, ..., the stem's
    /// number being the highest. A block is a layer, and so is the stem; a last convolution belongs to the last block.
    ///
    /// # Parity
    /// The groups of timm's `param_groups_layer_decay`, whose rate of a layer is `layer_decay` to the power of this number.
    pub fn layers_from_end(&self) -> HashMap<ParamId, u32> {
        let head = self.head_prefix();
        let is_efficientnet = matches!(self, Self::EfficientNet(_));
        let place = |name: &str| -> Option<Place> {
            if name.starts_with(head) {
                return None;
            }
            let mut numbers = name.split('.').skip(1).map_while(|part| part.parse().ok());
            let mut parts = || numbers.next().unwrap_or(0);
            Some(match name.strip_prefix("layer") {
                // `layer2.0.conv1.weight`
                Some(rest) => {
                    let layer = rest.split('.').next().and_then(|number| number.parse().ok());
                    (layer.unwrap_or(0), parts())
                }
                // `features.3.1.block.0.0.weight`; 0 is the stem and has no blocks, nor has the last.
                None if is_efficientnet => match parts() {
                    0 => (0, 0),
                    stage => (stage, parts()),
                },
                None => (0, 0),
            })
        };
        let named: Vec<_> = parameter_names(self)
            .into_iter()
            .filter(|named| !named.is_buffer)
            .map(|named| (named.id, place(&named.name)))
            .collect();
        let mut places: BTreeSet<Place> = named.iter().filter_map(|(_, place)| *place).collect();
        if is_efficientnet {
            // The last convolution goes with the block before it.
            places.retain(|(stage, _)| *stage < 8);
        }
        let numbers: HashMap<Place, u32> = places.into_iter().rev().zip(1..).collect();
        let number =
            |place: Option<Place>| place.map_or(0, |place| *numbers.get(&place).unwrap_or(&1));
        named.into_iter().map(|(id, place)| (id, number(place))).collect()
    }
}

/// Stage and block, in the order of the network; the stem is the first.
type Place = (u32, u32);
