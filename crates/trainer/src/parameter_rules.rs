//! Which parameters of a stage learn.

use kiln_models::{Freeze, Named, Network, parameter_names};
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
}

/// A stage's rules. Without any, everything learns.
#[derive(Debug, Default)]
pub(crate) struct ParameterRules {
    rules: Vec<(Regex, Option<Freeze>)>,
    /// The layer of the configuration that they are from.
    origin: String,
}

/// What is wrong with rules: the rule's number, if it is one's fault, and the problem.
pub(crate) type Fault = (Option<usize>, String);

impl ParameterRules {
    pub(crate) fn compile(rules: &[ParameterRule], origin: String) -> Result<Self, Fault> {
        let compile = |(number, rule): (usize, &ParameterRule)| match Regex::new(&rule.path) {
            Ok(path) => Ok((path, rule.freeze)),
            Err(error) => Err((Some(number), error.to_string())),
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
        if self.rules.iter().all(|(_, freeze)| freeze.is_some()) {
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

    fn freeze(&self, name: &str) -> Option<Freeze> {
        self.rules.iter().find(|(path, _)| path.is_match(name)).and_then(|(_, freeze)| *freeze)
    }
}

fn learnable(network: &Network) -> impl Iterator<Item = Named> {
    parameter_names(network).into_iter().filter(|named| !named.is_buffer)
}
