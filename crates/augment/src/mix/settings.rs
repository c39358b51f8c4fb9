//! What to mix, how often, how strongly.

use crate::error::{Error, check, check_part};
use serde::{Deserialize, Serialize};

/// Settings of [`Mix`]. At least one of the three kinds must be on. Mixing for a part of the training only is the
/// trainer's matter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MixSpec {
    /// Mixup (Zhang et al., 2017): the part of the own picture is drawn from `Beta(alpha, alpha)`; 0 for none.
    pub mixup_alpha: f64,
    /// Cutmix (Yun et al., 2019): a rectangle of the partner is pasted, whose area is drawn from `Beta(alpha, alpha)`;
    /// 0 for none.
    pub cutmix_alpha: f64,
    /// Cutmix with rectangles that lie inside: the smallest and largest part of each side, instead of `cutmix_alpha`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cutmix_minmax: Option<[f64; 2]>,
    /// Resizemix (Qin et al., 2020): the whole partner is pasted small; the smallest and largest part of each side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resizemix: Option<[f64; 2]>,
    /// How often to mix at all.
    pub prob: f64,
    /// How often to paste rather than to blend, if mixup is on and one of the others too.
    pub switch_prob: f64,
    /// What shares one draw.
    pub mode: MixMode,
}

/// Which pictures of a batch share one draw. In every mode picture `i` of `n` is mixed with picture `n - 1 - i`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MixMode {
    /// All.
    #[default]
    Batch,
    /// The two that are mixed with each other.
    Pair,
    /// Each has its own.
    Elem,
}

impl Default for MixSpec {
    fn default() -> Self {
        Self {
            mixup_alpha: 0.0,
            cutmix_alpha: 0.0,
            cutmix_minmax: None,
            resizemix: None,
            prob: 1.0,
            switch_prob: 0.5,
            mode: MixMode::Batch,
        }
    }
}

impl MixSpec {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] naming the setting.
    pub fn build(&self) -> Result<Mix, Error> {
        check_part("prob", self.prob)?;
        check_part("switch_prob", self.switch_prob)?;
        for (field, alpha) in
            [("mixup_alpha", self.mixup_alpha), ("cutmix_alpha", self.cutmix_alpha)]
        {
            check((0.0..=1000.0).contains(&alpha), field, "from 0 to 1000", alpha)?;
        }
        for (field, range) in [("cutmix_minmax", self.cutmix_minmax), ("resizemix", self.resizemix)]
        {
            let Some([low, high]) = range else { continue };
            let accepted = 0.0 <= low && low <= high && high <= 1.0;
            check(accepted, field, "[min, max] with 0 <= min <= max <= 1", [low, high])?;
        }
        let one_way = self.cutmix_minmax.is_none() || self.cutmix_alpha == 0.0;
        check(one_way, "cutmix_alpha", "left out beside cutmix_minmax", self.cutmix_alpha)?;
        let cutmix = self.cutmix_minmax.map(Paste::Inside);
        let drawn = (self.cutmix_alpha > 0.0).then_some(Paste::Area(self.cutmix_alpha));
        let resized = self.resizemix.map(Paste::Resized);
        let alone =
            usize::from(cutmix.is_some() || drawn.is_some()) + usize::from(resized.is_some());
        check(
            alone < 2,
            "resizemix",
            "off where cutmix is on",
            self.resizemix.unwrap_or_default(),
        )?;
        let paste = cutmix.or(drawn).or(resized);
        let blend = (self.mixup_alpha > 0.0).then_some(self.mixup_alpha);
        let any = paste.is_some() || blend.is_some();
        check(any, "mixup_alpha", "above 0, or cutmix or resizemix on", self.mixup_alpha)?;
        let used = (blend.is_some() && paste.is_some()) || self.switch_prob == 0.5;
        check(used, "switch_prob", "left out where there is one kind", self.switch_prob)?;
        let paste_prob = match (blend, paste) {
            (Some(_), Some(_)) => self.switch_prob,
            (None, _) => 1.0,
            (_, None) => 0.0,
        };
        Ok(Mix { blend, paste, paste_prob, prob: self.prob, mode: self.mode })
    }
}

/// How pictures are pasted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Paste {
    /// A rectangle of the picture's shape, its area from `Beta(alpha, alpha)`, its centre anywhere.
    Area(f64),
    /// A rectangle that lies inside, each side between two parts of the picture's.
    Inside([f64; 2]),
    /// All of the partner, small.
    Resized([f64; 2]),
}

/// Mixes the pictures of a batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mix {
    pub(super) blend: Option<f64>,
    pub(super) paste: Option<Paste>,
    pub(super) paste_prob: f64,
    pub(super) prob: f64,
    pub(super) mode: MixMode,
}
