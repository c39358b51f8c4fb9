//! What the published augmentation policies are made of: actions, and the spaces of magnitudes they come from.

pub(crate) mod action;
pub(crate) mod learnt;
pub(crate) mod timm;
pub(crate) mod torchvision;
