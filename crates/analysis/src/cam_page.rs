//! Explained pictures on a page.

use crate::cam::{CamMethod, Explanation, panel};
use crate::format;
use crate::html::escape;
use crate::page;
use crate::picture::img;

/// A picture with its explanation.
#[derive(Debug)]
pub struct ExplainedPicture {
    /// What it is called.
    pub name: String,
    /// The class that it is of, where that is known.
    pub label: Option<String>,
    /// The most probable class.
    pub predicted: String,
    /// The class that is explained.
    pub class: String,
    /// What the network sees.
    pub explanation: Explanation,
}

/// The begin of a page of explained pictures, which is written piece by piece, as there may be thousands of them.
pub fn cam_page_head(title: &str, method: CamMethod, stage: &str) -> String {
    format!(
        "{}<header><p class=\"eyebrow\">Class activation maps</p><h1>{}</h1>\
         <p class=\"status\">{} on the maps of <code>{}</code>: what is bright speaks for the class, by the scale from 0 below to 1 above. \
         The trust is how much sooner the class appears when the brightest pixels are given to an empty picture than it \
         disappears when they are taken from the whole one; above 0 the map names what matters, around 0 it says nothing.</p></header>\n\
         <section><div class=\"pictures\">\n",
        page::head(title),
        escape(title),
        method.name(),
        escape(stage),
    )
}

/// One picture of the page, whose panel is in `file` beside it.
pub fn cam_page_figure(picture: &ExplainedPicture, file: &str) -> String {
    let alt = format!("{}, and what in it speaks for {}", picture.name, picture.class);
    let image = format!("<img alt=\"{}\" src=\"{}\">", escape(&alt), escape(file));
    figure_of(picture, &image)
}

/// The end of the page.
pub fn cam_page_end() -> String {
    format!("</div></section>\n{}", page::end())
}

/// A picture beside its map, with what there is to say, for a page that needs no other file.
pub(crate) fn figure(picture: &ExplainedPicture) -> String {
    let ExplainedPicture { name, class, explanation, .. } = picture;
    let both = panel(&explanation.picture, &explanation.overlay);
    figure_of(picture, &img(&both, &format!("{name}, and what in it speaks for {class}")))
}

fn figure_of(picture: &ExplainedPicture, image: &str) -> String {
    let ExplainedPicture { name, label, predicted, class, explanation } = picture;
    let percent = |probability: f32| format::percent(f64::from(probability));
    let sure = percent(explanation.predicted.1);
    let is = match label {
        Some(label) if label == predicted => format!("<b>{}</b>, recognised", escape(label)),
        Some(label) => {
            format!("<b>{}</b>, taken for <b>{}</b>", escape(label), escape(predicted))
        }
        None => format!("<b>{}</b>", escape(predicted)),
    };
    let other = if class == predicted {
        String::new()
    } else {
        format!(", explained: <b>{}</b> ({})", escape(class), percent(explanation.class.1))
    };
    format!(
        "<figure class=\"card picture\">{image}<figcaption>{is} with {sure}{other}, trust {:+.2}<br>\
         <small title=\"{name}\">{name}</small></figcaption></figure>\n",
        explanation.trust.score(),
        name = escape(name),
    )
}
