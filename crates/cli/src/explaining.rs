//! What the pictures that commands explain have in common.

use burn::tensor::Device;
use kiln_analysis::ExplainedPicture;
use kiln_analysis::cam::{CamMethod, Explainer, explain};
use kiln_models::Network;
use kiln_trainer::{Error, ModelCard, Outputs, prepared_picture};
use std::path::{Path, PathBuf};

/// A picture to explain.
pub(crate) struct Asked {
    pub(crate) path: PathBuf,
    pub(crate) name: String,
    /// Its class, where it is known.
    pub(crate) label: Option<String>,
}

impl Asked {
    /// A picture of the validation set, whose classes are in `folder`.
    pub(crate) fn of_set(outputs: &Outputs, picture: usize, folder: &Path) -> Self {
        let name = outputs.pictures[picture].clone();
        let label = outputs.class_names[outputs.labels[picture] as usize].clone();
        Self { path: folder.join(&name), name, label: Some(label) }
    }
}

/// A network and how it is asked.
pub(crate) struct Explaining {
    explainer: Explainer,
    card: ModelCard,
    device: Device,
    pub(crate) method: CamMethod,
    stage: usize,
}

impl Explaining {
    /// At the last stage whose maps say where.
    pub(crate) fn new(
        network: Network,
        card: ModelCard,
        device: &Device,
        method: CamMethod,
    ) -> Self {
        let explainer = Explainer::new(network, device.clone()).with_temperature(card.temperature);
        let stage = explainer.last_telling_stage(card.size);
        Self { explainer, card, device: device.clone(), method, stage }
    }

    /// The stages of the network.
    pub(crate) fn stages(&self) -> Vec<String> {
        self.explainer.stages()
    }

    /// At another stage.
    pub(crate) fn at(mut self, stage: usize) -> Self {
        self.stage = stage;
        self
    }

    /// Name of the stage.
    pub(crate) fn stage(&self) -> String {
        self.stages()[self.stage].clone()
    }

    /// Explains why a picture is of `class`, or of the most probable one.
    pub(crate) fn explain(
        &self,
        asked: Asked,
        class: Option<usize>,
    ) -> Result<ExplainedPicture, Error> {
        let Self { explainer, card, device, method, stage } = self;
        let Asked { path, name, label } = asked;
        let (picture, input) = prepared_picture(card, device, &path)?;
        let explanation = explain(explainer, (picture, &input), *method, *stage, class);
        let [predicted, class] = [explanation.predicted.0, explanation.class.0]
            .map(|class| card.class_names[class].clone());
        Ok(ExplainedPicture { name, label, predicted, class, explanation })
    }
}
