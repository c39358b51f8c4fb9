//! Explained pictures on a page.

use crate::cam::{CamMethod, Explanation};
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
    /// The class that is explained.
    pub class: String,
    /// What the network sees.
    pub explanation: Explanation,
}

/// The begin of a page of explained pictures, which is written piece by piece, as there may be thousands of them.
pub fn cam_page_head(title: &str, method: CamMethod, stage: &str) -> String {
    format!(
        "{}<header><p class=\"eyebrow\">Class activation maps</p><h1>{}</h1>\
         <p class=\"status\">{} on the maps of <code>{}</code>: what is bright speaks for the class. \
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
    let overlay = img(&explanation.overlay, &format!("what speaks for {class} in {name}"));
    figure_of(picture, &format!("{}{overlay}", img(&explanation.picture, name)))
}

fn figure_of(picture: &ExplainedPicture, images: &str) -> String {
    let ExplainedPicture { name, label, class, explanation } = picture;
    let is = match label {
        Some(label) if label == class => format!("<b>{}</b>, recognised", escape(class)),
        Some(label) => format!("<b>{}</b>, taken for <b>{}</b>", escape(label), escape(class)),
        None => format!("<b>{}</b>", escape(class)),
    };
    format!(
        "<figure class=\"card picture\"><div class=\"pair\">{images}</div><figcaption>{is} with {}, trust {:+.2}<br>\
         <small title=\"{name}\">{name}</small></figcaption></figure>\n",
        format::percent(f64::from(explanation.probability)),
        explanation.trust.score(),
        name = escape(name),
    )
}
