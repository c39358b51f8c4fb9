//! How hard the generated pictures are to tell apart: every constant that matters, in one place.
//!
//! Lengths are fractions of the picture's side, angles are in radians, probabilities and opacities in 0 to 1.

/// Radius of the shape, smallest and largest. Smaller shapes are harder, above all under random crops.
pub(super) const RADIUS: (f64, f64) = (0.32, 0.48);

/// How far the shape's centre may be from the picture's.
pub(super) const OFF_CENTER: f64 = 0.1;

/// Largest turn of the shape to either side; half a turn for any pose.
pub(super) const TURN: f64 = std::f64::consts::FRAC_PI_4;

/// Largest stretch: lengths along one axis are multiplied by up to this, along the other divided.
pub(super) const STRETCH: f64 = 1.15;

/// How often the shape wears its class's own texture; otherwise it wears any. At 1 the texture gives the class
/// away in any crop; at 0 only the outline tells.
pub(super) const OWN_TEXTURE: f64 = 0.95;

/// Least distance between the shape's colours and the backdrop's, of a largest possible 1.7.
pub(super) const CONTRAST: f32 = 0.55;

/// Distance between a shape's two colours, smallest: below, its texture hardly shows.
pub(super) const TEXTURE_CONTRAST: f32 = 0.6;

/// How often the backdrop has a texture (the same kinds as shapes wear), and its opacity.
pub(super) const BACKDROP_TEXTURE: f64 = 0.5;
/// See [`BACKDROP_TEXTURE`].
pub(super) const BACKDROP_OPACITY: (f64, f64) = (0.05, 0.25);

/// Most strokes behind the shape.
pub(super) const CLUTTER: u64 = 3;

/// Most patches in front of the shape, and their half width. They cover parts of the outline.
pub(super) const OCCLUDERS: u64 = 2;
/// See [`OCCLUDERS`].
pub(super) const OCCLUDER_HALF_WIDTH: (f64, f64) = (0.05, 0.12);

/// Amplitude of the noise added to each pixel, of a full scale of 1: none to this.
pub(super) const NOISE: f64 = 0.08;

/// Brightness and contrast are multiplied by 1 plus or minus up to this.
pub(super) const EXPOSURE: f64 = 0.25;
