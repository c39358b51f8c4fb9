//! The frame of every page.

use crate::html::escape;

const STYLE: &str = concat!(include_str!("chart.css"), include_str!("report.css"));

const SORT: &str = include_str!("sort.js");

/// A page that needs no other file: its head, and `body` as it is.
pub(crate) fn page(title: &str, body: &str) -> String {
    format!("{}{body}{}", head(title), end())
}

/// What comes before the body.
pub(crate) fn head(title: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <title>{}</title>\n<style>\n{STYLE}</style></head>\n<body><main>\n",
        escape(title)
    )
}

/// What comes after it.
pub(crate) fn end() -> String {
    format!("</main><script>{SORT}</script></body></html>\n")
}
