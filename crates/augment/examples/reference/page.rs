//! The page of all ops.
#![allow(clippy::expect_used, reason = "a program for the repository itself")]

use crate::op_page::OpPage;
use kiln_augment::{Family, OpSpec};
use std::fmt::Write as _;

const FAMILIES: [(Family, &str, &str); 5] = [
    (Family::Geometry, "Geometry", "Where pixels are."),
    (Family::Color, "Colour", "What colour they have."),
    (Family::Quality, "Quality", "What a camera, a file format or the weather does to a picture."),
    (Family::Erasing, "Erasing", "Parts that are taken away."),
    (Family::Policy, "Policies", "Ops that choose among other ops."),
];

/// The whole page.
pub(crate) fn markdown() -> String {
    let mut page = String::from(
        "# The ops of kiln-augment\n\n\
         Written by `cargo run -p kiln-augment --example reference` from the ops themselves; a test holds it to them.\n\
         Each op is an entry of a stage's `pipeline`: `type` and the settings below.\n\
         Names, defaults and arithmetic are those of the reference that *Parity* names.\n\
         All of them together are on [one sheet](augment/sheet.jpg).\n\
         The picture shows the example; this is the photograph before (Chelsea the cat by Stéfan van der Walt, CC0):\n\n\
         ![the photograph](augment/before.jpg)\n",
    );
    let examples = OpSpec::examples();
    let ops = |family| examples.iter().filter(move |op| op.family() == family);
    page.push_str("\n| family | ops |\n| --- | --- |\n");
    for (family, title, _) in FAMILIES {
        let links: Vec<String> =
            ops(family).map(|op| format!("[`{0}`](#{0})", op.name())).collect();
        writeln!(page, "| {title} | {} |", links.join(" ")).expect("a string takes everything");
    }
    for (family, title, about) in FAMILIES {
        write!(page, "\n## {title}\n\n{about}\n").expect("a string takes everything");
        for op in ops(family) {
            page.push_str(&section(op));
        }
    }
    page
}

fn section(op: &OpSpec) -> String {
    let (name, about) = (op.name(), OpPage::read(op.name()));
    let mut text = format!("\n### {name}\n\n{}\n", sentences(&about.summary()));
    write!(text, "\n![{name}](augment/{name}.jpg)\n\n").expect("a string takes everything");
    let settings = about.settings(op);
    if settings.is_empty() {
        text.push_str("No settings.\n");
    } else {
        text.push_str("| setting | default | meaning |\n| --- | --- | --- |\n");
        for (setting, default, meaning) in settings {
            writeln!(text, "| `{setting}` | {default} | {meaning} |")
                .expect("a string takes everything");
        }
    }
    for heading in ["Randomness", "Parity"] {
        write!(text, "\n*{heading}.*\n{}\n", sentences(&about.part(heading)))
            .expect("a string takes everything");
    }
    write!(text, "\n```toml\n{}```\n", about.example_text()).expect("a string takes everything");
    text
}

/// One sentence on each line, as everywhere in the documentation.
fn sentences(text: &str) -> String {
    let mut lines = String::new();
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        lines.push_str(word);
        let ends = word.ends_with(['.', '!', '?']) && !matches!(word, "e.g." | "i.e.");
        let starts = words.peek().is_some_and(|next| next.starts_with(|c: char| !c.is_lowercase()));
        lines.push(if ends && starts { '\n' } else { ' ' });
    }
    lines.trim_end().to_owned()
}
