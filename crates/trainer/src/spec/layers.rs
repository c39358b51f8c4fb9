//! The layers of a configuration, lowest first: defaults, experiment, overlays, environment, `--set`.
//!
//! This is the only file that calls figment.

use super::decode::{decode, decode_pipeline, with_suggestion};
use super::experiment::ExperimentSpec;
use crate::error::Error;
use figment::Figment;
use figment::providers::{Env, Format, Toml};
use serde_json::{Map, Value};
use std::path::Path;

const DEFAULTS: &str = include_str!("defaults.toml");

/// What may stand at the top of a layer.
const TOP_LEVEL: [&str; 12] = [
    "seed",
    "stages",
    "without_data",
    "data",
    "input",
    "model",
    "weights",
    "trainer",
    "pipelines",
    "common",
    "stage",
    "every_stage",
];

/// One source of settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// What error messages call it: a file's path, `environment`, `--set`.
    pub origin: String,
    values: Value,
}

impl Layer {
    /// # Errors
    /// [`Error::Unreadable`] for a syntax error, with its line.
    pub fn from_toml(origin: &str, text: &str) -> Result<Self, Error> {
        // toml's own message shows the line; figment's does not.
        if let Err(error) = text.parse::<toml::Table>() {
            let problem = error.to_string().trim_end().to_owned();
            return Err(Error::Unreadable { origin: origin.to_owned(), problem });
        }
        Self::extract(origin, &Figment::from(Toml::string(text)))
    }

    /// The folder of pictures as `data.source.path`, absolute, so that the run can be resumed from anywhere.
    ///
    /// # Errors
    /// [`Error::Unreadable`] for a path that is not UTF-8.
    pub fn data_folder(folder: &Path) -> Result<Self, Error> {
        let origin = format!("--data {}", folder.display());
        let absolute = std::path::absolute(folder).map_err(|error| error.to_string());
        let text = absolute.and_then(|path| {
            path.into_os_string()
                .into_string()
                .map_err(|_| "the path is not valid UTF-8".to_owned())
        });
        match text {
            Ok(text) => {
                let values = serde_json::json!({ "data": { "source": { "path": text } } });
                Ok(Self { origin, values })
            }
            Err(problem) => Err(Error::Unreadable { origin, problem }),
        }
    }

    /// # Errors
    /// [`Error::Unreadable`] for a file that is missing, unreadable or has a syntax error.
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        let origin = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::from_toml(&origin, &text),
            Err(error) => Err(Error::Unreadable { origin, problem: error.to_string() }),
        }
    }

    /// The environment's `KILN_*` variables: `KILN_STAGE__TRAIN__SIZE=96` is `stage.train.size = 96`.
    ///
    /// # Errors
    /// [`Error::Unreadable`] when a value cannot be parsed.
    pub fn from_environment() -> Result<Self, Error> {
        Self::extract("environment", &Figment::from(Env::prefixed("KILN_").split("__")))
    }

    /// One `KEY=VALUE`, such as `stage.train.batch.micro=8`. The value is TOML; anything else is text.
    ///
    /// # Errors
    /// [`Error::Unreadable`] without `=` or with an empty part in the key.
    pub fn from_assignment(assignment: &str) -> Result<Self, Error> {
        let origin = format!("--set {assignment}");
        let unreadable = |problem: &str| Error::Unreadable {
            origin: origin.clone(),
            problem: problem.to_owned(),
        };
        let (key, text) =
            assignment.split_once('=').ok_or_else(|| unreadable("expected KEY=VALUE"))?;
        if key.split('.').any(|part| part.trim().is_empty()) {
            return Err(unreadable("the key has an empty part"));
        }
        let values = match Self::from_toml(&origin, &format!("value = {text}")) {
            Ok(layer) => layer.values["value"].clone(),
            Err(_) => Value::String(text.to_owned()),
        };
        let nested = key.rsplit('.').fold(values, |value, part| {
            Value::Object(Map::from_iter([(part.trim().to_owned(), value)]))
        });
        Ok(Self { origin, values: nested })
    }

    fn extract(origin: &str, figment: &Figment) -> Result<Self, Error> {
        match figment.extract() {
            Ok(values) => Ok(Self { origin: origin.to_owned(), values }),
            Err(error) => {
                Err(Error::Unreadable { origin: origin.to_owned(), problem: error.to_string() })
            }
        }
    }

    /// `[common]`, `[every_stage]` and `[pipelines]` are gone before serde sees the names, so they are checked here, all of them with
    /// one message.
    fn check_top_level(&self) -> Result<(), Error> {
        let fault = |path: &str, problem: String| Error::Config {
            origin: self.origin.clone(),
            path: path.to_owned(),
            problem,
        };
        for (name, value) in self.values.as_object().into_iter().flatten() {
            if !TOP_LEVEL.contains(&name.as_str()) {
                let expected = TOP_LEVEL.map(|name| format!("`{name}`")).join(", ");
                let problem = format!("unknown field `{name}`, expected one of {expected}");
                return Err(fault(name, with_suggestion(&problem)));
            }
            if matches!(name.as_str(), "common" | "stage" | "every_stage" | "pipelines")
                && !value.is_object()
            {
                return Err(fault(name, "expected a table".to_owned()));
            }
        }
        Ok(())
    }

    /// The layer's values, those of `[every_stage]` in the table of every stage, over what the layer says of that alone.
    fn values_by_stage(&self, stages: &[String]) -> Value {
        let mut values = self.values.clone();
        let every = values.as_object_mut().and_then(|table| table.remove("every_stage"));
        if let Some(every) = every {
            let tables = stages.iter().map(|name| (name.clone(), every.clone()));
            let tables = Value::Object(tables.collect());
            merge(&mut values, serde_json::json!({ "stage": tables }));
        }
        values
    }

    pub(crate) fn get(&self, path: &[&str]) -> Option<&Value> {
        path.iter().try_fold(&self.values, |value, part| value.get(part))
    }
}

/// All layers of one configuration, lowest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Layers {
    layers: Vec<Layer>,
}

impl Layers {
    /// The embedded defaults and nothing above them.
    ///
    /// # Errors
    /// None, the defaults being part of the program and its tests.
    pub fn with_defaults() -> Result<Self, Error> {
        Ok(Self { layers: vec![Layer::from_toml("defaults", DEFAULTS)?] })
    }

    /// No layer at all: for the configuration of a run, which is complete in itself.
    pub fn empty() -> Self {
        Self { layers: Vec::new() }
    }

    /// Puts `layer` on top.
    pub fn push(&mut self, layer: Layer) {
        self.layers.push(layer);
    }

    /// Puts `layers` on top, the last one highest.
    pub fn extend(&mut self, layers: impl IntoIterator<Item = Layer>) {
        self.layers.extend(layers);
    }

    /// A top-level text value after merging, such as `without_data`.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.layers.iter().rev().find_map(|layer| layer.get(&[key])?.as_str())
    }

    /// Whether any layer above the defaults sets `path`, such as `data.source.path`.
    pub fn sets(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('.').collect();
        self.layers.iter().any(|layer| layer.get(&parts).is_some())
    }

    /// The names of the stages, from the highest layer that lists them.
    fn stage_names(&self) -> Vec<String> {
        let listed = self.layers.iter().rev().find_map(|layer| layer.get(&["stages"])?.as_array());
        listed.into_iter().flatten().filter_map(|name| Some(name.as_str()?.to_owned())).collect()
    }

    /// Merges the layers, puts `[common]` under every stage and the named pipelines in their places, and decodes the
    /// result.
    ///
    /// # Errors
    /// [`Error::Config`] naming the layer, the path and what is wrong.
    pub fn resolve(&self) -> Result<ExperimentSpec, Error> {
        let listed = self.stage_names();
        let mut merged = Value::Object(Map::new());
        for layer in &self.layers {
            layer.check_top_level()?;
            merge(&mut merged, layer.values_by_stage(&listed));
        }
        let mut take = |name: &str| {
            let table = merged.as_object_mut().and_then(|table| table.remove(name));
            table.unwrap_or_else(|| Value::Object(Map::new()))
        };
        let (common, pipelines) = (take("common"), take("pipelines"));
        for (name, pipeline) in pipelines.as_object().into_iter().flatten() {
            decode_pipeline(pipeline).map_err(|(path, problem)| {
                self.fault(&format!("pipelines.{name}{path}"), problem)
            })?;
        }
        if merged.get("stage").is_none() {
            merged["stage"] = Value::Object(Map::new());
        }
        for name in &listed {
            let own =
                merged["stage"].get(name).cloned().unwrap_or_else(|| Value::Object(Map::new()));
            let mut stage = common.clone();
            merge(&mut stage, own);
            if let Some(named) = stage.get("pipeline").and_then(Value::as_str) {
                let pipeline = pipelines.get(named).ok_or_else(|| {
                    let names: Vec<_> =
                        pipelines.as_object().into_iter().flat_map(Map::keys).collect();
                    let path = format!("stage.{name}.pipeline");
                    self.fault(&path, unknown_pipeline(named, &names))
                })?;
                stage["pipeline"] = pipeline.clone();
            }
            if let Some(stages) = merged["stage"].as_object_mut() {
                stages.insert(name.clone(), stage);
            }
        }
        if let Some(stray) =
            merged["stage"].as_object().and_then(|t| t.keys().find(|key| !listed.contains(key)))
        {
            let problem = format!("not one of `stages` ({})", listed.join(", "));
            return Err(self.fault(&format!("stage.{stray}"), problem));
        }
        decode(&merged).map_err(|(path, problem)| self.fault(&path, problem))
    }

    /// An error at `path`, with the origin of the value there.
    pub fn fault(&self, path: &str, problem: String) -> Error {
        Error::Config { origin: self.origin_of(path), path: path.to_owned(), problem }
    }

    /// The highest layer that sets `path`, or the nearest table around it. A stage's setting may come from
    /// `[every_stage]` or `[common]`.
    pub(crate) fn origin_of(&self, path: &str) -> String {
        let plain = path.split(" (").next().unwrap_or(path);
        let mut parts: Vec<&str> =
            plain.split('.').map(|part| part.split('[').next().unwrap_or(part)).collect();
        while !parts.is_empty() {
            let (every, common) = match parts.as_slice() {
                ["stage", _, rest @ ..] if !rest.is_empty() => {
                    ([&["every_stage"], rest].concat(), [&["common"], rest].concat())
                }
                _ => (parts.clone(), parts.clone()),
            };
            let sets = |layer: &&Layer| layer.get(&parts).is_some() || layer.get(&every).is_some();
            let own = self.layers.iter().rev().find(sets);
            let from_common =
                || self.layers.iter().rev().find(|layer| layer.get(&common).is_some());
            if let Some(layer) = own.or_else(from_common) {
                return layer.origin.clone();
            }
            parts.pop();
        }
        self.layers
            .iter()
            .map(|layer| layer.origin.as_str())
            .nth(1)
            .or(self.layers.first().map(|layer| layer.origin.as_str()))
            .unwrap_or("configuration")
            .to_owned()
    }
}

/// What is wrong with the name of a pipeline that `[pipelines]` does not have.
fn unknown_pipeline(named: &str, names: &[&String]) -> String {
    if names.is_empty() {
        return format!("expected a list of ops, found \"{named}\" and no [pipelines]");
    }
    let expected: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let expected = expected.join(", ");
    with_suggestion(&format!("unknown variant `{named}`, expected one of {expected}")).replacen(
        "unknown variant",
        "unknown pipeline",
        1,
    )
}

/// Puts `over` on top of `base`: tables merge key by key, everything else is replaced. A table that names another
/// `type`, or a span in another unit, replaces the one below whole, whose settings would make no sense in it.
fn merge(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) if !replaces(base, &over) => {
            for (key, value) in over {
                merge(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over,
    }
}

fn replaces(base: &Map<String, Value>, over: &Map<String, Value>) -> bool {
    let is_span = |table: &Map<String, Value>| {
        table.len() == 1
            && table
                .keys()
                .all(|key| matches!(key.as_str(), "epochs" | "steps" | "fraction" | "minutes"))
    };
    let other_type = over.get("type").is_some_and(|kind| base.get("type") != Some(kind));
    (other_type && base.contains_key("type")) || (is_span(base) && is_span(over))
}
