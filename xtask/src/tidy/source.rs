//! Rules about Rust source. They read lines, not syntax: simple enough to be believed.

use super::tree::{File, Problem, Tree};

/// What is missing is written into an issue, not into the code.
pub(super) fn nothing_is_left_undone(tree: &Tree, problems: &mut Vec<Problem>) {
    // In two halves, so that this file passes its own rule.
    let words = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"]].map(|halves| halves.concat());
    let macros = [["to", "do!("], ["unimple", "mented!("]].map(|halves| halves.concat());
    for file in tree.with(&["rs", "toml"]) {
        for (number, line) in file.lines() {
            let word = words.iter().find(|word| has_word(line, word));
            if let Some(found) = word.or_else(|| macros.iter().find(|name| line.contains(*name))) {
                problems.push(file.problem(number, "undone", format!("`{found}` is left")));
            }
        }
    }
}

fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        !part_of_word(line[..at].chars().next_back())
            && !part_of_word(line[at + word.len()..].chars().next())
    })
}

/// A test that is not run, or that passes for any panic, proves nothing.
pub(super) fn no_test_is_skipped(tree: &Tree, problems: &mut Vec<Problem>) {
    let attributes = [["#[ig", "nore"], ["#[should", "_panic"]].map(|halves| halves.concat());
    for file in tree.with(&["rs"]) {
        for (number, line) in file.lines() {
            if let Some(found) = attributes.iter().find(|found| line.contains(*found)) {
                problems.push(file.problem(
                    number,
                    "skipped",
                    format!("`{found}` hides a failure"),
                ));
            }
        }
    }
}

/// With `pub use x::*` nobody can tell from the file what the crate offers.
pub(super) fn no_glob_reexports(tree: &Tree, problems: &mut Vec<Problem>) {
    for file in tree.with(&["rs"]) {
        let mut start = None;
        for (number, line) in file.lines() {
            let line = line.trim();
            if is_reexport(line) {
                start = Some(number);
            }
            let Some(first) = start else { continue };
            let code = line.split("//").next().unwrap_or_default();
            if code.contains("::*") || code.contains("{*") || code == "*," {
                problems.push(file.problem(first, "globs", "name what is exported instead of `*`"));
                start = None;
            }
            if code.contains(';') {
                start = None;
            }
        }
    }
}

/// `pub use` and `pub(crate) use`.
fn is_reexport(line: &str) -> bool {
    let Some(rest) = line.strip_prefix("pub") else { return false };
    let rest = match rest.strip_prefix('(') {
        Some(scope) => scope.split_once(')').map_or(scope, |(_, rest)| rest),
        None => rest,
    };
    rest.trim_start() != rest && rest.trim_start().starts_with("use ")
}

/// A module's root is its table of contents.
pub(super) fn roots_hold_no_logic(tree: &Tree, problems: &mut Vec<Problem>) {
    for file in tree.with(&["rs"]).filter(|file| is_root(file)) {
        for (number, line) in file.lines() {
            if let Some(found) = begins_logic(line) {
                problems.push(file.problem(
                    number,
                    "roots",
                    format!(
                        "`{found}` belongs into a file of its own; a root declares and exports"
                    ),
                ));
            }
        }
    }
}

fn is_root(file: &File) -> bool {
    matches!(file.name(), "lib.rs" | "mod.rs")
}

/// `fn` or `impl` at column 0, after any qualifiers; inside of a block it is indented.
fn begins_logic(line: &str) -> Option<&'static str> {
    if line.starts_with(char::is_whitespace) {
        return None;
    }
    for word in line.split_whitespace() {
        match word {
            "fn" => return Some("fn"),
            "impl" => return Some("impl"),
            "const" | "async" | "unsafe" | "extern" | "pub" => {}
            _ if word.starts_with("pub(") || word.starts_with('"') => {}
            _ if word.starts_with("impl<") => return Some("impl"),
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::tree::found;
    use super::{
        no_glob_reexports, no_test_is_skipped, nothing_is_left_undone, roots_hold_no_logic,
    };

    #[test]
    fn undone() {
        for halves in [
            ["// TO", "DO: later"],
            ["x(); // FIX", "ME"],
            ["# XX", "X"],
            ["to", "do!()"],
            ["unimple", "mented!()"],
        ] {
            let text = format!("fine\n{}\n", halves.concat());
            let lines = found(nothing_is_left_undone, &[("a.rs", &text)]);
            assert_eq!(lines.len(), 1, "{text}");
            assert!(lines[0].starts_with("a.rs:2: undone: "), "{}", lines[0]);
        }
        let part = ["AUTO", "DOMAIN and MAX_XX", "X\n"].concat();
        assert!(found(nothing_is_left_undone, &[("a.rs", &part)]).is_empty());
    }

    #[test]
    fn skipped() {
        for halves in [["#[ig", "nore]"], ["#[ig", "nore = \"slow\"]"], ["#[should", "_panic]"]] {
            let text = halves.concat();
            assert_eq!(found(no_test_is_skipped, &[("a.rs", &text)]).len(), 1, "{text}");
        }
        assert!(found(no_test_is_skipped, &[("a.rs", "#[test]\n")]).is_empty());
    }

    #[test]
    fn globs() {
        for text in [
            "pub use a::*;",
            "pub(crate) use a::b::*;",
            "pub use a::{b::*, c};",
            "pub use a::{\n    b,\n    c::*,\n};",
        ] {
            let lines = found(no_glob_reexports, &[("a.rs", text)]);
            assert_eq!(lines.len(), 1, "{text}");
            assert!(lines[0].starts_with("a.rs:1: globs: "), "{}", lines[0]);
        }
        for text in
            ["use super::*;", "pub use a::{b, c}; // not a::*", "pub user: x::*", "pub fn f() {}"]
        {
            assert!(found(no_glob_reexports, &[("a.rs", text)]).is_empty(), "{text}");
        }
    }

    #[test]
    fn roots() {
        for text in [
            "fn f() {}",
            "pub const fn f() {}",
            "pub(crate) async fn f() {}",
            "impl A {}",
            "impl<T> A for T {}",
        ] {
            assert_eq!(found(roots_hold_no_logic, &[("src/lib.rs", text)]).len(), 1, "{text}");
            assert_eq!(found(roots_hold_no_logic, &[("src/a/mod.rs", text)]).len(), 1, "{text}");
            assert!(found(roots_hold_no_logic, &[("src/a.rs", text)]).is_empty(), "{text}");
        }
        let fine = "//! fn of\nmod a;\npub use a::A;\nconst N: usize = 1;\n    fn indented() {}\n";
        assert!(found(roots_hold_no_logic, &[("src/lib.rs", fine)]).is_empty());
    }
}
