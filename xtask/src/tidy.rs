//! The repository's own rules, those that no compiler or linter checks.
//!
//! A rule is a function from the [`Tree`] to [`Problem`]s. It reads no disk, so its test is a
//! tree of two lines with a mistake in it.

mod manifests;
mod markdown;
mod names;
mod paths;
mod sentences;
mod source;
mod tree;

use std::process::ExitCode;

use anyhow::Result;

use self::tree::{Problem, Tree};
use crate::workspace::Workspace;

/// A rule reads the tree and adds what it finds.
type Rule = fn(&Tree, &mut Vec<Problem>);

const RULES: [Rule; 12] = [
    manifests::members_opt_in_to_lints,
    manifests::dependencies_have_reasons,
    manifests::configs_say_what_and_how,
    names::names_say_what_is_inside,
    names::files_are_short,
    paths::no_machine_paths,
    source::nothing_is_left_undone,
    source::no_test_is_skipped,
    source::no_glob_reexports,
    source::roots_hold_no_logic,
    markdown::links_lead_somewhere,
    sentences::one_sentence_per_line,
];

/// `cargo xtask tidy`.
pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode> {
    let problems = problems(workspace)?;
    for problem in &problems {
        eprintln!("{problem}");
    }
    if problems.is_empty() {
        println!("tidy: {} rules hold", RULES.len());
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("tidy: {} problems", problems.len());
    Ok(ExitCode::FAILURE)
}

/// Everything that breaks a rule, sorted by place.
pub(crate) fn problems(workspace: &Workspace) -> Result<Vec<Problem>> {
    let tree = Tree::read(workspace)?;
    let mut problems = Vec::new();
    for rule in RULES {
        rule(&tree, &mut problems);
    }
    problems.sort();
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::problems;
    use crate::workspace::Workspace;

    #[test]
    fn the_repository_is_tidy() {
        let problems = problems(&Workspace::find()).unwrap();
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "\n{}", lines.join("\n"));
    }
}
