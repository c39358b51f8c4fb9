//! Arguments of the commands that score and look at models and rates.

use super::run::{ExperimentArguments, MachineArguments};
use crate::device::DeviceChoice;
use clap::{Args, ValueEnum};
use kiln_analysis::cam::CamMethod;
use kiln_analysis::metrics::Mean;
use kiln_trainer::{Sweep, TestTimeAugmentation, View};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct EvaluateArguments {
    /// The run directories.
    #[arg(required = true, value_name = "RUN")]
    pub(crate) runs: Vec<PathBuf>,
    /// Where the pictures are now, if they have moved.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Average the predictions for several views of each picture; several kinds multiply.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "KIND")]
    pub(crate) tta: Vec<TtaName>,
    #[command(flatten)]
    pub(crate) together: EnsembleArguments,
    /// Fit a temperature to the validation set, which `predict` and `export` use from then on.
    #[arg(long, conflicts_with = "tta")]
    pub(crate) fit_temperature: bool,
    #[command(flatten)]
    pub(crate) machine: MachineArguments,
    /// Print the scores as JSON: an object for one run, an array for several.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Several predictions as one.
#[derive(Debug, Args)]
pub(crate) struct EnsembleArguments {
    /// Also score the runs together, by the mean of their predictions.
    #[arg(long)]
    pub(crate) ensemble: bool,
    /// What is averaged, over views and over runs.
    #[arg(long, value_enum, default_value_t = MeanName::Probabilities)]
    pub(crate) mean: MeanName,
    /// Weigh the runs of an ensemble by their top-1 on the validation set.
    #[arg(long, requires = "ensemble")]
    pub(crate) by_accuracy: bool,
}

impl EvaluateArguments {
    /// The views of each picture, the plain one first.
    pub(crate) fn views(&self) -> Vec<View> {
        let asked = |name| self.tta.contains(&name);
        let augmentation = TestTimeAugmentation {
            flip: asked(TtaName::Flip),
            five_crop: asked(TtaName::FiveCrop),
            multi_scale: asked(TtaName::MultiScale),
        };
        augmentation.views()
    }
}

/// Kinds of views.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TtaName {
    /// The mirror image.
    Flip,
    /// Four corners and the centre.
    FiveCrop,
    /// 7/8, 8/8 and 9/8 of the size.
    MultiScale,
}

/// What is averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MeanName {
    /// The probabilities.
    Probabilities,
    /// The logits.
    Logits,
}

impl From<MeanName> for Mean {
    fn from(name: MeanName) -> Self {
        match name {
            MeanName::Probabilities => Self::Probabilities,
            MeanName::Logits => Self::Logits,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct CompareArguments {
    /// Run directories, or experiments, for their newest runs in `runs/`; the others are compared with the first.
    #[arg(required = true, num_args = 2.., value_name = "RUN")]
    pub(crate) runs: Vec<PathBuf>,
    /// The page.
    #[arg(long, value_name = "FILE", default_value = "comparison.html")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct WatchArguments {
    /// The run directory.
    pub(crate) run: PathBuf,
    /// Port on this machine; 0: any that is free.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) port: u16,
}

#[derive(Debug, Args)]
pub(crate) struct LrFindArguments {
    // CONFIG may also be the directory of a run, for its settings; its report then shows the test.
    #[command(flatten)]
    pub(crate) experiment: ExperimentArguments,
    #[command(flatten)]
    pub(crate) machine: MachineArguments,
    /// The stage whose settings are used [default: the first].
    #[arg(long, value_name = "NAME")]
    pub(crate) stage: Option<String>,
    /// Rate of the first step.
    #[arg(long, value_name = "LR", default_value_t = 1e-7)]
    pub(crate) start: f64,
    /// Where the rates end.
    #[arg(long, value_name = "LR", default_value_t = 10.0)]
    pub(crate) end: f64,
    /// Optimizer steps.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) steps: u64,
    /// How the rate grows from step to step.
    #[arg(long, value_enum, default_value_t = SweepName::Exponential)]
    pub(crate) sweep: SweepName,
    /// The plot.
    #[arg(long, value_name = "FILE", default_value = "lr-find.svg")]
    pub(crate) plot: PathBuf,
    /// Print nothing but the `--set` option that puts the suggested rate into the experiment.
    #[arg(long, conflicts_with = "json")]
    pub(crate) apply: bool,
    /// The rule whose rate `--apply` takes.
    #[arg(long, value_enum, default_value_t = RuleName::Valley)]
    pub(crate) rule: RuleName,
    /// Print the steps and the suggestions as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Ways to raise the rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SweepName {
    /// By the same factor.
    Exponential,
    /// By the same amount.
    Linear,
}

impl From<SweepName> for Sweep {
    fn from(name: SweepName) -> Self {
        match name {
            SweepName::Exponential => Self::Exponential,
            SweepName::Linear => Self::Linear,
        }
    }
}

/// Rules that suggest a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RuleName {
    /// Two thirds into the longest fall of the loss.
    Valley,
    /// Where the loss falls most steeply.
    Steep,
    /// A tenth of the rate with the lowest loss.
    Minimum,
    /// The last rate before the slope changes on its way up.
    Slide,
}

#[derive(Debug, Args)]
pub(crate) struct GradCamArguments {
    /// The run directory, for its best weights, and pictures to explain.
    #[arg(required = true, value_name = "RUN|IMAGE")]
    pub(crate) paths: Vec<PathBuf>,
    /// Also the N validation pictures that are recognised with the highest probability.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) best: usize,
    /// Also the N validation pictures that are mistaken with the highest probability.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) worst: usize,
    /// How the maps are made.
    #[arg(long, value_enum, default_value_t = CamName::GradCam)]
    pub(crate) method: CamName,
    /// The class to explain [default: the one predicted]; without any pictures, the first of its validation pictures.
    #[arg(long, value_name = "CLASS")]
    pub(crate) class: Option<String>,
    /// The stage of the network whose maps are used, such as `layer3` [default: the last with
    /// maps of at least 4 x 4].
    #[arg(long, value_name = "STAGE")]
    pub(crate) layer: Option<String>,
    /// Where validation pictures are now, if they have moved.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Folder for the overlays and the page [default: RUN/grad-cam].
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Where to compute: flex, cuda:INDEX, wgpu:KIND:INDEX, vulkan, metal or auto; see `kiln devices`.
    #[arg(long, default_value = "flex")]
    pub(crate) device: DeviceChoice,
    /// Print what was found as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Ways to make class activation maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the names are the papers'")]
pub(crate) enum CamName {
    GradCam,
    GradCamPlusPlus,
    HiresCam,
    XgradCam,
    LayerCam,
    EigenCam,
    ScoreCam,
    AblationCam,
}

impl From<CamName> for CamMethod {
    fn from(name: CamName) -> Self {
        match name {
            CamName::GradCam => Self::GradCam,
            CamName::GradCamPlusPlus => Self::GradCamPlusPlus,
            CamName::HiresCam => Self::HiresCam,
            CamName::XgradCam => Self::XgradCam,
            CamName::LayerCam => Self::LayerCam,
            CamName::EigenCam => Self::EigenCam,
            CamName::ScoreCam => Self::ScoreCam,
            CamName::AblationCam => Self::AblationCam,
        }
    }
}
