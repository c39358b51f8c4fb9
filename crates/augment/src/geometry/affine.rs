//! Matrices that say where each pixel of a result comes from.

use crate::image::Size;

/// `x' = a x + b y + c`, `y' = d x + e y + f`: from a place in the result to a place in the source, in pixels from the
/// upper left corner, where pixel `(0, 0)` reaches from 0 to 1.
pub(crate) type Affine = [f64; 6];

/// What torchvision's `affine` asks for: turned by `angle` degrees clockwise and sheared by `shear` degrees along each
/// axis about `center`, scaled, moved by `translate` pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Placement {
    pub(crate) angle: f64,
    pub(crate) translate: [f64; 2],
    pub(crate) scale: f64,
    pub(crate) shear: [f64; 2],
}

impl Placement {
    /// The picture as it is.
    pub(crate) const IDENTITY: Self =
        Self { angle: 0.0, translate: [0.0; 2], scale: 1.0, shear: [0.0; 2] };

    /// torchvision's `_get_inverse_affine_matrix`, operation by operation, so that rounding is the same.
    pub(crate) fn inverse(self, [center_x, center_y]: [f64; 2]) -> Affine {
        let rotation = self.angle.to_radians();
        let [shear_x, shear_y] = self.shear.map(f64::to_radians);
        let [move_x, move_y] = self.translate;
        let a = (rotation - shear_y).cos() / shear_y.cos();
        let b = -(rotation - shear_y).cos() * shear_x.tan() / shear_y.cos() - rotation.sin();
        let c = (rotation - shear_y).sin() / shear_y.cos();
        let d = -(rotation - shear_y).sin() * shear_x.tan() / shear_y.cos() + rotation.cos();
        let [a, b, c, d] = [d, -b, -c, a].map(|entry| entry / self.scale);
        let move_back_x = a * (-center_x - move_x) + b * (-center_y - move_y);
        let move_back_y = c * (-center_x - move_x) + d * (-center_y - move_y);
        [a, b, move_back_x + center_x, c, d, move_back_y + center_y]
    }
}

/// The middle of a picture, which Pillow and torchvision turn about.
pub(crate) fn middle(size: Size) -> [f64; 2] {
    [f64::from(size.width) * 0.5, f64::from(size.height) * 0.5]
}

/// The matrix of Pillow's `Image.rotate(degrees)`: counter-clockwise, about `center`, sine and cosine rounded to 15
/// digits.
pub(crate) fn rotation(degrees: f64, [center_x, center_y]: [f64; 2]) -> Affine {
    let angle = -degrees.rem_euclid(360.0).to_radians();
    let [cos, sin] =
        [angle.cos(), angle.sin()].map(|entry| (entry * 1e15).round_ties_even() / 1e15);
    let c = cos * -center_x + sin * -center_y + center_x;
    let f = -sin * -center_x + cos * -center_y + center_y;
    [cos, sin, c, -sin, cos, f]
}
