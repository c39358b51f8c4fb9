//! From merged values to the experiment, with errors that say where and what was probably meant.

use super::experiment::ExperimentSpec;
use kiln_augment::OpSpec;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The experiment, or the path and the problem.
pub(super) fn decode(merged: &Value) -> Result<ExperimentSpec, (String, String)> {
    decode_any(merged)
}

/// One of `[pipelines]`, or the path inside of it and the problem.
pub(super) fn decode_pipeline(pipeline: &Value) -> Result<Vec<OpSpec>, (String, String)> {
    decode_any(pipeline)
}

fn decode_any<T: DeserializeOwned>(merged: &Value) -> Result<T, (String, String)> {
    serde_path_to_error::deserialize(merged).map_err(|error| {
        let path = error.path().to_string();
        let problem = error.into_inner().to_string();
        let path = match kind_at(merged, &path) {
            Some(kind) => format!("{path} ({kind})"),
            None => path,
        };
        (path, with_suggestion(&problem))
    })
}

/// The `type` of the table at `path`, whose fields serde reports without their names.
fn kind_at<'a>(merged: &'a Value, path: &str) -> Option<&'a str> {
    let mut parts = path.split(['.', '[', ']']).filter(|part| !part.is_empty());
    let table = parts.try_fold(merged, |value, part| match part.parse::<usize>() {
        Ok(index) => value.get(index),
        Err(_) => value.get(part),
    })?;
    table.get("type")?.as_str()
}

/// Adds `did you mean` to serde's messages about unknown names.
pub(super) fn with_suggestion(problem: &str) -> String {
    let mut quoted = problem.split('`').skip(1).step_by(2);
    let unknown = problem.starts_with("unknown field") || problem.starts_with("unknown variant");
    let Some(wrong) = quoted.next().filter(|_| unknown) else { return problem.to_owned() };
    let nearest = quoted
        .map(|name| (strsim::jaro_winkler(wrong, name), name))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(likeness, _)| *likeness > 0.75);
    match nearest {
        Some((_, name)) => format!("{problem}; did you mean `{name}`?"),
        None => problem.to_owned(),
    }
}
