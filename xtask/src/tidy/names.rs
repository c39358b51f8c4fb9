//! Rules about files as such: what they are called and how long they are.

use super::tree::{Problem, Tree};

/// Names of drawers rather than of things. What is in them always has a better name.
const DRAWERS: [&str; 7] = ["base", "common", "helper", "helpers", "misc", "util", "utils"];

/// Where a file is longer than this, it holds two concepts.
const MAX_LINES: usize = 500;

/// No file or folder is called after a drawer.
pub(super) fn names_say_what_is_inside(tree: &Tree, problems: &mut Vec<Problem>) {
    for file in &tree.files {
        for part in file.path.split('/') {
            let stem = part.split('.').find(|stem| !stem.is_empty()).unwrap_or(part);
            if DRAWERS.contains(&stem.to_ascii_lowercase().as_str()) {
                problems.push(file.problem(
                    1,
                    "names",
                    format!("`{part}` does not say what is inside"),
                ));
            }
        }
    }
}

/// Files written by hand stay short; generated pages and the changelog are as long as they are.
pub(super) fn files_are_short(tree: &Tree, problems: &mut Vec<Problem>) {
    for file in tree.with(&["css", "md", "py", "rs", "sh", "toml"]) {
        let lines = file.text.lines().count();
        let exempt = file.path.starts_with("docs/reference/") || file.path == "CHANGELOG.md";
        if lines > MAX_LINES && !exempt {
            problems.push(file.problem(
                lines,
                "length",
                format!("{lines} lines; split it, {MAX_LINES} is the limit"),
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::found;
    use super::{files_are_short, names_say_what_is_inside};

    #[test]
    fn names() {
        let paths = ["src/utils.rs", "common/a.rs", "src/util/b.rs", "crates/x/Base.toml"];
        for path in paths {
            assert_eq!(found(names_say_what_is_inside, &[(path, "")]).len(), 1, "{path}");
        }
        for path in ["src/database.rs", ".cargo/config.toml", "src/lib.rs", ".gitignore"] {
            assert!(found(names_say_what_is_inside, &[(path, "")]).is_empty(), "{path}");
        }
    }

    #[test]
    fn length() {
        let long = "\n".repeat(501);
        assert_eq!(
            found(files_are_short, &[("a.rs", &long), ("b.rs", &long[1..]), ("Cargo.lock", &long)]),
            ["a.rs:501: length: 501 lines; split it, 500 is the limit"]
        );
        assert!(found(files_are_short, &[("docs/reference/ops.md", &long)]).is_empty());
    }
}
