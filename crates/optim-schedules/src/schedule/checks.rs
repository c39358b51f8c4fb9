//! Ranges of settings that several schedules have.

use crate::error::{Error, check};

pub(super) fn check_rate(lr: f64) -> Result<(), Error> {
    check(lr >= 0.0 && lr.is_finite(), "lr", "at least 0", lr)
}

pub(super) fn check_eta_min(eta_min: f64) -> Result<(), Error> {
    check(eta_min >= 0.0 && eta_min.is_finite(), "eta_min", "at least 0", eta_min)
}

pub(super) fn check_gamma(gamma: f64) -> Result<(), Error> {
    check(gamma > 0.0 && gamma.is_finite(), "gamma", "above 0", gamma)
}

pub(super) fn check_momenta(base_momentum: f64, max_momentum: f64) -> Result<(), Error> {
    for (field, value) in [("base_momentum", base_momentum), ("max_momentum", max_momentum)] {
        check((0.0..1.0).contains(&value), field, "at least 0 and below 1", value)?;
    }
    Ok(())
}
