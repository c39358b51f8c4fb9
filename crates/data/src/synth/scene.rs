//! Every random decision about one picture.

use super::backdrop::{Backdrop, texture};
use super::color::{self, Color, draw};
use super::difficulty as hard;
use super::geometry::{Point, Pose};
use super::patch::Patch;
use super::shape::Shape;
use super::texture::{Pattern, Texture};
use kiln_augment::OpRng;
use std::f64::consts::TAU;

/// A picture that is decided but not yet painted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scene {
    pub(super) backdrop: Backdrop,
    pub(super) clutter: Vec<Patch>,
    pub(super) figure: Figure,
    pub(super) occluders: Vec<Patch>,
    pub(super) brightness: f32,
    pub(super) contrast: f32,
    /// Amplitude of the noise, of a full scale of 1.
    pub(super) noise: f32,
    pub(super) noise_seed: u32,
}

/// The shape that gives the picture its class.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Figure {
    pub(super) shape: Shape,
    pub(super) pose: Pose,
    pub(super) colors: [Color; 2],
    pub(super) texture: Texture,
    /// Where the light comes from.
    pub(super) light: Point,
    /// Darkness of the shadow it throws.
    pub(super) shadow: f32,
}

impl Scene {
    /// Decides about a picture of `class` that is `side` pixels wide.
    pub(super) fn draw(class: u32, side: u32, rng: &mut OpRng) -> Self {
        let side = f64::from(side);
        let backdrop = Backdrop::draw(rng);
        let clutter = (0..rng.below(hard::CLUTTER + 1))
            .map(|_| {
                let center = anywhere(side, rng);
                Patch::draw(center, (0.1 * side, 0.5 * side), (0.008 * side, 0.035 * side), rng)
            })
            .collect();
        let figure = Figure::draw(class, side, &backdrop, rng);
        let occluders = (0..rng.below(hard::OCCLUDERS + 1))
            .map(|_| {
                let reach = figure.pose.scale * draw(rng, 0.5, 1.1);
                let center = figure.pose.center + Point::toward(draw(rng, 0.0, TAU)) * reach;
                let (narrow, wide) = hard::OCCLUDER_HALF_WIDTH;
                Patch::draw(center, (0.0, 0.15 * side), (narrow * side, wide * side), rng)
            })
            .collect();
        let brightness = draw(rng, 1.0 - hard::EXPOSURE, 1.0 + hard::EXPOSURE);
        let contrast = draw(rng, 1.0 - hard::EXPOSURE, 1.0 + hard::EXPOSURE);
        let noise = draw(rng, 0.0, hard::NOISE);
        #[allow(clippy::cast_possible_truncation, reason = "32 of 64 random bits")]
        let noise_seed = rng.bits() as u32;
        Self { backdrop, clutter, figure, occluders, brightness, contrast, noise, noise_seed }
    }
}

impl Figure {
    fn draw(class: u32, side: f64, backdrop: &Backdrop, rng: &mut OpRng) -> Self {
        let (low, high) = ((0.5 - hard::OFF_CENTER) * side, (0.5 + hard::OFF_CENTER) * side);
        let center = Point::new(draw(rng, low, high), draw(rng, low, high));
        let scale = draw(rng, hard::RADIUS.0 * side, hard::RADIUS.1 * side);
        let axis = Point::toward(draw(rng, -hard::TURN, hard::TURN));
        let stretch = draw(rng, -1.0, 1.0);
        #[allow(clippy::cast_possible_truncation, reason = "a small constant")]
        let stretch = (hard::STRETCH as f32).powf(stretch);
        let first = color::unlike(&[backdrop.from, backdrop.to], hard::CONTRAST, rng);
        let second = color::unlike(&[first], hard::TEXTURE_CONTRAST, rng);
        let own = rng.bernoulli(hard::OWN_TEXTURE);
        let pattern = Pattern::ALL.get(class as usize).copied().filter(|_| own);
        let texture = texture(rng, pattern, (1.6, 2.8));
        let light = Point::toward(draw(rng, 0.0, TAU));
        let shadow = draw(rng, 0.15, 0.5);
        let pose = Pose { center, scale, axis, stretch };
        let shape = Shape::of_class(class);
        Self { shape, pose, colors: [first, second], texture, light, shadow }
    }
}

fn anywhere(side: f64, rng: &mut OpRng) -> Point {
    Point::new(draw(rng, 0.0, side), draw(rng, 0.0, side))
}
