//! The command line.

mod analysis;
mod benches;
mod command;
mod model;
mod run;

pub(crate) use analysis::{
    CompareArguments, EvaluateArguments, GradCamArguments, LrFindArguments, RuleName,
    WatchArguments,
};
pub(crate) use benches::{BenchArguments, BenchCommand, DeviceCheckArguments, TortureArguments};
pub(crate) use command::{
    Arguments, AverageArguments, Command, ConfigArguments, ConfigCommand, ConvertArguments,
    DataArguments, DataCommand, DevicesArguments, ExportArguments, ExportFormat, FetchArguments,
    PredictArguments, ReportArguments, ScheduleArguments, ScheduleCommand, WeightsCommand,
};
pub(crate) use model::ModelArguments;
pub(crate) use run::{
    Conduct, ExperimentArguments, MachineArguments, ResumeArguments, TrainArguments,
};
