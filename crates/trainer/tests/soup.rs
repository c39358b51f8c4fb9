//! Averages over runs and checkpoints, and what a run would do.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use burn::tensor::Device;
use kiln_models::state_dict;
use kiln_trainer::spec::Layers;
use kiln_trainer::{
    Destination, RunDirectory, Silent, SoupKind, average, begin, best_model, preview,
};
use std::path::{Path, PathBuf};
use support::runs::{layers_of, settings};

const EXPERIMENT: &str = r#"
seed = 7
[data]
source = { type = "synth", train = 32, val = 16, classes = 4, side = 32 }
[model]
type = "resnet20"
[common]
size = 32
batch = { micro = 8 }
run_for = { epochs = 2 }
pipeline = [{ type = "random_horizontal_flip" }]
optimizer = { type = "adam" }
schedule = { type = "constant", lr = 0.003 }
checkpoint = { keep_newest = 9 }
mixing = { cutmix_alpha = 1.0 }
"#;

fn layers(folder: &Path, extra: &str) -> Layers {
    layers_of(EXPERIMENT, folder, extra)
}

fn run(folder: &Path, name: &str, extra: &str) -> PathBuf {
    let path = folder.join(name);
    let destination = Destination::Exactly(path.clone());
    begin("test", &layers(folder, extra), &destination, &settings(), &mut Silent).unwrap();
    path
}

#[test]
fn a_soup_has_mean_weights_and_statistics_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    // The same pictures, another order and other crops.
    let (one, other) = (
        run(folder.path(), "one", ""),
        run(folder.path(), "other", "common.loss.label_smoothing = 0.1"),
    );
    let inputs = [one.clone(), other.clone()];
    let soup = average(&inputs, SoupKind::Uniform, None, &settings(), &mut Silent).unwrap();
    let weights = |run: &Path| {
        let (directory, _) = RunDirectory::open(run).unwrap();
        state_dict(&best_model(&directory, &Device::flex()).unwrap().0)
    };
    let (first, second) = (weights(&one), weights(&other));
    for ((mean, first), second) in state_dict(&soup.network).iter().zip(&first).zip(&second) {
        let values = mean.values.iter().zip(first.values.iter().zip(&second.values));
        let is_mean = values.map(|(mean, (a, b))| (mean - f32::midpoint(*a, *b)).abs() < 1e-6);
        let is_statistic = mean.name.contains("running_");
        assert_eq!(is_mean.min(), Some(!is_statistic), "{}", mean.name);
    }
    assert!(soup.ingredients.iter().all(|ingredient| ingredient.taken));

    // Averaging changed neither of them: alone each scores what its run did.
    let again = average(&inputs, SoupKind::Greedy, None, &settings(), &mut Silent).unwrap();
    let scores = |soup: &kiln_trainer::Soup, path: &Path| {
        soup.ingredients.iter().find(|ingredient| ingredient.path == *path).unwrap().scores
    };
    for path in [&one, &other] {
        let (directory, _) = RunDirectory::open(path).unwrap();
        let records = directory.records().unwrap();
        let best = records.iter().map(|record| record.val_top1).fold(0.0, f64::max);
        assert_eq!(scores(&soup, path).val_top1, best);
        assert_eq!(scores(&again, path), scores(&soup, path));
        // The greedy one is no worse than any.
        assert!(again.scores.val_top1 >= best);
    }
}

#[test]
fn a_checkpoint_is_an_ingredient_and_others_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let one = run(folder.path(), "one", "");
    let checkpoint = one.join("checkpoints/stage01-epoch0001-step00000004");
    let inputs = [checkpoint.clone(), checkpoint.clone()];
    let soup = average(&inputs, SoupKind::Uniform, None, &settings(), &mut Silent).unwrap();
    assert_eq!(soup.ingredients.len(), 2);
    let other = run(folder.path(), "other", "model.type = 'resnet32'\ncommon.run_for.epochs = 1");
    let refused = |input: &Path| {
        let inputs = [one.clone(), input.to_owned()];
        let error =
            average(&inputs, SoupKind::Uniform, None, &settings(), &mut Silent).unwrap_err();
        assert_eq!(error.exit_code(), 5);
        error.to_string()
    };
    assert!(refused(&other).contains("is of the model {\"type\":\"resnet32\"}"));
    assert!(
        refused(folder.path()).ends_with("neither a run's directory nor one of its checkpoints")
    );
}

#[test]
fn advice_goes_by_the_size_of_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let one = run(folder.path(), "one", "common.run_for.epochs = 1");
    let weights = format!("weights.path = '{}'", one.display());
    let advice = |extra: &str| {
        let stages = "stages = ['head', 'more']\nstage.head.params = [{ path = '^fc' }, { path = '.', freeze = 'weights' }]\nstage.more = {}";
        let layers = layers(folder.path(), &format!("{stages}\n{weights}\n{extra}"));
        preview(&layers, &settings(), &mut Silent).unwrap().1
    };
    let long = advice("common.run_for.epochs = 30");
    assert!(
        long[0].contains("for 32 training pictures, 20 epochs of stage more instead of 30"),
        "{long:?}"
    );
    assert_eq!(advice("common.run_for.epochs = 20"), Vec::<String>::new());
}

#[test]
fn a_preview_shows_what_the_first_step_sees_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let weights = "stages = ['train', 'more']\nstage.more.params = [{ path = '^fc', lr_scale = 0.5 }, { path = '.', freeze = 'weights' }]\nstage.train.params = [{ path = '.' }]";
    let layers = layers(folder.path(), weights);
    let (stages, advice) = preview(&layers, &settings(), &mut Silent).unwrap();
    assert_eq!(advice, Vec::<String>::new(), "nothing was pretrained");
    let [train, more] = &stages[..] else { panic!("two stages") };
    assert_eq!((train.learning, more.learning), (train.parameters, 64 * 4 + 4));
    assert_eq!((train.pictures.len(), train.labels.len()), (8, 8));
    assert!(train.labels.iter().any(|label| label.class != label.partner), "cutmix");
    // Adam keeps two numbers for each that learns.
    assert_eq!(train.memory.optimizer, 8 * train.learning as u64);
    assert_eq!(more.memory.optimizer, 8 * more.learning as u64);
    assert!(folder.path().read_dir().unwrap().all(|entry| entry.unwrap().file_name() == "cache"));
}
