//! The commands, and the arguments of those that do not train.

use super::analysis::{
    CompareArguments, EvaluateArguments, GradCamArguments, LrFindArguments, WatchArguments,
};
use super::benches::{BenchArguments, DeviceCheckArguments, TortureArguments};
use super::model::{LayoutName, ModelArguments};
use super::run::{ExperimentArguments, MachineArguments, ResumeArguments, TrainArguments};
use crate::device::DeviceChoice;
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
    /// Score the best checkpoints of runs on their validation set.
    Evaluate(EvaluateArguments),
    /// Classify pictures with a run's best checkpoint, or with a file of weights.
    Predict(PredictArguments),
    /// Write a run's best weights for PyTorch and other programs.
    Export(ExportArguments),
    /// Average the weights of several runs or checkpoints.
    Average(AverageArguments),
    /// Work with files of weights.
    Weights(WeightsArguments),
    /// Try rates from very low to very high for a few steps of an experiment or a run, and suggest one.
    LrFind(LrFindArguments),
    /// Show which parts of pictures speak for a class.
    GradCam(GradCamArguments),
    /// Write a run's report.html.
    Report(ReportArguments),
    /// Compare runs, picture by picture.
    Compare(CompareArguments),
    /// Serve a run's report to a browser on this machine while it trains.
    Watch(WatchArguments),
    /// List the devices that this build and this machine have.
    Devices(DevicesArguments),
    /// Work with configurations.
    Config(ConfigArguments),
    /// Look at learning rates before training.
    Schedule(ScheduleArguments),
    /// Work with folders of pictures.
    Data(DataArguments),
    /// Measure loader, training step and memory; see `docs/results.md`.
    #[command(hide = true)]
    Bench(BenchArguments),
    /// Compare a device with the CPU, and measure it.
    #[command(hide = true)]
    DeviceCheck(DeviceCheckArguments),
    /// Kill trainings at random moments, continue them, and compare their ends with that of one left alone.
    #[command(hide = true)]
    Torture(TortureArguments),
}

#[derive(Debug, Args)]
pub(crate) struct DevicesArguments {
    /// Print them as JSON.
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
    /// Where to compute: flex, cuda:INDEX, wgpu:KIND:INDEX, vulkan, metal or auto; see `kiln devices`.
    #[arg(long, default_value = "flex")]
    pub(crate) device: DeviceChoice,
    /// Print the predictions as JSON.
    #[arg(long)]
    pub(crate) json: bool,
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
    /// Where the pictures are now, if they have moved.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) machine: MachineArguments,
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
