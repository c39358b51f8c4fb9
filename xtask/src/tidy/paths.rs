//! No file names a place that exists on one machine only.

use super::tree::{Problem, Tree};

/// Beginnings of such places, in two halves so that this file does not name one itself.
const PLACES: [(&str, &str); 6] = [
    ("/ho", "me/"),
    ("/ro", "ot/"),
    ("/Us", "ers/"),
    ("/wo", "rk/"),
    ("C:\\Us", "ers\\"),
    ("C:/Us", "ers/"),
];

/// Home folders and other absolute paths of a machine work for one person only.
pub(super) fn no_machine_paths(tree: &Tree, problems: &mut Vec<Problem>) {
    let places = PLACES.map(|(first, second)| [first, second].concat());
    for file in &tree.files {
        for (number, line) in file.lines() {
            if let Some(place) = places.iter().find(|place| names(line, place)) {
                problems.push(file.problem(
                    number,
                    "paths",
                    format!("`{place}...` exists on one machine only"),
                ));
            }
        }
    }
}

/// Whether `line` has `place` where an absolute path begins, not inside of a longer path or URL.
fn names(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && !"_.-~}*/".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tree::found;
    use super::no_machine_paths;

    #[test]
    fn paths() {
        for place in super::PLACES.map(|(first, second)| [first, second].concat()) {
            let text = format!("fine\ndata = \"{place}me/photos\"\n");
            let found = found(no_machine_paths, &[("a.toml", &text)]);
            assert_eq!(found.len(), 1, "{text}");
            assert!(found[0].starts_with("a.toml:2: paths: "), "{}", found[0]);
        }
        let inner = ["https://example.org/ho", "me/\n$HOME/x\ndocs/wo", "rk/a.md\n"].concat();
        assert!(found(no_machine_paths, &[("a.md", &inner)]).is_empty());
    }
}
