//! Explained pictures on a page.

use crate::cam::{CamMethod, Explanation};
use crate::format;
use crate::html::{escape, put};
use crate::page::page;
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

/// A page of explained pictures.
pub fn cam_page(
    title: &str,
    method: CamMethod,
    stage: &str,
    pictures: &[ExplainedPicture],
) -> String {
    let mut body = String::new();
    put!(
        body,
        "<header><p class=\"eyebrow\">Class activation maps</p><h1>{}</h1>\
         <p class=\"status\">{} on the maps of <code>{}</code>: what is bright speaks for the class. \
         The trust is how much faster the class appears when the brightest pixels are given to an empty picture than it \
         disappears when they are taken from the whole one; above 0 the map names what matters, around 0 it says nothing.</p></header>",
        escape(title),
        method.name(),
        escape(stage),
    );
    body.push_str("<section><div class=\"pictures\">");
    for picture in pictures {
        body.push_str(&figure(picture));
    }
    body.push_str("</div></section>\n");
    page(title, &body)
}

/// A picture beside its map, with what there is to say.
pub(crate) fn figure(picture: &ExplainedPicture) -> String {
    let ExplainedPicture { name, label, class, explanation } = picture;
    let is = match label {
        Some(label) if label == class => format!("<b>{}</b>, recognised", escape(class)),
        Some(label) => format!("<b>{}</b>, taken for <b>{}</b>", escape(label), escape(class)),
        None => format!("<b>{}</b>", escape(class)),
    };
    format!(
        "<figure class=\"card picture\"><div class=\"pair\">{}{}</div><figcaption>{is} with {}, trust {:+.2}<br>\
         <small title=\"{name}\">{name}</small></figcaption></figure>",
        img(&explanation.picture, name),
        img(&explanation.overlay, &format!("what speaks for {class} in {name}")),
        format::percent(f64::from(explanation.probability)),
        explanation.trust.score(),
        name = escape(name),
    )
}
