//! Arguments of the commands that look at models and rates.

use super::run::{ExperimentArguments, MachineArguments};
use crate::device::DeviceName;
use clap::{Args, ValueEnum};
use kiln_analysis::cam::CamMethod;
use kiln_trainer::Sweep;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct LrFindArguments {
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
    /// The plot [default: lr-find.svg].
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
    /// The class to explain [default: the one predicted].
    #[arg(long, value_name = "CLASS")]
    pub(crate) class: Option<String>,
    /// The stage of the network whose maps are used, such as `layer3` [default: the last].
    #[arg(long, value_name = "STAGE")]
    pub(crate) layer: Option<String>,
    /// Where validation pictures are now, if they have moved.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Folder for the overlays and the page [default: RUN/grad-cam].
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Where to compute.
    #[arg(long, value_enum, default_value_t = DeviceName::Flex)]
    pub(crate) device: DeviceName,
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
