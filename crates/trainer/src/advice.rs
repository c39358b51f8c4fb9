//! Advice on fine-tuning by the size of the data. It is offered, never applied.

use crate::plan::StagePlan;
use crate::spec::ExperimentSpec;

/// What the recipe of fine-tuning in stages says about `pictures` training pictures, in lines; nothing for other runs.
pub(crate) fn advice(spec: &ExperimentSpec, stages: &[StagePlan], pictures: u32) -> Vec<String> {
    let fine_tunes = spec.weights.is_some() && stages.iter().any(StagePlan::freezes_any);
    let Some(second) = stages.get(1).filter(|_| fine_tunes) else { return Vec::new() };
    let (name, epochs) = (&second.name, second.epochs);
    let set = |epochs: u32| format!("--set stage.{name}.run_for.epochs={epochs}");
    let line = match pictures {
        ..500 if epochs > 20 => {
            format!("20 epochs of stage {name} instead of {epochs} may do ({})", set(20))
        }
        5001.. if stages.len() < 3 => {
            "a third stage may do better, as in the experiment `unfreeze-three`".to_owned()
        }
        2001..=5000 if epochs < 45 => {
            format!("45 epochs of stage {name} instead of {epochs} may do better ({})", set(45))
        }
        _ => return Vec::new(),
    };
    vec![
        format!("advice: for {pictures} training pictures, {line}"),
        "advice: if the loss jumps, divide the rates by 2 to 5; if it falls too slowly, multiply them by 1.5 to 2"
            .to_owned(),
    ]
}
