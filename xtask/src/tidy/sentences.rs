//! One sentence per line: a change of one sentence is then a change of one line.

use super::markdown::prose;
use super::tree::{File, Problem, Tree};

/// Words whose full stop does not end a sentence.
const ABBREVIATIONS: [&str; 14] = [
    "al.", "approx.", "cf.", "e.g.", "eq.", "etc.", "fig.", "i.e.", "incl.", "no.", "resp.",
    "sec.", "v.", "vs.",
];

const PAGES: [&str; 4] = ["ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "README.md"];

/// Applies to the pages written by hand; `docs/reference/` is generated from doc comments.
pub(super) fn one_sentence_per_line(tree: &Tree, problems: &mut Vec<Problem>) {
    for file in tree.with(&["md"]).filter(|file| is_page(file)) {
        for (number, line) in prose(file) {
            if line.trim_start().starts_with('|') {
                continue;
            }
            if let Some(next) = second_sentence(&line) {
                let start: String = next.chars().take(24).collect();
                problems.push(file.problem(
                    number,
                    "sentences",
                    format!("start a new line before \"{start}\""),
                ));
            }
        }
    }
}

fn is_page(file: &File) -> bool {
    PAGES.contains(&file.path.as_str())
        || (file.path.starts_with("docs/") && !file.path.starts_with("docs/reference/"))
}

/// Where a second sentence starts: an end mark, a space and a capital letter.
fn second_sentence(line: &str) -> Option<&str> {
    let mut from = 0;
    while let Some(space) = line[from..].find(' ').map(|at| from + at) {
        from = space + 1;
        let (before, after) = (&line[..space], line[space..].trim_start());
        let word = before.rsplit(' ').next().unwrap_or_default();
        let starts =
            after.trim_start_matches(['*', '_', '[', '(', '"']).starts_with(char::is_uppercase);
        if starts && ends_sentence(word) {
            return Some(after);
        }
    }
    None
}

fn ends_sentence(word: &str) -> bool {
    let bare = word.trim_end_matches(['*', '_', ')', '"', '\'', ']']);
    let Some(stem) = bare.strip_suffix(['.', '!', '?']) else { return false };
    // The number of a list item ("1."), an initial ("J.") and an ellipsis end nothing.
    let numbered = !stem.is_empty() && stem.chars().all(|c| c.is_ascii_digit());
    let initial = stem.chars().count() == 1 && stem.chars().all(char::is_uppercase);
    let known = ABBREVIATIONS
        .contains(&bare.trim_start_matches(['(', '"', '*', '_']).to_lowercase().as_str());
    !(stem.is_empty() || numbered || initial || known || stem.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::super::tree::found;
    use super::{one_sentence_per_line, second_sentence};

    #[test]
    fn sentences() {
        for (line, expect) in [
            ("One. Two.", Some("Two.")),
            ("Is it? Yes.", Some("Yes.")),
            ("**One.** Two.", Some("Two.")),
            ("One (see it.) [Two](x.md).", Some("[Two](x.md).")),
            ("- One.  Two.", Some("Two.")),
            ("One sentence, e.g. Burn, i.e. Rust.", None),
            ("1. First", None),
            ("By J. Doe et al. Nothing.", None),
            ("Version 1.2 of Burn... Maybe", None),
            ("ResNet vs. EfficientNet", None),
        ] {
            assert_eq!(second_sentence(line), expect, "{line}");
        }
    }

    #[test]
    fn pages() {
        let text = "# Title\n\nOne. Two.\n`One. Two.`\n\n| a. B | c |\n\n```text\nOne. Two.\n```\n";
        let expect = "start a new line before \"Two.\"";
        assert_eq!(
            found(one_sentence_per_line, &[("README.md", text)]),
            [format!("README.md:3: sentences: {expect}")]
        );
        assert_eq!(found(one_sentence_per_line, &[("docs/decisions/a.md", text)]).len(), 1);
        assert!(found(one_sentence_per_line, &[("docs/reference/ops.md", text)]).is_empty());
        assert!(found(one_sentence_per_line, &[("crates/a/notes.md", text)]).is_empty());
    }
}
