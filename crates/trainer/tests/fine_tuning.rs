//! Runs that start from a file of weights and train parts of a network.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use burn::tensor::Device;
use kiln_models::{Layout, ModelSpec, NamedTensor, state_dict};
use kiln_trainer::{
    Destination, Error, ModelCard, Outcome, RunDirectory, Silent, begin, best_model,
    numbered_classes, weights_bytes,
};
use std::path::{Path, PathBuf};
use support::runs::{layers_of, settings};

const EXPERIMENT: &str = r#"
seed = 7
stages = ["head", "more"]
[data]
source = { type = "synth", train = 16, val = 8, classes = 4, side = 32 }
[model]
type = "resnet20"
block_dropout = 0.2
[common]
size = 32
batch = { micro = 4, accumulate = 1, drop_last = true }
run_for = { steps = 3 }
pipeline = []
loss = { label_smoothing = 0.0 }
optimizer = { type = "adamw", weight_decay = 0.1 }
schedule = { type = "constant", lr = 0.01 }
[stage.head]
params = [{ path = '^fc\.' }, { path = '.*', freeze = "weights_and_stats" }]
[stage.more]
params = [
    { path = '^fc\.' },
    { path = '^layer3\.' },
    { path = '.*', freeze = "weights_and_stats" },
]
"#;

/// The weights of a network of seven classes in `folder`, as drawn from its names.
fn pretrained(folder: &Path) -> (Vec<NamedTensor>, String) {
    let model: ModelSpec = serde_json::from_str(r#"{ "type": "resnet20" }"#).unwrap();
    let device = Device::flex();
    let source = |name: &str| -> Box<dyn FnMut() -> f64> {
        let mut state = name.bytes().fold(1_u64, |state, byte| state * 31 + u64::from(byte));
        Box::new(move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        })
    };
    let network = model.initialize(7, &device, source).unwrap();
    let path = folder.join("pretrained.safetensors");
    let card = ModelCard::preset(model, numbered_classes(7));
    let bytes = weights_bytes(&path, &network, &card, Layout::Torchvision).unwrap();
    std::fs::write(&path, bytes).unwrap();
    (state_dict(&network), path.display().to_string())
}

fn run(folder: &Path, extra: &str) -> Result<Outcome, Error> {
    let layers = layers_of(EXPERIMENT, folder, extra);
    let destination = Destination::Exactly(folder.join("run"));
    begin("test", &layers, &destination, &settings(), &mut Silent)
}

#[test]
fn stages_train_what_their_rules_say_from_a_files_weights() {
    let folder = tempfile::tempdir().unwrap();
    let (file, path) = pretrained(folder.path());
    let extra = format!("weights = {{ path = '{path}', new_head = true }}");
    assert!(matches!(run(folder.path(), &extra), Ok(Outcome::Finished { .. })));
    let (directory, _) = RunDirectory::open(&folder.path().join("run")).unwrap();
    let (network, card) = best_model(&directory, &Device::flex()).unwrap();
    assert_eq!(card.class_names.len(), 4);
    for (trained, before) in state_dict(&network).iter().zip(&file) {
        let learns = trained.name.starts_with("fc.") || trained.name.starts_with("layer3.");
        // The best checkpoint is one of either stage: what both freeze is as in the file.
        assert!(learns || trained == before, "{} moved", trained.name);
    }
    let last = weights_in(checkpoints(folder.path()).last().unwrap());
    let moved: Vec<_> = file
        .iter()
        .filter(|tensor| !tensor.name.starts_with("fc."))
        .filter(|tensor| last.read(&tensor.name).unwrap() != tensor.values)
        .map(|tensor| tensor.name.as_str())
        .collect();
    let of_layer3 = file.iter().filter(|tensor| tensor.name.starts_with("layer3."));
    assert_eq!(moved, of_layer3.map(|tensor| tensor.name.as_str()).collect::<Vec<_>>());
}

/// The checkpoint folders of the run in `folder`, oldest first.
fn checkpoints(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder.join("run/checkpoints")).unwrap();
    let mut sets: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    sets.sort();
    sets
}

fn weights_in(set: &Path) -> kiln_models::WeightsFile {
    kiln_models::WeightsFile::open(&set.join("model.safetensors")).unwrap()
}

/// The rates of the first stage's last epoch do damage, so that its best comes before.
const DAMAGED_AT_THE_END: &str = "
    model.block_dropout = 0.0
    common.optimizer = { type = 'sgd' }
    common.checkpoint = { keep_newest = 9, best_by = 'val_loss' }
    [stage.head]
    run_for = { epochs = 4 }
    params = []
    schedule = { type = 'piecewise', points = [
        { at = { epochs = 3 }, lr = 1e-3 },
        { at = { epochs = 3.25 }, lr = 2.0 },
    ] }";

#[test]
fn a_stage_starts_from_the_last_or_the_best_weights() {
    let settings = format!(
        "{DAMAGED_AT_THE_END}
        [stage.more]
        run_for = {{ steps = 1 }}
        params = []
        schedule = {{ type = 'constant', lr = 0.0 }}
        START"
    );
    for start_from in ["newest", "best"] {
        let folder = tempfile::tempdir().unwrap();
        let extra = settings.replace("START", &format!("start_from = '{start_from}'"));
        assert!(matches!(run(folder.path(), &extra), Ok(Outcome::Finished { .. })));
        let sets = checkpoints(folder.path());
        let (last, of_head) = sets.split_last().unwrap();
        let after = weights_in(last).read("fc.weight").unwrap();
        let equal: Vec<bool> =
            of_head.iter().map(|set| weights_in(set).read("fc.weight").unwrap() == after).collect();
        let state = std::fs::read_to_string(of_head.last().unwrap().join("state.json")).unwrap();
        let state: serde_json::Value = serde_json::from_str(&state).unwrap();
        let best = state["best"]["checkpoint"].as_str().unwrap();
        let newest = of_head.last().unwrap().file_name().unwrap().to_str().unwrap();
        assert_ne!(best, newest, "the test needs a best epoch before the last one");
        let expect = if start_from == "best" { best } else { newest };
        for (set, equal) in of_head.iter().zip(equal) {
            assert_eq!(equal, set.ends_with(expect), "{start_from}: {}", set.display());
        }
    }
}

#[test]
fn a_run_starts_from_another_runs_best() {
    let first = tempfile::tempdir().unwrap();
    let rest = "[stage.more]\nparams = []\nschedule = { type = 'constant', lr = 1.0 }";
    run(first.path(), &format!("{DAMAGED_AT_THE_END}\n{rest}")).unwrap();
    let (directory, _) = RunDirectory::open(&first.path().join("run")).unwrap();
    let (best, _) = best_model(&directory, &Device::flex()).unwrap();
    let best = state_dict(&best);
    let newest = weights_in(checkpoints(first.path()).last().unwrap());
    let differ = best.iter().filter(|tensor| newest.read(&tensor.name).unwrap() != tensor.values);
    assert!(differ.count() > 0, "the test needs a best before the last");
    // With a rate of 0 and all but the classifier frozen a run keeps what it starts from.
    let still = "common.optimizer = { type = 'sgd' }
        common.schedule = { type = 'constant', lr = 0.0 }
        stage.more.params = [{ path = '^fc' }, { path = '.', freeze = 'weights_and_stats' }]";
    let path = directory.path().display();
    for (take, of_best) in [("", true), (", take = 'best'", true), (", take = 'newest'", false)] {
        let second = tempfile::tempdir().unwrap();
        run(second.path(), &format!("weights = {{ path = '{path}'{take} }}\n{still}")).unwrap();
        let last = weights_in(checkpoints(second.path()).last().unwrap());
        for tensor in &best {
            let expect =
                if of_best { tensor.values.clone() } else { newest.read(&tensor.name).unwrap() };
            assert_eq!(last.read(&tensor.name).unwrap(), expect, "{take}: {}", tensor.name);
        }
    }

    let check = |weights: &str, more: &str, code: u8, message: &str| {
        let folder = tempfile::tempdir().unwrap();
        let error = run(folder.path(), &format!("weights = {weights}\n{more}")).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!(error.exit_code(), code, "{error}");
        assert!(!folder.path().join("run").exists());
    };
    let other = "data.source = { type = 'synth', train = 20, val = 10, classes = 5, side = 32 }";
    check(&format!("{{ path = '{path}' }}"), other, 5, "their classes are");
    check("{ path = '/nowhere', take = 'best' }", "", 5, "`take` is for the directory of a run");
    let empty = first.path().display();
    check(&format!("{{ path = '{empty}' }}"), "", 5, &empty.to_string());
    check(&format!("{{ path = '{path}' }}"), "model.type = 'resnet32'", 5, "they are of the model");
}

/// The values of `name` after one step of plain gradient descent under `settings`.
fn after_a_step(name: &str, settings: &str) -> Vec<f32> {
    let folder = tempfile::tempdir().unwrap();
    let extra = format!(
        "{settings}
         model.block_dropout = 0.0
         common.optimizer = {{ type = 'sgd', weight_decay = 0.5 }}
         stage.head.run_for = {{ steps = 1 }}
         stage.more = {{ params = [], schedule = {{ type = 'constant', lr = 0.0 }} }}"
    );
    assert!(matches!(run(folder.path(), &extra), Ok(Outcome::Finished { .. })));
    weights_in(checkpoints(folder.path()).last().unwrap()).read(name).unwrap()
}

#[test]
fn rules_and_dimensions_decide_rates_and_decay() {
    let of = |name: &str, rule: &str, rest: &str| {
        let params = format!("[{{ path = '^{name}$'{rule} }}, {{ path = '.' }}]");
        after_a_step(name, &format!("stage.head.params = {params}\n{rest}"))
    };
    let apart =
        |a: &[f32], b: &[f32]| -> Vec<f32> { a.iter().zip(b).map(|(a, b)| a - b).collect() };
    let largest = |values: &[f32]| values.iter().fold(0.0_f32, |most, v| most.max(v.abs()));

    // Half the rate leads half the way.
    let (zero, half, full) = (
        of("fc.weight", ", freeze = 'weights'", ""),
        of("fc.weight", ", lr_scale = 0.5", ""),
        of("fc.weight", "", ""),
    );
    let (half, full) = (apart(&half, &zero), apart(&full, &zero));
    assert!(largest(&full) > 1e-3);
    let doubled: Vec<f32> = half.iter().map(|way| way * 2.0).collect();
    assert!(largest(&apart(&doubled, &full)) < 1e-6);

    // A matrix decays, and a norm's weights, all 1 at first, only when told to.
    let decay = 0.01 * 0.5;
    let undecayed = of("fc.weight", ", weight_decay = 0.0", "");
    let expect: Vec<f32> = zero.iter().map(|value| value * -decay).collect();
    assert!(largest(&apart(&apart(&full, &apart(&undecayed, &zero)), &expect)) < 1e-6);
    let spared = of("bn1.weight", "", "");
    let decayed = of("bn1.weight", "", "common.decay_norm_and_bias = true");
    assert!(apart(&spared, &decayed).iter().all(|way| (way - decay).abs() < 1e-6));
    let by_rule = of("bn1.weight", ", weight_decay = 0.5", "");
    assert_eq!(by_rule, decayed);
}

#[test]
fn what_does_not_fit_is_said_before_anything_trains() {
    let folder = tempfile::tempdir().unwrap();
    let (_, path) = pretrained(folder.path());
    for (extra, code, message) in [
        (
            format!("weights = {{ path = '{path}', new_head = false }}"),
            5,
            "2 of another shape: `fc.weight` has [7, 64] where the model has [4, 64]",
        ),
        (
            "weights = { path = '/nowhere.pth', new_head = true }".to_owned(),
            5,
            "weights /nowhere.pth",
        ),
        (
            "stage.more.params = [{ path = '^fc' }]".to_owned(),
            2,
            "stage.more.params: no rule matches `conv1.weight`",
        ),
        (
            "stage.more.params = [{ path = '.' }, { path = '^layer9' }]".to_owned(),
            2,
            "stage.more.params[1]: `^layer9` matches no parameter that no rule before it takes",
        ),
        (
            "stage.head.start_from = 'newest'".to_owned(),
            2,
            "stage.head.start_from: must be left out of the first stage",
        ),
        (
            "common.warmup = { span = { steps = 1 } }
             common.schedule = { type = 'multi_step', lr = 0.1, milestones = [{ steps = 9 }] }"
                .to_owned(),
            2,
            "stage.head.schedule: milestones must be before the stage's end, found step 9 of 2",
        ),
        (
            "common.warmup = { span = { steps = 3 } }".to_owned(),
            2,
            "stage.head.warmup: span must be shorter than the stage, found 3 of 3 steps",
        ),
        ("stage.more.params = [{ path = '(' }]".to_owned(), 2, "stage.more.params[0]: regex"),
        (
            "stage.more.params = [{ path = '.', lr_scale = 0.0 }]".to_owned(),
            2,
            "stage.more.params[0]: lr_scale must be above 0",
        ),
        (
            "stage.more.params = [{ path = '.', freeze = 'weights', weight_decay = 0.1 }]"
                .to_owned(),
            2,
            "stage.more.params[0]: what is frozen has no lr_scale and no weight_decay",
        ),
    ] {
        let error = run(folder.path(), &extra).unwrap_err();
        assert!(error.to_string().contains(message), "{extra}: {error}");
        assert_eq!(error.exit_code(), code, "{error}");
        assert!(!folder.path().join("run").exists(), "{extra}");
    }
}
