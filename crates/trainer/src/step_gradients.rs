//! The gradients of one optimizer step, from its pictures.
//!
//! `accumulate` micro-batches are mixed if the stage says so and go forward and backward, each in one pass, or in several
//! where the device has no memory for one.

use crate::checkpoint::TrainState;
use crate::device_read::on_device;
use crate::error::Error;
use crate::feed::{Feed, Loaded};
use crate::observer::Observer;
use crate::optimizer_step::Stepper;
use crate::plan::StagePlan;
use crate::spec::Precision;
use crate::statistics_share::StatisticsShare;
use crate::tally::Tally;
use crate::training_pictures::{MicroBatch, labels};
use crate::watchdog::Phase;
use burn::tensor::Tensor;
use kiln_models::{Network, RunningStatistics};
use kiln_optim_schedules::Gradients;
use std::time::Instant;

/// The sum of a step's gradients, times the scale of the loss.
#[derive(Default)]
pub(crate) struct StepGradients {
    pub(crate) gradients: Gradients,
    /// Their Euclidean norm.
    pub(crate) norm: f64,
    /// The pictures that they are of.
    pub(crate) tally: Tally,
    /// Whether every loss and gradient is a number. In f16 it may not be; in other formats that is an error.
    pub(crate) finite: bool,
    /// What this rank's micro-batches add to batch norm's statistics, if there are other ranks that add theirs.
    pub(crate) statistics: Option<Tensor<1>>,
}

/// A step's gradients in the making.
#[derive(Default)]
struct Attempt {
    sum: StepGradients,
    /// The pictures so far.
    indices: Vec<u32>,
    /// Memory for one picture.
    kept: Vec<f32>,
    statistics: Option<StatisticsShare>,
}

impl Stepper {
    /// The gradients of the step at `state`, which counts its pictures: of all ranks' pictures.
    ///
    /// When the device runs out of memory, the step begins again with passes half as large, and so does every step of the
    /// stage after it. Weights have not been touched by then, and batch norm's statistics are put back.
    pub(crate) fn step_gradients(
        &self,
        stage: &StagePlan,
        mut network: Network,
        state: &mut TrainState,
        batches: &mut Feed,
        observer: &mut dyn Observer,
    ) -> Result<(Network, StepGradients), Error> {
        let before = state.clone();
        let statistics = RunningStatistics::of(&network);
        loop {
            let own = self.try_gradients(stage, &network, &statistics, state, batches);
            let too_many = stage.pictures_in_pass(&self.device, state.halvings);
            // Ranks whose norms wait for each other cannot begin a step again on their own.
            let again = too_many > 1 && self.sync.is_none();
            let reason = match own {
                Err(Error::OutOfMemory { reason }) if again => reason,
                own => {
                    let (network, step) =
                        self.with_the_others(stage, network, state, &statistics, own)?;
                    state.count(&step.tally);
                    return Ok((network, step));
                }
            };
            *state = TrainState { halvings: state.halvings + 1, ..before.clone() };
            let fewer = stage.pictures_in_pass(&self.device, state.halvings);
            let step = stage.step(state) + 1;
            observer.note(&format!(
                "the device is out of memory with {too_many} pictures in a pass ({reason}): step {step} of stage {} begins \
                 again with {fewer}, of as many pictures in all as before",
                stage.name
            ));
            network = statistics.put_back(network);
            // With what it has on the device already.
            *batches = self.train.epoch(stage, state);
            self.device.memory_cleanup();
        }
    }

    fn try_gradients(
        &self,
        stage: &StagePlan,
        network: &Network,
        before: &RunningStatistics,
        state: &mut TrainState,
        batches: &mut Feed,
    ) -> Result<StepGradients, Error> {
        let mut attempt = Attempt::default();
        attempt.sum.finite = true;
        if !self.train.ranks.is_alone() && self.sync.is_none() {
            attempt.statistics = StatisticsShare::new(before, network.batch_norm_momentum());
        }
        let mut failed = None;
        for micro in self.train.micro_batches(stage, state) {
            if failed.is_some() {
                self.run_norms_for_the_others(stage, network, state)?;
                continue;
            }
            let done = self.add_micro_batch(stage, network, micro, (state, batches), &mut attempt);
            // Ranks whose norms wait for each other go through all rounds of a step together.
            match done {
                Err(error) if self.sync.is_none() => return Err(error),
                done => failed = done.err(),
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        if let Some(sync) = &self.sync {
            sync.check()?;
        }
        let Attempt { mut sum, indices, statistics, .. } = attempt;
        sum.statistics = statistics.and_then(StatisticsShare::finish);
        sum.norm = on_device(sum.gradients.global_norm())?;
        sum.finite &= sum.norm.is_finite();
        stage.check_norm(&sum, state, &self.in_words(&indices))?;
        Ok(sum)
    }

    /// Takes a micro-batch forward and backward.
    fn add_micro_batch(
        &self,
        stage: &StagePlan,
        network: &Network,
        micro: MicroBatch,
        (state, batches): (&mut TrainState, &mut Feed),
        Attempt { sum, indices, kept, statistics }: &mut Attempt,
    ) -> Result<(), Error> {
        let batch = if micro.is_own { self.next_batch(state, batches) } else { Ok(None) };
        sum.tally.bad_images += match &batch {
            Ok(Some(batch)) => batch.bad as u64,
            _ => 0,
        };
        let batch = match batch {
            Ok(Some(batch)) if !batch.labels.is_empty() => batch,
            nothing => {
                self.run_norms_for_the_others(stage, network, state)?;
                return nothing.map(drop);
            }
        };
        let is_f16 = stage.precision == Precision::F16;
        let scale = stage.loss_scale(state);
        let device = self.device.clone().autodiff();
        let in_pass = self.pictures_in_pass(stage, state);
        self.train.seed_dropout(state, micro.number);
        let draw = self.train.draw(stage, state, micro.number, (batch.labels.len(), batch.size));
        let labels = labels(&batch.labels, draw.as_ref());
        indices.extend(&batch.indices);
        let (first, all) = (indices.len() - labels.len(), labels.len());
        let mut input = batch.into_input(draw, kept);
        for (pass, labels) in labels.chunks(in_pass).enumerate() {
            let begin = pass * in_pass;
            let input = input.part(begin..begin + labels.len(), &device);
            let logits = network.forward(input.cast(stage.precision.dtype()));
            let loss = stage.loss.sum(logits.clone(), labels, &device);
            let scaled = if scale == 1.0 { loss.clone() } else { loss.clone() * scale };
            // Before anything is read: only a backward pass frees what autodiff keeps of the forward pass, and a
            // smaller attempt after a failed one needs that memory.
            let pass = scaled.backward();
            self.prepare_next(state, batches);
            let value: f32 = on_device(loss.try_into_data())?.iter::<f32>().sum();
            if !value.is_finite() && !is_f16 {
                let names = self.in_words(&indices[first + begin..][..labels.len()]);
                let (number, all) = (micro.number + 1, stage.shape.accumulate());
                let what =
                    format!("the loss of micro-batch {number} of {all} ({names}) is {value}");
                return Err(stage.diverged(state, what));
            }
            if !value.is_finite() {
                // A map overflowed: the step will be left out, and so are its pictures.
                sum.finite = false;
                continue;
            }
            let logits: Vec<f32> =
                on_device(logits.inner().try_into_data())?.iter::<f32>().collect();
            sum.tally.add(&logits, labels, f64::from(value));
            sum.gradients.add(pass, network);
        }
        if let Some(statistics) = statistics {
            let passes = |pictures: usize| pictures.div_ceil(in_pass);
            statistics.observe(network, passes(all), micro.pictures_behind().map(passes).sum());
        }
        Ok(())
    }

    /// Pictures that go through the network together: a whole micro-batch where norms are to see it whole.
    fn pictures_in_pass(&self, stage: &StagePlan, state: &TrainState) -> usize {
        match self.sync {
            Some(_) => usize::MAX,
            None => stage.pictures_in_pass(&self.device, state.halvings) as usize,
        }
    }

    /// Where norms are synchronised, those of the other ranks wait for this one's, though it has no picture for them.
    fn run_norms_for_the_others(
        &self,
        stage: &StagePlan,
        network: &Network,
        state: &TrainState,
    ) -> Result<(), Error> {
        let Some(sync) = &self.sync else { return Ok(()) };
        sync.set_silent(true);
        let size = stage.train_recipe(state.epoch).size;
        let shape = [1, 3, size.height as usize, size.width as usize];
        let logits = network.forward(Tensor::zeros(shape, &self.device.clone().autodiff()));
        // Of every weight, and zero.
        let _ = (logits.sum() * 0.0).backward();
        sync.set_silent(false);
        Ok(sync.check()?)
    }

    /// The next micro-batch, and in `state` the time that it was waited for.
    fn next_batch(
        &self,
        state: &mut TrainState,
        batches: &mut Feed,
    ) -> Result<Option<Loaded>, Error> {
        self.watchdog.enter(Phase::Pictures);
        let began = Instant::now();
        let batch = batches.next().transpose()?;
        state.waited_for_data(began.elapsed().as_secs_f64());
        self.watchdog.enter(Phase::Step);
        Ok(batch)
    }

    /// Has the micro-batch after this one brought to a device that is busy with this one. The time counts as waiting, though
    /// the device may have work for a part of it: a loader that is too slow shows nowhere else.
    fn prepare_next(&self, state: &mut TrainState, batches: &mut Feed) {
        self.watchdog.enter(Phase::Pictures);
        let began = Instant::now();
        batches.prepare_next();
        state.waited_for_data(began.elapsed().as_secs_f64());
        self.watchdog.enter(Phase::Step);
    }

    /// Some pictures, for people who look for the one that is to blame.
    fn in_words(&self, indices: &[u32]) -> String {
        const NAMED: usize = 3;
        let names = indices.iter().take(NAMED).map(|&index| self.train.listing.name(index));
        let names = names.collect::<Vec<_>>().join(", ");
        match indices.len().saturating_sub(NAMED) {
            0 => names,
            more => format!("{names} and {more} more"),
        }
    }
}

impl StagePlan {
    /// Whether the gradients are numbers, outside of f16, where that is no error.
    pub(crate) fn check_norm(
        &self,
        sum: &StepGradients,
        state: &TrainState,
        pictures: &str,
    ) -> Result<(), Error> {
        if sum.finite || self.precision == Precision::F16 {
            return Ok(());
        }
        let norm = sum.norm;
        let what = format!("the norm of the gradients of a batch ({pictures}) is {norm}");
        Err(self.diverged(state, what))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use crate::device_read::injected;
    use crate::spec::{Layer, Layers};
    use crate::{Destination, Error, Observer, RunSettings, begin};
    use burn::tensor::Device;
    use kiln_models::WeightsFile;
    use std::path::Path;

    const EXPERIMENT: &str = r#"
        seed = 7
        stages = ["only"]
        [data]
        source = { type = "synth", train = 64, val = 8, classes = 4, side = 32 }
        [model]
        type = "resnet20"
        [common]
        size = 32
        run_for = { epochs = 1 }
        pipeline = [{ type = "random_resized_crop" }]
        optimizer = { type = "sgd" }
        schedule = { type = "constant", lr = 0.05 }
    "#;

    #[derive(Default)]
    struct Notes(Vec<String>);

    impl Observer for Notes {
        fn note(&mut self, line: &str) {
            self.0.push(line.to_owned());
        }
    }

    /// All weights and statistics after an epoch of 64 pictures, and what was said.
    fn train(batch: &str, failing_reads: &[u64]) -> Result<(Vec<Vec<f32>>, String), Error> {
        let folder = tempfile::tempdir().unwrap();
        let mut layers = Layers::with_defaults().unwrap();
        layers.push(Layer::from_toml("test", EXPERIMENT).unwrap());
        let extra =
            format!("data.cache = '{}'\ncommon.batch = {batch}", folder.path().join("c").display());
        layers.push(Layer::from_toml("extra", &extra).unwrap());
        let settings = RunSettings::new(Device::flex(), 1);
        let destination = Destination::Exactly(folder.path().join("run"));
        let mut notes = Notes::default();
        injected::fail(failing_reads);
        begin("test", &layers, &destination, &settings, &mut notes)?;
        let sets = std::fs::read_dir(folder.path().join("run/checkpoints")).unwrap();
        let last = sets.map(|entry| entry.unwrap().path()).max().unwrap();
        Ok((weights(&last), notes.0.join("\n")))
    }

    fn weights(set: &Path) -> Vec<Vec<f32>> {
        let file = WeightsFile::open(&set.join("model.safetensors")).unwrap();
        file.tensors.keys().map(|name| file.read(name).unwrap()).collect()
    }

    #[test]
    fn a_step_that_finds_no_memory_is_done_with_smaller_passes() {
        let halves = train("{ micro = 4, accumulate = 2 }", &[]).unwrap().0;
        let whole = train("{ micro = 8 }", &[]).unwrap().0;
        assert_ne!(halves, whole, "batch norm sees other batches");
        // A step reads a loss, logits, and, after the backward pass, the norm of the gradients.
        for read in [0, 1, 2] {
            let (found, said) = train("{ micro = 8 }", &[read]).unwrap();
            assert_eq!(found, halves, "read {read}");
            let line = "out of memory with 8 pictures in a pass (out of device memory allocating 64 bytes): step 1 of \
                        stage only begins again with 4,";
            assert!(said.contains(line), "{said}");
        }
        let quarters = train("{ micro = 2, accumulate = 4 }", &[]).unwrap().0;
        // The second failure is that of the second pass of the second attempt.
        assert_eq!(train("{ micro = 8 }", &[2, 5]).unwrap().0, quarters);
        // The second micro-batch of a step: both begin again.
        assert_eq!(train("{ micro = 4, accumulate = 2 }", &[2]).unwrap().0, quarters);
    }

    #[test]
    fn an_automatic_micro_batch_is_the_whole_step_until_memory_ends() {
        // Two steps of 32, which is what the CPU takes at once.
        let fixed = train("{ micro = 32 }", &[]).unwrap().0;
        assert_eq!(train("{ micro = 'auto' }", &[]).unwrap().0, fixed);
        let halves = train("{ micro = 16, accumulate = 2 }", &[]).unwrap().0;
        assert_eq!(train("{ micro = 'auto' }", &[1]).unwrap().0, halves);
        // One step of 64, of which batch norm sees 32 at a time.
        let pair = train("{ micro = 32, accumulate = 2 }", &[]).unwrap().0;
        assert_eq!(train("{ micro = 'auto', accumulate = 2 }", &[]).unwrap().0, pair);
    }

    #[test]
    fn memory_for_not_even_one_picture_is_an_error() {
        let error = train("{ micro = 4 }", &[0, 1, 2]).unwrap_err();
        assert!(matches!(error, Error::OutOfMemory { .. }), "{error}");
        assert_eq!(error.exit_code(), 1);
    }
}
