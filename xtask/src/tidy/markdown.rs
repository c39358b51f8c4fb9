//! Reading markdown just enough for the rules, and the rule about its links.

use super::tree::{File, Problem, Tree};

/// The lines outside of fenced code blocks and HTML comments, with code spans blanked out.
pub(super) fn prose(file: &File) -> impl Iterator<Item = (usize, String)> {
    let mut fence = None;
    file.lines().filter_map(move |(number, line)| {
        let start = line.trim_start();
        let marker = ["```", "~~~"].into_iter().find(|marker| start.starts_with(marker));
        match (fence, marker) {
            (None, Some(opened)) => fence = Some(opened),
            (Some(opened), Some(closed)) if opened == closed => fence = None,
            (None, None) => return Some((number, without_code(line))),
            _ => {}
        }
        None
    })
}

/// Replaces what stands between backticks by `-`, so that it is neither prose nor a link.
fn without_code(line: &str) -> String {
    let mut inside = false;
    line.chars()
        .map(|c| {
            if c == '`' {
                inside = !inside;
            }
            if inside && c != '`' { '-' } else { c }
        })
        .collect()
}

/// Links to files of the repository lead to files of the repository.
pub(super) fn links_lead_somewhere(tree: &Tree, problems: &mut Vec<Problem>) {
    for file in tree.with(&["md"]) {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (number, line) in prose(file) {
            for link in links(&line) {
                let target = link.split('#').next().unwrap_or_default().replace("%20", " ");
                if target.is_empty() || target.contains(':') {
                    continue;
                }
                if !resolve(folder, &target).is_some_and(|path| tree.has(&path)) {
                    let message = format!("`{target}` does not exist");
                    problems.push(file.problem(number, "links", message));
                }
            }
        }
    }
}

/// Targets of `[text](target)`, `[label]: target`, `src="target"` and `href="target"`.
fn links(line: &str) -> Vec<&str> {
    let mut links = Vec::new();
    for (mark, end) in [("](", ')'), ("src=\"", '"'), ("href=\"", '"')] {
        for (at, _) in line.match_indices(mark) {
            let target = line[at + mark.len()..].split(end).next().unwrap_or_default();
            // A title may follow: [text](target "title").
            links.push(target.split(" \"").next().unwrap_or_default().trim());
        }
    }
    if let Some((_, target)) = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")) {
        links.push(target.split_whitespace().next().unwrap_or_default());
    }
    links
}

/// `target` as seen from `folder`, relative to the root; `None` when it leaves the repository.
fn resolve(folder: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = match target.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => folder.split('/').filter(|part| !part.is_empty()).collect(),
    };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::super::tree::found;
    use super::{links, links_lead_somewhere, resolve};

    #[test]
    fn link_targets() {
        assert_eq!(links("see [a](b.md#c) and ![d](e.png \"f\")"), ["b.md#c", "e.png"]);
        assert_eq!(links("[label]: docs/a.md"), ["docs/a.md"]);
        assert_eq!(links("<img src=\"a.png\"> <a href=\"b\">"), ["a.png", "b"]);
    }

    #[test]
    fn resolving() {
        for (folder, target, expect) in [
            ("", "a.md", Some("a.md")),
            ("docs/b", "../a.md", Some("docs/a.md")),
            ("docs", "./x/", Some("docs/x")),
            ("docs", "/a.md", Some("a.md")),
            ("docs", "../../a.md", None),
        ] {
            assert_eq!(resolve(folder, target).as_deref(), expect, "{folder} {target}");
        }
    }

    #[test]
    fn missing_targets() {
        let text = "[a](b.md) [web](https://example.org/x.md) [here](#part)\n[gone](../gone.md#x)\n`[no](link)`\n```text\n[no](link)\n```\n[folder](.)\n";
        assert_eq!(
            found(links_lead_somewhere, &[("docs/a.md", text), ("docs/b.md", "")]),
            ["docs/a.md:2: links: `../gone.md` does not exist"]
        );
    }
}
