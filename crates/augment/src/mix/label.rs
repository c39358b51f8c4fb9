//! What a mixed picture shows.

/// A picture of `class` by the part `lambda`, and of `partner` by the rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MixedLabel {
    /// The picture's own class.
    pub class: u32,
    /// The class of the picture that was mixed in.
    pub partner: u32,
    /// The part of the own class, from 0 to 1.
    pub lambda: f64,
}

impl MixedLabel {
    /// A picture that was not mixed.
    pub const fn pure(class: u32) -> Self {
        Self { class, partner: class, lambda: 1.0 }
    }
}
