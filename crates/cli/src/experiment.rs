//! From the command line to the layers of an experiment.

use crate::arguments::ExperimentArguments;
use crate::exit::Usage;
use kiln_trainer::spec::{Layer, Layers};
use kiln_trainer::{RunDirectory, recorded_layers};
use std::path::{Path, PathBuf};

/// An experiment as asked for.
pub(crate) struct Experiment {
    /// The file's name without `.toml`.
    pub(crate) name: String,
    /// All layers, lowest first.
    pub(crate) layers: Layers,
    /// The overlay that was added because no data folder was given.
    pub(crate) fallback: Option<String>,
}

impl Experiment {
    /// That of a run's directory, with `--data` and `--set` over it, or of an experiment file.
    ///
    /// # Errors
    /// As [`from_arguments`](Self::from_arguments).
    pub(crate) fn of_run_or_file(arguments: &ExperimentArguments) -> anyhow::Result<Self> {
        if !arguments.config.join("run.json").is_file() {
            return Self::from_arguments(arguments);
        }
        let (directory, _) = RunDirectory::open(&arguments.config)?;
        let mut layers = recorded_layers(&directory)?;
        if let Some(folder) = &arguments.data {
            layers.push(Layer::data_folder(folder)?);
        }
        for assignment in &arguments.set {
            layers.push(Layer::from_assignment(assignment)?);
        }
        Ok(Self { name: directory.name(), layers, fallback: None })
    }

    /// Collects the layers: defaults, experiment, overlays, environment, `--data`, `--set`. Without any data folder the
    /// overlay that the experiment names in `without_data` goes right above the experiment.
    ///
    /// # Errors
    /// [`Usage`] or [`kiln_trainer::Error`] naming the layer that cannot be read.
    pub(crate) fn from_arguments(arguments: &ExperimentArguments) -> anyhow::Result<Self> {
        let file = find(&arguments.config, Path::new("configs"))?;
        let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let overlays = file.parent().unwrap_or(Path::new("")).join("overlays");
        let mut upper = Vec::new();
        for overlay in &arguments.overlay {
            upper.push(Layer::from_file(&find(overlay, &overlays)?)?);
        }
        upper.push(Layer::from_environment()?);
        if let Some(folder) = &arguments.data {
            upper.push(Layer::data_folder(folder)?);
        }
        for assignment in &arguments.set {
            upper.push(Layer::from_assignment(assignment)?);
        }

        let mut lower = Layers::with_defaults()?;
        lower.push(Layer::from_file(&file)?);
        let mut all = lower.clone();
        all.extend(upper.iter().cloned());
        let fallback = all.text("without_data").map(str::to_owned);
        let fallback = fallback.filter(|_| !all.sets("data.source.path"));
        let layers = match &fallback {
            None => all,
            Some(overlay) => {
                lower.push(Layer::from_file(&find(Path::new(overlay), &overlays)?)?);
                lower.extend(upper);
                lower
            }
        };
        Ok(Self { name: name.unwrap_or_default(), layers, fallback })
    }
}

/// `given` itself when it is a file, else `folder/given.toml`.
fn find(given: &Path, folder: &Path) -> Result<PathBuf, Usage> {
    if given.is_file() {
        return Ok(given.to_owned());
    }
    let named = folder.join(given).with_extension("toml");
    if named.is_file() {
        return Ok(named);
    }
    Err(Usage(format!("no file {} and no {}", given.display(), named.display())))
}
