//! Rules about TOML: manifests and experiments.

use super::tree::{File, Problem, Tree};
use crate::usage::COMMANDS;

/// A member that does not opt in is linted by nobody, and nothing else says so.
pub(super) fn members_opt_in_to_lints(tree: &Tree, problems: &mut Vec<Problem>) {
    for file in tree.files.iter().filter(|file| file.path.ends_with("/Cargo.toml")) {
        let opts_in = section(file, "[lints]").any(|(_, line)| line.trim() == "workspace = true");
        if !opts_in {
            problems.push(file.problem(1, "lints", "add `[lints]` with `workspace = true`"));
        }
    }
}

/// Somebody can ask of each dependency why it is there.
pub(super) fn dependencies_have_reasons(tree: &Tree, problems: &mut Vec<Problem>) {
    const REASONS: &str = "docs/dependencies.md";
    let Some(manifest) = tree.file("Cargo.toml") else { return };
    let reasons = tree.file(REASONS).map_or("", |file| file.text.as_str());
    for (number, line) in section(manifest, "[workspace.dependencies]") {
        let Some(name) = key(line) else { continue };
        if !name.starts_with("kiln-") && !reasons.contains(&format!("`{name}`")) {
            problems.push(manifest.problem(
                number,
                "dependencies",
                format!("`{name}` is not in {REASONS}: give its reason there, in backticks"),
            ));
        }
    }
}

/// A configuration is opened by people who want to know what it is for and how to run it.
pub(super) fn configs_say_what_and_how(tree: &Tree, problems: &mut Vec<Problem>) {
    const RULE: &str = "configs";
    for file in tree.with(&["toml"]) {
        let Some(inner) = file.path.strip_prefix("configs/") else { continue };
        let header: Vec<&str> =
            file.text.lines().map_while(|line| line.strip_prefix('#')).map(str::trim).collect();
        if header.first().is_none_or(|purpose| purpose.is_empty() || purpose.starts_with("Run:")) {
            problems.push(file.problem(1, RULE, "the first line must be a comment: its purpose"));
        }
        // Overlays are not run by themselves.
        if inner.contains('/') {
            continue;
        }
        let name = inner.trim_end_matches(".toml");
        let run = format!("Run: cargo xtask {name}");
        let tells = header
            .iter()
            .filter_map(|line| line.strip_prefix(&run))
            .any(|rest| rest.is_empty() || rest.starts_with(' '));
        if !tells {
            problems.push(file.problem(1, RULE, format!("the header must have `# {run}`")));
        }
        if COMMANDS.iter().any(|(command, _)| *command == name) {
            problems.push(file.problem(1, RULE, format!("`cargo xtask {name}` is a command")));
        }
    }
}

/// The lines below `header` up to the next section.
fn section<'a>(file: &'a File, header: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    file.lines()
        .skip_while(move |(_, line)| line.trim() != header)
        .skip(1)
        .take_while(|(_, line)| !line.starts_with('['))
}

/// The key of a line such as `name = ...` or `name.workspace = ...`; `None` inside of a value.
fn key(line: &str) -> Option<&str> {
    let end = line.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')?;
    let (name, rest) = line.split_at(end);
    (!name.is_empty() && rest.trim_start().starts_with(['=', '.'])).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::super::tree::found;
    use super::{configs_say_what_and_how, dependencies_have_reasons, members_opt_in_to_lints};

    #[test]
    fn lints() {
        let good = ("crates/a/Cargo.toml", "[package]\n\n[lints]\nworkspace = true\n");
        let bad = ("crates/b/Cargo.toml", "[package]\nworkspace = true\n[lints.rust]\n");
        assert_eq!(
            found(members_opt_in_to_lints, &[good, bad]),
            ["crates/b/Cargo.toml:1: lints: add `[lints]` with `workspace = true`"]
        );
    }

    #[test]
    fn dependencies() {
        let manifest = "[workspace.dependencies]\nkiln-data = { path = \"d\" }\n# why\nburn = { features = [\n    \"std\",\n] }\nserde.version = \"1\"\n\n[profile.dev]\nx = 1\n";
        let reasons = ("docs/dependencies.md", "| `burn` | tensors |\n");
        assert_eq!(
            found(dependencies_have_reasons, &[("Cargo.toml", manifest), reasons]),
            [
                "Cargo.toml:7: dependencies: `serde` is not in docs/dependencies.md: give its reason there, in backticks"
            ]
        );
        assert_eq!(found(dependencies_have_reasons, &[("Cargo.toml", manifest)]).len(), 2);
    }

    #[test]
    fn configs() {
        let check = |path, text, expect: &[&str]| {
            let found = found(configs_say_what_and_how, &[(path, text)]);
            assert_eq!(found.len(), expect.len(), "{text}: {found:?}");
            for (line, expect) in found.iter().zip(expect) {
                assert!(line.contains(expect), "{line}");
            }
        };
        check("configs/a.toml", "# Head only.\n# Run: cargo xtask a --data DIR\nseed = 1\n", &[]);
        check(
            "configs/a.toml",
            "# Head only.\n# Run: cargo xtask ab\n",
            &["`# Run: cargo xtask a`"],
        );
        check("configs/a.toml", "# Run: cargo xtask a\n", &["its purpose"]);
        check("configs/a.toml", "seed = 1\n# Late.\n", &["its purpose", "Run:"]);
        check("configs/test.toml", "# X.\n# Run: cargo xtask test\n", &["is a command"]);
        check("configs/overlays/small.toml", "# Small.\n", &[]);
        check("configs/overlays/small.toml", "seed = 1\n", &["its purpose"]);
    }
}
