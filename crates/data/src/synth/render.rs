//! Painting a scene.

use super::color::{self, Color};
use super::geometry::{Point, coverage, smooth};
use super::scene::{Figure, Scene};
use super::spec::{Part, SynthSpec};
use super::texture::{hash, unit};
use kiln_augment::{Image8, Size};

/// Picture `index` of `part` and its class; a pure function of its arguments.
///
/// Nothing is checked: a spec outside its ranges (see [`SynthSpec::validate`]) gives some picture.
pub fn render(spec: &SynthSpec, part: Part, index: u32) -> (Image8, u32) {
    let class = spec.class(index);
    let scene = Scene::draw(class, spec.side, &mut spec.key(part, index).rng(0));
    (paint(&scene, spec.side), class)
}

fn paint(scene: &Scene, side: u32) -> Image8 {
    let mut image = Image8::filled(Size::square(side), [0; 3]);
    let (pixel_size, stride) = (1.0 / side as f32, image.stride().max(1));
    let rows = image.pixels_mut().chunks_exact_mut(stride);
    for (y, row) in (0_u32..).zip(rows) {
        for (x, bytes) in (0_u32..).zip(row.chunks_exact_mut(3)) {
            let pixel = Point::new(x as f32 + 0.5, y as f32 + 0.5);
            let place = pixel * pixel_size - Point::new(0.5, 0.5);
            let mut color = scene.backdrop.color(place);
            for stroke in &scene.clutter {
                color = stroke.over(color, pixel);
            }
            color = scene.figure.over(color, pixel);
            for patch in &scene.occluders {
                color = patch.over(color, pixel);
            }
            let exposed = scene.exposed(color, place);
            bytes.copy_from_slice(&scene.noisy(exposed, y * side + x));
        }
    }
    image
}

impl Figure {
    /// Paints the shape and its shadow over `below`.
    fn over(&self, below: Color, pixel: Point) -> Color {
        // Nothing of the shape or its shadow reaches farther.
        let reach = self.pose.scale * self.pose.stretch.max(1.0 / self.pose.stretch) * 1.25;
        let offset = pixel - self.pose.center;
        if offset.dot(offset) > reach * reach {
            return below;
        }
        let throw = self.light * (-0.1 * self.pose.scale);
        let behind = self.shape.distance(self.pose.local(pixel - throw));
        let shaded = color::mix(below, [0.0; 3], self.shadow * smooth(0.12, -0.08, behind));
        let local = self.pose.local(pixel);
        let covered = coverage(self.shape.distance(local) * self.pose.scale);
        if covered == 0.0 {
            return shaded;
        }
        let lit = 1.0 + 0.18 * offset.dot(self.light) / self.pose.scale;
        let worn = color::mix(self.colors[0], self.colors[1], self.texture.mix(local));
        color::mix(shaded, worn.map(|level| level * lit), covered)
    }
}

impl Scene {
    /// Brightness, contrast and darker corners.
    fn exposed(&self, color: Color, place: Point) -> Color {
        let corners = 1.0 - 0.35 * place.dot(place);
        color.map(|level| ((level - 0.5) * self.contrast + 0.5) * self.brightness * corners)
    }

    /// Adds noise, mostly the same to all channels, and rounds to bytes.
    fn noisy(&self, color: Color, pixel: u32) -> [u8; 3] {
        let bits = hash(pixel ^ self.noise_seed);
        // The sum of two uniform numbers, less their mean.
        let grey = unit(bits) + unit(hash(bits)) - 1.0;
        let [red, green, blue, _] = bits.to_be_bytes();
        let tints = [red, green, blue].map(|byte| f32::from(byte) / 255.0 - 0.5);
        std::array::from_fn(|c| to_byte(color[c] + self.noise * (0.8 * grey + 0.4 * tints[c])))
    }
}

/// 0 to 1 as 0 to 255, rounded; what is outside becomes the nearest end.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=255 and rounded"
)]
fn to_byte(level: f32) -> u8 {
    (level.clamp(0.0, 1.0) * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Changes whenever the pictures do: such a change belongs under *Numerics* in the changelog. Sines and powers
    /// come from the platform's mathematics library, so another platform may round a rare pixel differently: the
    /// means of the channels are pinned, and not every byte.
    #[test]
    fn pictures_are_pinned() {
        let spec = SynthSpec { side: 48, seed: 7, ..SynthSpec::default() };
        let found = [(Part::Train, 0), (Part::Train, 11), (Part::Val, 0)].map(|(part, index)| {
            let (image, class) = render(&spec, part, index);
            assert_eq!(image.size(), Size::square(48));
            let (pixels, _) = image.pixels().as_chunks::<3>();
            let sum = |c: usize| pixels.iter().map(|pixel| f64::from(pixel[c])).sum::<f64>();
            (class, [0, 1, 2].map(|c| sum(c) / pixels.len() as f64))
        });
        let pinned =
            [(0, [130.0, 90.4, 107.8]), (1, [163.2, 134.3, 145.2]), (0, [148.2, 174.9, 134.2])];
        for ((class, means), (pinned_class, pinned_means)) in found.iter().zip(pinned) {
            let near = means.iter().zip(pinned_means).all(|(a, b)| (a - b).abs() < 0.5);
            assert!(*class == pinned_class && near, "{found:?}");
        }
    }

    #[test]
    fn seeds_parts_and_indices_all_matter() {
        let spec = SynthSpec { side: 32, ..SynthSpec::default() };
        let other = SynthSpec { seed: 1, ..spec };
        let base = render(&spec, Part::Train, 0);
        assert_eq!(base, render(&spec, Part::Train, 0));
        assert_ne!(base, render(&spec, Part::Val, 0));
        assert_ne!(base.0, render(&spec, Part::Train, 10).0);
        assert_ne!(base, render(&other, Part::Train, 0));
    }
}
