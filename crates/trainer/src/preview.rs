//! What a run would do, before it does it: every stage's parameters, first pictures and memory.

use crate::advice::advice;
use crate::checkpoint::TrainState;
use crate::device_memory::{device_memory_bytes, memory_before};
use crate::device_read::on_device;
use crate::error::Error;
use crate::observer::Observer;
use crate::parameter_rules::learnable;
use crate::plan::{self, StagePlan};
use crate::prepared::Prepared;
use crate::run::RunSettings;
use crate::spec::Layers;
use crate::training_pictures::{TrainingPictures, labels};
use burn::tensor::{DType, Tensor, TensorData};
use kiln_augment::Image8;
use kiln_augment::mix::{Layout, MixedLabel};
use kiln_data::Batch;
use kiln_models::{Network, parameter_count};
use kiln_optim_schedules::Gradients;

/// A stage as it would begin.
#[derive(Debug)]
pub struct Preview {
    /// Its plan.
    pub plan: StagePlan,
    /// Values that learn.
    pub learning: usize,
    /// All values.
    pub parameters: usize,
    /// The first micro-batch as the network sees it, mixed, but for the normalisation.
    pub pictures: Vec<Image8>,
    /// What they show.
    pub labels: Vec<MixedLabel>,
    /// Where the memory goes.
    pub memory: MemoryEstimate,
}

/// Bytes that a stage takes, beside the pictures that wait to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryEstimate {
    /// Weights and running statistics, once more if they are averaged.
    pub weights: u64,
    /// What the optimizer keeps.
    pub optimizer: u64,
    /// Pictures in a forward and backward pass.
    pub pictures_in_pass: u32,
    /// Gradients and what the backward pass needs: by how much one such pass at the stage's
    /// full size raised the peak memory of the device, or of this process on the CPU; absent where neither tells.
    pub pass: Option<u64>,
}

/// The stages of an experiment with their first pictures, after one forward and backward pass of each at its full size that
/// is thrown away; and advice by the size of the data. Only the cache of chosen subsets and generated pictures is written.
///
/// # Errors
/// Those of beginning a run, and of a pass.
pub fn preview(
    layers: &Layers,
    settings: &RunSettings,
    observer: &mut dyn Observer,
) -> Result<(Vec<Preview>, Vec<String>), Error> {
    let spec = layers.resolve()?;
    plan::check(&spec, layers)?;
    let prepared = Prepared::new(spec, layers, observer)?;
    prepared.check_precision(&settings.device)?;
    let device = settings.device.clone().autodiff();
    let mut network = prepared.initial_network(&device, observer)?;
    network = network.with_kernels(prepared.spec.trainer.kernels);
    prepared.check_rules(&network)?;
    let advice = advice(&prepared.spec, &prepared.stages, prepared.train.count());
    let train = prepared.training_pictures(settings);
    let mut previews = Vec::new();
    for (index, plan) in prepared.stages.into_iter().enumerate() {
        network = plan.params.apply(network);
        let (shown, labels) = first_batch(&plan, &train, index)?;
        let (pictures_in_pass, pass) = pass_bytes(&plan, &network, &train, index, settings)?;
        let memory = MemoryEstimate {
            weights: weight_bytes(&network) * if plan.average.is_some() { 2 } else { 1 },
            optimizer: optimizer_bytes(&plan, &network)?,
            pictures_in_pass,
            pass,
        };
        let (learning, parameters) = (plan.params.learning(&network), parameter_count(&network));
        previews.push(Preview { plan, learning, parameters, pictures: shown, labels, memory });
    }
    Ok((previews, advice))
}

/// The first micro-batch of a stage, mixed, and what its pictures show.
pub(crate) fn first_batch(
    plan: &StagePlan,
    train: &TrainingPictures,
    index: usize,
) -> Result<(Vec<Image8>, Vec<MixedLabel>), Error> {
    let state = TrainState { stage: index, ..TrainState::default() };
    let mut batch = match train.host_batches(plan, &state).next() {
        Some(batch) => batch?,
        None => return Err(no_picture(plan)),
    };
    if batch.labels.is_empty() {
        return Err(no_picture(plan));
    }
    let draw = train.draw(plan, &state, 0, (batch.len(), batch.size));
    if let Some(draw) = &draw {
        draw.apply(&mut batch.images, batch.size, Layout::Planar, &mut Vec::new());
    }
    let labels = labels(&batch.labels, draw.as_ref());
    Ok((shown(plan, &batch.images, batch.size), labels))
}

/// Pictures in a pass of the last epoch, whose pictures are the largest, and the memory that it takes. Where there is not
/// enough, fewer pictures are tried, as in training.
fn pass_bytes(
    plan: &StagePlan,
    network: &Network,
    train: &TrainingPictures,
    index: usize,
    settings: &RunSettings,
) -> Result<(u32, Option<u64>), Error> {
    let mut halvings = 0;
    loop {
        let in_pass = plan.pictures_in_pass(&settings.device, halvings);
        let state = TrainState { stage: index, epoch: plan.epochs - 1, ..TrainState::default() };
        let Some(batch) = train.host_batches(plan, &state).next() else {
            return Ok((in_pass, None));
        };
        let first = batch?.split(in_pass as usize).into_iter().next();
        let Some(batch) = first.filter(|batch| !batch.is_empty()) else {
            return Ok((in_pass, None));
        };
        match try_pass(plan, network, batch, &state, (train, settings)) {
            Ok(bytes) => return Ok((in_pass, bytes)),
            Err(Error::OutOfMemory { .. }) if in_pass > 1 => halvings += 1,
            Err(error) => return Err(error),
        }
        settings.device.memory_cleanup();
    }
}

/// By how much a pass over a batch raises the memory in use.
fn try_pass(
    plan: &StagePlan,
    network: &Network,
    batch: Batch,
    state: &TrainState,
    (train, settings): (&TrainingPictures, &RunSettings),
) -> Result<Option<u64>, Error> {
    let labels: Vec<MixedLabel> = batch.labels.iter().copied().map(MixedLabel::pure).collect();
    let device = settings.device.clone().autodiff();
    let before = memory_before(&settings.device);
    train.seed_dropout(state, 0);
    let shape = batch.dims();
    let input = Tensor::<4>::from_data(TensorData::new(batch.images, shape), (&device, DType::F32));
    let input = input.cast(plan.precision.dtype());
    let loss = plan.loss.sum(network.forward(input), &labels, &device);
    let mut gradients = Gradients::default();
    gradients.add(loss.backward(), network);
    // Waits for a device that works on its own.
    on_device(gradients.global_norm())?;
    let after = device_memory_bytes(&settings.device);
    Ok(after.zip(before).map(|(after, before)| after.saturating_sub(before)))
}

fn no_picture(plan: &StagePlan) -> Error {
    Error::NoPicture { set: "training", stage: plan.name.clone(), epoch: 1 }
}

/// The pictures of a batch with the normalisation undone.
fn shown(plan: &StagePlan, planes: &[f32], size: kiln_augment::Size) -> Vec<Image8> {
    let normalize = plan.card.normalize();
    let pixels = size.width as usize * size.height as usize;
    let level = |value: f32, channel: usize| {
        let value = (value * normalize.std[channel] + normalize.mean[channel]) * 255.0;
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to the levels just here"
        )]
        let level = value.round().clamp(0.0, 255.0) as u8;
        level
    };
    let picture = |planes: &[f32]| {
        let values = (0..pixels)
            .flat_map(|at| [0, 1, 2].map(|channel| level(planes[channel * pixels + at], channel)));
        Image8::from_rgb(size, values.collect()).ok()
    };
    planes.chunks_exact(3 * pixels).filter_map(picture).collect()
}

fn weight_bytes(network: &Network) -> u64 {
    let named = kiln_models::parameter_names(network).into_iter();
    named.map(|named| 4 * named.shape.iter().product::<usize>() as u64).sum()
}

fn optimizer_bytes(plan: &StagePlan, network: &Network) -> Result<u64, Error> {
    let optimizer = plan.new_optimizer(network)?;
    let bytes = |named: kiln_models::Named| {
        let slots = optimizer.slots(named.id, named.shape.len()).len();
        4 * (slots * named.shape.iter().product::<usize>()) as u64
    };
    Ok(learnable(network).filter(|named| !plan.params.freezes(&named.name)).map(bytes).sum())
}
