//! Asks a person at a terminal for the fixes and the target branches that are not given.

use std::io::IsTerminal as _;

use dialoguer::MultiSelect;
use dialoguer::theme::ColorfulTheme;
use refgate_core::matrix::OriginLink;
use refgate_gate::Exit;
use refgate_report::clean;

use crate::args::RepositoryArgs;
use crate::command::plan::words;
use crate::fix_index::{FixIndex, IndexOptions};
use crate::git_command;
use crate::output::Failure;
use crate::plan::{Forecast, Target};

/// The number of newest changes that are offered, in addition to those with a gap.
const MAX_NEWEST_OPTION: &str = "--max-count=30";

/// Lets the user select fixes. The list begins with the fixes that have a gap, then come
/// the newest changes of the upstream branch.
pub(crate) fn fixes(place: &RepositoryArgs) -> Result<Vec<String>, Failure> {
    if !is_interactive() {
        let message = "cannot start: no fix was given\nhint: name commits, or ranges such as A..B";
        return Err(Failure::new(Exit::Usage, message));
    }
    let known = FixIndex::read(place, IndexOptions::default())?;
    let matrix = known.matrix();
    let mut offered: Vec<(String, String)> = Vec::new();
    for root in matrix.carried() {
        let fix = matrix.fix(root);
        if let (OriginLink::Here(_), false) = (root, fix.gaps.is_empty()) {
            let (id, title) = known.shown(root);
            let gaps: Vec<&str> = fix.gaps.iter().map(|gap| known.branches.name(*gap)).collect();
            offered.push((id, format!("{title}  (missing on {})", gaps.join(", "))));
        }
    }
    if let Some(upstream) = known.branches.all.first() {
        let tip = upstream.tip.to_string();
        let arguments = ["log", "--no-merges", MAX_NEWEST_OPTION, "--format=%H %s", &tip, "--"];
        for line in git_command::output(known.reader.git_dir(), &arguments)?.lines() {
            let (id, title) = line.split_once(' ').unwrap_or((line, ""));
            if !offered.iter().any(|(known, _)| known == id) {
                offered.push((id.to_string(), title.to_string()));
            }
        }
    }
    let shown: Vec<String> = offered
        .iter()
        .map(|(id, title)| format!("{} {}", id.get(..10).unwrap_or(id), clean(title)))
        .collect();
    let chosen = chosen("Which fixes? (space selects, enter continues)", &shown, &[])?;
    Ok(chosen.into_iter().filter_map(|at| Some(offered.get(at)?.0.clone())).collect())
}

/// Lets the user select targets, each with its forecast. Targets to which a fix applies
/// are preselected.
pub(crate) fn targets(known: &FixIndex, targets: Vec<Target>) -> Result<Vec<Target>, Failure> {
    let shown: Vec<String> = targets
        .iter()
        .map(|target| {
            let forecasts = target.forecasts.iter().map(|(_, forecast)| words(known, forecast));
            let all: Vec<String> = forecasts.map(|text| clean(&text)).collect();
            format!("{:<16} {}", known.branches.name(target.place), all.join("; "))
        })
        .collect();
    let applies =
        |target: &Target| target.forecasts.iter().any(|(_, one)| matches!(one, Forecast::Clean(_)));
    let before: Vec<bool> = targets.iter().map(applies).collect();
    let chosen = chosen("To which branches?", &shown, &before)?;
    let wanted = targets.into_iter().enumerate().filter(|(at, _)| chosen.contains(at));
    Ok(wanted.map(|(_, target)| target).collect())
}

/// Whether the program runs on a terminal.
pub(crate) fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

fn chosen(prompt: &str, items: &[String], before: &[bool]) -> Result<Vec<usize>, Failure> {
    let theme = ColorfulTheme::default();
    let list = MultiSelect::with_theme(&theme).with_prompt(prompt).items(items);
    let list = if before.is_empty() { list } else { list.defaults(before) };
    let failed = |error: dialoguer::Error| Failure::new(Exit::Failed, error.to_string());
    let nothing = || Failure::new(Exit::BadInput, "nothing was selected");
    list.interact_opt().map_err(failed)?.filter(|all| !all.is_empty()).ok_or_else(nothing)
}
