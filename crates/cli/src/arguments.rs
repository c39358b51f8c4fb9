//! The command line.

use crate::bench::Mode;
use crate::device::DeviceName;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Trains image classifiers.
#[derive(Debug, Parser)]
#[command(name = "kiln", version, about, max_term_width = 100)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Log what the libraries do.
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Train an experiment in a new run directory.
    Train(TrainArguments),
    /// Continue a run from its newest checkpoint.
    Resume(ResumeArguments),
    /// Score a run's best checkpoint on its validation set.
    Evaluate(EvaluateArguments),
    /// Classify pictures with a run's best checkpoint, or with a file of weights.
    Predict(PredictArguments),
    /// Write a run's best weights for PyTorch and other programs.
    Export(ExportArguments),
    /// Average the weights of several runs or checkpoints.
    Average(AverageArguments),
    /// Work with files of weights.
    Weights(WeightsArguments),
    /// Write a run's report.html.
    Report(ReportArguments),
    /// Work with configurations.
    Config(ConfigArguments),
    /// Look at learning rates before training.
    Schedule(ScheduleArguments),
    /// Work with folders of pictures.
    Data(DataArguments),
    /// Measure loader, training step and memory; see `docs/results.md`.
    #[command(hide = true)]
    Bench(BenchArguments),
}

/// Where and how to compute; nothing of this changes a result on the CPU.
#[derive(Debug, Args)]
pub(crate) struct MachineArguments {
    /// Where to compute.
    #[arg(long, value_enum, default_value_t = DeviceName::Flex)]
    pub(crate) device: DeviceName,
    /// Threads that decode and augment pictures [default: one for each processor].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) workers: Option<u16>,
    /// Print nothing but results and errors.
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// An experiment and what is laid over it.
#[derive(Debug, Args)]
pub(crate) struct ExperimentArguments {
    /// An experiment file, or the name of one in `configs/`.
    pub(crate) config: PathBuf,
    /// Folder of pictures; sets `data.source.path`.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// An overlay file, or the name of one in `overlays/` beside the experiment; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub(crate) overlay: Vec<PathBuf>,
    /// One setting, such as `stage.train.batch.micro=8`; may be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct TrainArguments {
    #[command(flatten)]
    pub(crate) experiment: ExperimentArguments,
    #[command(flatten)]
    pub(crate) machine: MachineArguments,
    /// The run directory; must not exist [default: runs/NAME-NNN].
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print the plan, try one pass of each stage, write its first pictures as NAME-STAGE.png into --out [default: .],
    /// and train nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ResumeArguments {
    /// The run directory.
    pub(crate) run: PathBuf,
    /// Where the pictures are now, if they have moved.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) machine: MachineArguments,
}

#[derive(Debug, Args)]
pub(crate) struct EvaluateArguments {
    /// The run directory.
    pub(crate) run: PathBuf,
    /// Where the pictures are now, if they have moved.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) machine: MachineArguments,
    /// Print the scores as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PredictArguments {
    /// The run directory, unless there is --weights, and pictures to classify.
    #[arg(required = true, value_name = "RUN|IMAGE")]
    pub(crate) paths: Vec<PathBuf>,
    /// A file of weights instead of a run: `.pth`, `.pt` or `.safetensors`.
    #[arg(long, value_name = "FILE")]
    pub(crate) weights: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) model: ModelArguments,
    /// Classes to name for each picture.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) top: u16,
    /// Print the logits of all classes instead.
    #[arg(long, conflicts_with = "top")]
    pub(crate) logits: bool,
    /// Where to compute.
    #[arg(long, value_enum, default_value_t = DeviceName::Flex)]
    pub(crate) device: DeviceName,
    /// Print the predictions as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a file of weights is and was trained on. What is left out is the file's card, or torchvision's for the model.
#[derive(Debug, Args)]
pub(crate) struct ModelArguments {
    /// The model's name, such as `resnet50`; without it the tensors show it.
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// One of the model's settings, such as `constants=tensorflow`; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", requires = "model")]
    pub(crate) model_set: Vec<String>,
    /// Whose names the tensors have; without it they show.
    #[arg(long, value_enum)]
    pub(crate) layout: Option<LayoutName>,
    /// Side of the square input, in pixels.
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(1..=16_384))]
    pub(crate) size: Option<u32>,
    /// The shorter side becomes size / ratio before the centre is cropped.
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    pub(crate) crop_ratio: Option<f64>,
    /// The filter of that resize.
    #[arg(long, value_enum)]
    pub(crate) interpolation: Option<FilterName>,
    /// Mean of each channel, such as `0.485,0.456,0.406`.
    #[arg(long, value_name = "R,G,B", value_parser = channels)]
    pub(crate) mean: Option<Channels>,
    /// Standard deviation of each channel.
    #[arg(long, value_name = "R,G,B", value_parser = deviations)]
    pub(crate) std: Option<Channels>,
    /// Names of the classes, one on each line.
    #[arg(long, value_name = "FILE")]
    pub(crate) class_names: Option<PathBuf>,
}

impl ModelArguments {
    /// Whether any of them is there.
    pub(crate) fn is_given(&self) -> bool {
        self.model.is_some()
            || self.layout.is_some()
            || self.size.is_some()
            || self.crop_ratio.is_some()
            || self.interpolation.is_some()
            || self.mean.is_some()
            || self.std.is_some()
            || self.class_names.is_some()
    }
}

/// A number for each channel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Channels(pub(crate) [f32; 3]);

fn channels(text: &str) -> Result<Channels, String> {
    let numbers: Vec<f32> = text
        .split(',')
        .map(|part| part.trim().parse().ok().filter(|number: &f32| number.is_finite()))
        .collect::<Option<_>>()
        .ok_or("expected three numbers")?;
    let numbers = numbers.try_into().map_err(|_| "expected three numbers")?;
    Ok(Channels(numbers))
}

fn deviations(text: &str) -> Result<Channels, String> {
    let found = channels(text)?;
    if found.0.iter().all(|std| *std > 0.0) { Ok(found) } else { Err("must be above 0".to_owned()) }
}

fn ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok().filter(|ratio| *ratio > 0.0 && *ratio <= 1.0);
    ratio.ok_or_else(|| "must be above 0 and at most 1".to_owned())
}

/// Names of tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LayoutName {
    /// `features.0.0.weight`.
    Torchvision,
    /// `conv_stem.weight`.
    Timm,
}

impl From<LayoutName> for kiln_models::Layout {
    fn from(name: LayoutName) -> Self {
        match name {
            LayoutName::Torchvision => Self::Torchvision,
            LayoutName::Timm => Self::Timm,
        }
    }
}

/// Filters that weights were trained with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FilterName {
    /// Linear weights.
    Bilinear,
    /// Cubic weights.
    Bicubic,
}

impl From<FilterName> for kiln_augment::Interpolation {
    fn from(name: FilterName) -> Self {
        match name {
            FilterName::Bilinear => Self::Bilinear,
            FilterName::Bicubic => Self::Bicubic,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct AverageArguments {
    /// Run directories, for their best weights, and folders of checkpoints; all of one model and its classes.
    #[arg(required = true, num_args = 2.., value_name = "RUN|CHECKPOINT")]
    pub(crate) inputs: Vec<PathBuf>,
    /// From the best one down, take only weights that do not lower the average's accuracy.
    #[arg(long)]
    pub(crate) greedy: bool,
    /// Where the pictures of the first input's run are now, if they have moved.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The safetensors file to write, with its card.
    #[arg(long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) machine: MachineArguments,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// The run directory.
    pub(crate) run: PathBuf,
    /// How the file is written.
    #[arg(long, value_enum, default_value_t = ExportFormat::Safetensors)]
    pub(crate) format: ExportFormat,
    /// Whose names the tensors get.
    #[arg(long, value_enum, default_value_t = LayoutName::Torchvision)]
    pub(crate) layout: LayoutName,
    /// The file; its card goes beside it as `.json` [default: RUN/model.safetensors].
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Formats of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// Hugging Face's safetensors.
    Safetensors,
}

#[derive(Debug, Args)]
pub(crate) struct WeightsArguments {
    #[command(subcommand)]
    pub(crate) command: WeightsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WeightsCommand {
    /// List a file's tensors and say which model they are.
    Inspect {
        /// A `.pth`, `.pt` or `.safetensors` file.
        file: PathBuf,
        /// Print the list as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write a file of weights as safetensors, with a card for its pictures and classes.
    Convert(ConvertArguments),
    /// Download published weights and write them as safetensors, with their card.
    Fetch(FetchArguments),
    /// Name the published weights that `fetch` knows.
    List {
        /// Only names that contain this.
        filter: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct FetchArguments {
    /// The weights' name, such as `resnet50.imagenet1k_v2`.
    pub(crate) name: String,
    /// Folder for downloads [default: `weights` in `KILN_CACHE`, or `kiln/weights` in the user's cache folder].
    #[arg(long, value_name = "DIR")]
    pub(crate) cache: Option<PathBuf>,
    /// An address that has the same files, instead of the publisher's.
    #[arg(long, value_name = "URL")]
    pub(crate) mirror: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ConvertArguments {
    /// A `.pth`, `.pt` or `.safetensors` file.
    pub(crate) input: PathBuf,
    /// The `.safetensors` file to write.
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) model: ModelArguments,
    /// Whose names the tensors get.
    #[arg(long, value_enum, default_value_t = LayoutName::Torchvision)]
    pub(crate) to_layout: LayoutName,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// The run directory.
    pub(crate) run: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigArguments {
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print the experiment with all layers merged.
    Show(ExperimentArguments),
}

#[derive(Debug, Args)]
pub(crate) struct ScheduleArguments {
    #[command(subcommand)]
    pub(crate) command: ScheduleCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ScheduleCommand {
    /// Print the rates of every stage and of rules with rates of their own.
    Show {
        #[command(flatten)]
        experiment: ExperimentArguments,
        /// Steps of each stage to show, evenly spread.
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(2..))]
        rows: u16,
        /// Print every step as JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DataArguments {
    #[command(subcommand)]
    pub(crate) command: DataCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Count classes, sizes and formats and find broken pictures.
    Describe {
        /// The folder.
        folder: PathBuf,
        /// Print the description as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Render a folder of generated pictures.
    Synth {
        /// The folder; made if it does not exist.
        folder: PathBuf,
        /// Training pictures.
        #[arg(long, default_value_t = 2000)]
        train: u32,
        /// Validation pictures.
        #[arg(long, default_value_t = 500)]
        val: u32,
        /// Classes, from 2 to 10.
        #[arg(long, default_value_t = 10)]
        classes: u32,
        /// Side of the square pictures, in pixels.
        #[arg(long, default_value_t = 96)]
        side: u32,
        /// Source of all randomness.
        #[arg(long, default_value_t = 42)]
        seed: u64,
    },
}

#[derive(Debug, Args)]
pub(crate) struct BenchArguments {
    #[command(subcommand)]
    pub(crate) command: BenchCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Images/s of decode, random resized crop 224, flip and normalise, for one and two workers.
    Loader {
        /// Folder of pictures.
        #[arg(long)]
        data: PathBuf,
    },
    /// Bytes that the index of a folder takes for each picture.
    Memory {
        /// Folder of pictures.
        #[arg(long)]
        data: PathBuf,
    },
    /// Images/s of the trainer's loop against its bare step: ResNet-18, batch 32 at 128 px.
    Loop {
        /// Folder of pictures.
        #[arg(long)]
        data: PathBuf,
    },
    /// Step time and peak memory with a frozen network under the classifier, against training all.
    Frozen,
    /// Training steps and inference of several networks and sizes with fast and reference kernels, in turns.
    Step {
        /// Measure PyTorch in the same turns, both memory layouts.
        #[arg(long)]
        peers: bool,
        /// The Python that has torch and torchvision.
        #[arg(long, value_name = "FILE", default_value = "python3")]
        python: PathBuf,
        /// Turns; the median is over all of their steps.
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
        rounds: u16,
        /// Only this case, such as `resnet18@128`; may be repeated.
        #[arg(long, value_name = "CASE")]
        only: Vec<String>,
    },
    /// One measurement of `step`, as JSON: a process of its own, so that its peak memory is its own.
    #[command(hide = true)]
    StepOnce {
        /// The model's name.
        #[arg(long)]
        network: String,
        /// Side of the pictures.
        #[arg(long)]
        size: usize,
        /// Pictures in a step.
        #[arg(long)]
        batch: usize,
        /// What is timed.
        #[arg(long, value_enum)]
        mode: Mode,
        /// `fast` or `reference`.
        #[arg(long)]
        kernels: String,
        /// Steps that count.
        #[arg(long)]
        steps: usize,
    },
}
