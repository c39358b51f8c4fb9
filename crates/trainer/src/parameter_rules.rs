//! Which parameters of a stage learn, and how fast.

use burn::module::ParamId;
use kiln_models::{Freeze, Named, Network, parameter_names};
use kiln_optim_schedules::ParameterGroup;
use regex::Regex;
use serde::{Deserialize, Serialize};

/// One rule of a stage's `params`. The first rule whose `path` matches a parameter's state-dict name counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterRule {
    /// A regular expression, such as `^layer4\.`.
    pub path: String,
    /// What stays as it is; absent: nothing, the parameter learns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freeze: Option<Freeze>,
    /// Learning rate over the schedule's, above 0; absent: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lr_scale: Option<f64>,
    /// Weight decay, at least 0; absent: the optimizer's, or none where the stage spares norms and biases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
}

impl ParameterRule {
    fn check(&self) -> Result<(), String> {
        if self.lr_scale.is_some_and(|scale| !(scale > 0.0 && scale.is_finite())) {
            return Err("lr_scale must be above 0".to_owned());
        }
        if self.weight_decay.is_some_and(|decay| !(decay >= 0.0 && decay.is_finite())) {
            return Err("weight_decay must be at least 0".to_owned());
        }
        let learns = self.lr_scale.is_some() || self.weight_decay.is_some();
        if self.freeze.is_some() && learns {
            return Err("what is frozen has no lr_scale and no weight_decay".to_owned());
        }
        Ok(())
    }
}

/// A stage's rules. Without any, everything learns.
#[derive(Debug, Default)]
pub(crate) struct ParameterRules {
    rules: Vec<(Regex, ParameterRule)>,
    /// The layer of the configuration that they are from.
    origin: String,
}

/// What is wrong with rules: the rule's number, if it is one's fault, and the problem.
pub(crate) type Fault = (Option<usize>, String);

impl ParameterRules {
    pub(crate) fn compile(rules: &[ParameterRule], origin: String) -> Result<Self, Fault> {
        let compile = |(number, rule): (usize, &ParameterRule)| {
            rule.check().map_err(|problem| (Some(number), problem))?;
            match Regex::new(&rule.path) {
                Ok(path) => Ok((path, rule.clone())),
                Err(error) => Err((Some(number), error.to_string())),
            }
        };
        Ok(Self { rules: rules.iter().enumerate().map(compile).collect::<Result<_, _>>()?, origin })
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Every parameter has a rule, every rule has a parameter, and something learns.
    pub(crate) fn check(&self, network: &Network) -> Result<(), Fault> {
        if self.rules.is_empty() {
            return Ok(());
        }
        let mut used = vec![false; self.rules.len()];
        for Named { name, .. } in learnable(network) {
            match self.rules.iter().position(|(path, _)| path.is_match(&name)) {
                Some(rule) => used[rule] = true,
                None => return Err((None, format!("no rule matches `{name}`"))),
            }
        }
        if self.rules.iter().all(|(_, rule)| rule.freeze.is_some()) {
            return Err((None, "nothing learns: every rule freezes".to_owned()));
        }
        match used.iter().position(|used| !used) {
            Some(rule) => {
                let path = self.rules[rule].0.as_str();
                let problem = format!("`{path}` matches no parameter that no rule before it takes");
                Err((Some(rule), problem))
            }
            None => Ok(()),
        }
    }

    /// The network with the frozen parts frozen and all others learning.
    pub(crate) fn apply(&self, network: Network) -> Network {
        network.frozen(|name| self.freeze(name))
    }

    /// Number of values that learn.
    pub(crate) fn learning(&self, network: &Network) -> usize {
        learnable(network)
            .filter(|named| self.freeze(&named.name).is_none())
            .map(|named| named.shape.iter().product::<usize>())
            .sum()
    }

    /// The rules that learn at a rate of their own, and that over the schedule's.
    pub(crate) fn scaled(&self) -> impl Iterator<Item = (&str, f64)> {
        self.rules.iter().filter_map(|(_, rule)| Some((rule.path.as_str(), rule.lr_scale?)))
    }

    /// How the updates of each parameter differ. Norms and biases, which have one dimension, are spared the weight decay
    /// unless `decay_norm_and_bias` or their rule says otherwise.
    pub(crate) fn groups(
        &self,
        network: &Network,
        decay_norm_and_bias: bool,
        layer_decay: f64,
    ) -> Vec<(ParamId, ParameterGroup)> {
        let layers = network.layers_from_end();
        let of_head = network.head_parameters();
        let group = |named: Named| {
            let rule = self.rule(&named.name);
            let spared = named.shape.len() < 2 && !decay_norm_and_bias;
            let weight_decay = rule.and_then(|rule| rule.weight_decay);
            let group = ParameterGroup {
                lr_scale: rule.and_then(|rule| rule.lr_scale).unwrap_or(1.0)
                    * layer_decay.powf(f64::from(layers[&named.id])),
                weight_decay: weight_decay.or(spared.then_some(0.0)),
                is_rest: of_head.contains(&named.id),
            };
            (named.id, group)
        };
        learnable(network).map(group).collect()
    }

    /// Whether the batch norm of the running tensor `name` is frozen with its statistics.
    pub(crate) fn keeps_statistics(&self, name: &str) -> bool {
        let norm = name.rsplit_once('.').map_or("", |(norm, _)| norm);
        self.freeze(&format!("{norm}.weight")) == Some(Freeze::WeightsAndStats)
    }

    /// Whether any rule freezes.
    pub(crate) fn freezes_any(&self) -> bool {
        self.rules.iter().any(|(_, rule)| rule.freeze.is_some())
    }

    /// Whether the parameter stays as it is.
    pub(crate) fn freezes(&self, name: &str) -> bool {
        self.freeze(name).is_some()
    }

    fn freeze(&self, name: &str) -> Option<Freeze> {
        self.rule(name).and_then(|rule| rule.freeze)
    }

    fn rule(&self, name: &str) -> Option<&ParameterRule> {
        self.rules.iter().find(|(path, _)| path.is_match(name)).map(|(_, rule)| rule)
    }
}

pub(crate) fn learnable(network: &Network) -> impl Iterator<Item = Named> {
    parameter_names(network).into_iter().filter(|named| !named.is_buffer)
}
