//! What the source of an op says about it: first sentence, sections, example, settings.
#![allow(
    dead_code,
    clippy::expect_used,
    clippy::panic,
    reason = "programs for the repository itself, of which each uses its part"
)]

use kiln_augment::ops::ResizeSpec;
use kiln_augment::{
    Domain, Image8, Interpolation, Op, OpSettings, OpSpec, Pipeline, RandomKey, Size,
};
use serde::Deserialize;
use std::fs;
use std::path::Path;

/// The documentation of one op.
pub(crate) struct OpPage {
    name: &'static str,
    /// Lines of the module's documentation.
    doc: Vec<String>,
    source: String,
}

impl OpPage {
    /// # Panics
    /// When the op has no file.
    pub(crate) fn read(name: &'static str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/ops/{name}.rs"));
        let source = fs::read_to_string(path).expect("every op has a file");
        let doc = source
            .lines()
            .map_while(|line| line.strip_prefix("//!"))
            .map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned())
            .collect();
        Self { name, doc, source }
    }

    /// Everything before the first section.
    pub(crate) fn summary(&self) -> String {
        let lines = self.doc.iter().take_while(|line| !line.starts_with("# "));
        plain(&lines.cloned().collect::<Vec<_>>().join("\n"))
    }

    /// The text of the section `heading`.
    pub(crate) fn part(&self, heading: &str) -> String {
        let title = format!("# {heading}");
        let lines = self.doc.iter().skip_while(|line| **line != title).skip(1);
        let lines = lines.take_while(|line| !line.starts_with("# "));
        plain(&lines.cloned().collect::<Vec<_>>().join("\n"))
    }

    /// Name, default and meaning of each setting.
    pub(crate) fn settings(&self, example: &OpSpec) -> Vec<(String, String, String)> {
        let defaults = defaults(example);
        let start = self.source.find("Spec {").expect("every op has settings");
        let fields = self.source[start..].lines().skip(1).take_while(|line| *line != "}");
        let (mut settings, mut meaning) = (Vec::new(), String::new());
        for line in fields.map(str::trim) {
            if let Some(text) = line.strip_prefix("///") {
                meaning.push_str(text);
            } else if let Some((name, _)) =
                line.strip_prefix("pub ").and_then(|field| field.split_once(':'))
            {
                let default = match &defaults {
                    Some(table) => {
                        table.get(name).map_or_else(|| missing(name), |v| format!("`{v}`"))
                    }
                    None => String::new(),
                };
                let meaning = plain(std::mem::take(&mut meaning).trim()).replace('|', "\\|");
                settings.push((name.to_owned(), default, meaning));
            }
        }
        settings
    }

    /// The pipeline of its example.
    pub(crate) fn example(&self) -> Vec<OpSpec> {
        #[derive(Deserialize)]
        struct Stage {
            pipeline: Vec<OpSpec>,
        }
        let stage: Stage = toml::from_str(&self.example_text())
            .unwrap_or_else(|error| panic!("{}: {error}", self.name));
        stage.pipeline
    }

    /// The example as it is written.
    pub(crate) fn example_text(&self) -> String {
        let lines = self.doc.iter().skip_while(|line| *line != "```toml").skip(1);
        let lines: Vec<&str> =
            lines.take_while(|line| *line != "```").map(String::as_str).collect();
        lines.join("\n") + "\n"
    }

    /// The example's result for `photo`: that of the first key under which it changes anything.
    pub(crate) fn shown_on(&self, photo: &Image8) -> Image8 {
        let pipeline = Pipeline::build(&self.example(), Size::square(224))
            .unwrap_or_else(|error| panic!("{}: {error}", self.name));
        (0..1000)
            .map(|index| {
                let key = RandomKey { seed: 1, domain: Domain::Augment, epoch: 0, index };
                pipeline.apply(photo.clone(), key)
            })
            .find(|result| result != photo)
            .unwrap_or_else(|| photo.clone())
    }
}

/// What stands for a default that is not written down: a fill is black, anything else is absent.
fn missing(name: &str) -> String {
    if name == "fill" { "`0`".to_owned() } else { "none".to_owned() }
}

/// The settings that are assumed where none is written, without those that are simply absent; nothing if the op
/// has a setting that must be written.
fn defaults(example: &OpSpec) -> Option<toml::Table> {
    let bare = format!("type = \"{}\"", example.name());
    let op: OpSpec = toml::from_str(&bare).ok()?;
    toml::Table::try_from(op).ok()
}

/// Links to items of the crate become code.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("[`") {
        plain.push_str(&rest[..start]);
        let Some(end) = rest[start..].find("`]").map(|end| start + end) else { break };
        plain.push_str(&rest[start + 1..=end]);
        rest = &rest[end + 2..];
        if rest.starts_with('(') {
            rest = rest.split_once(')').map_or("", |(_, after)| after);
        }
    }
    plain + rest
}

/// # Panics
/// When there is no such picture.
pub(crate) fn read_picture(path: &Path) -> Image8 {
    let picture =
        image::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).into_rgb8();
    let size = Size::new(picture.width(), picture.height());
    Image8::from_rgb(size, picture.into_raw()).expect("three bytes for each pixel")
}

/// # Panics
/// When the picture cannot be written.
pub(crate) fn write_picture(path: &Path, picture: &Image8) {
    let Size { width, height } = picture.size();
    image::save_buffer(path, picture.pixels(), width, height, image::ExtendedColorType::Rgb8)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// The picture scaled down until it fits into `room`; small ones stay as they are.
pub(crate) fn fitted(picture: &Image8, room: Size) -> Image8 {
    let Size { width, height } = picture.size();
    let scale = (f64::from(room.width) / f64::from(width))
        .min(f64::from(room.height) / f64::from(height))
        .min(1.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most a side")]
    let side = |length: u32| ((f64::from(length) * scale).round() as u32).max(1);
    let size = Some(Size::new(side(width), side(height)));
    let spec = ResizeSpec { size, interpolation: Interpolation::Lanczos };
    spec.build(picture.size()).expect("sides in range").render(picture.clone(), &())
}
