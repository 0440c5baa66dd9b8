//! Continues a run: sets refs, stops at conflicts, and pushes the finished branches.

use std::path::Path;
use std::process::Stdio;

use refgate_core::Recipe;
use refgate_gate::Exit;
use serde_json::json;

use crate::git_command;
use crate::output::{Failure, VerbResult, done, say, tell};
use crate::pick_writer::PickWriter;
use crate::recipes;
use crate::resolution::touched;
use crate::run_state::{Journal, Line, State};
use crate::{conflict, worktree};

/// Continues a run until every line is finished or waits for the user.
pub(crate) fn advance_run(
    pick_writer: &PickWriter,
    mut journal: Journal,
    recipes: &[Recipe],
) -> VerbResult {
    journal.save(&pick_writer.git_dir)?;
    pick_writer.set(&mut journal)?;
    let mut waits = false;
    for place in 0..journal.lines.len() {
        let Some(line) = journal.lines.get(place).cloned() else { continue };
        if !line.state.waits() {
            // A killed run can have left the worktree of a finished line.
            worktree::remove(pick_writer, &line)?;
            continue;
        }
        // An error on one branch does not stop the others.
        let next = conflict::resolve(pick_writer, &line, recipes).unwrap_or_else(|failure| {
            tell(&format!("git backport: {}: {}", line.branch, failure.message));
            line.clone()
        });
        let written = next.state == State::Written;
        if let Some(slot) = journal.lines.get_mut(place) {
            *slot = next;
        }
        journal.save(&pick_writer.git_dir)?;
        if written {
            pick_writer.set(&mut journal)?;
        }
        if let Some(line) = journal.lines.get(place).filter(|line| line.state == State::Done) {
            worktree::remove(pick_writer, line)?;
        }
    }
    for line in &journal.lines {
        waits |= line.state.waits() || line.state == State::Written;
        if line.state == State::Done {
            notes(pick_writer, line)?;
        }
        say(&told(pick_writer, line));
    }
    if !journal.pushed.is_empty() {
        pushed(pick_writer, &mut journal)?;
        journal.has_pushed = !waits;
        journal.save(&pick_writer.git_dir)?;
    }
    if !waits {
        manual_steps(pick_writer, &journal, recipes)?;
    }
    report_skipped_targets(pick_writer, &journal);
    let fine = !waits && journal.left.is_empty();
    Ok(done(if fine { Exit::Accepted } else { Exit::Rejected }))
}

/// Reports the branches and fixes that a run skips.
pub(crate) fn report_skipped_targets(pick_writer: &PickWriter, journal: &Journal) {
    for left in &journal.left {
        pick_writer.leaves(left);
    }
}

/// The new commits of a line, each with its original. A commit that came by a merge is
/// its own original.
pub(crate) fn copies(folder: &Path, line: &Line) -> Result<Vec<(String, String)>, Failure> {
    if line.began.is_empty() {
        return Ok(Vec::new());
    }
    let range = format!("{}..{}", line.began, line.new);
    let listed = ["log", "-z", "--no-merges", "--format=%H%n%B", &range, "--"];
    let log = git_command::output(folder, &listed)?;
    let one = |text: &str| {
        let (id, message) = text.split_once('\n')?;
        let from = message.lines().rev().find_map(|text| {
            text.trim().strip_prefix("(cherry picked from commit ")?.strip_suffix(')')
        });
        Some((id.to_string(), from.unwrap_or(id).to_string()))
    };
    Ok(log.split('\0').filter_map(one).collect())
}

/// Copies the notes of the originals to their picks, as `git rebase` does with
/// `notes.rewriteRef`. A pick that already has a note keeps it.
fn notes(pick_writer: &PickWriter, line: &Line) -> Result<(), Failure> {
    let folder = &pick_writer.git_dir;
    let listed = git_command::output(folder, &["notes", "list"]).unwrap_or_default();
    if listed.is_empty() {
        return Ok(());
    }
    let noted = |id: &str| listed.lines().any(|one| one.ends_with(id));
    for (id, from) in copies(folder, line)? {
        if !noted(&id) && noted(&from) {
            git_command::output(folder, &["notes", "copy", &from, &id])?;
        }
    }
    Ok(())
}

/// Removes the notes of the picks that an undo takes back.
pub(crate) fn forget_notes(pick_writer: &PickWriter, line: &Line) -> Result<(), Failure> {
    let folder = &pick_writer.git_dir;
    if git_command::output(folder, &["notes", "list"]).unwrap_or_default().is_empty() {
        return Ok(());
    }
    for (id, _) in copies(folder, line)?.iter().filter(|(id, from)| id != from) {
        git_command::output(folder, &["notes", "remove", "--ignore-missing", id])?;
    }
    Ok(())
}

/// Reports what a person must still do because of the recipes.
fn manual_steps(
    pick_writer: &PickWriter,
    journal: &Journal,
    recipes: &[Recipe],
) -> Result<(), Failure> {
    let mut paths = Vec::new();
    let finished = journal.lines.iter().filter(|line| line.state == State::Done);
    for line in finished.filter(|_| !recipes.is_empty()) {
        for (_, from) in copies(&pick_writer.git_dir, line)? {
            // The original can be missing in this repository.
            paths.extend(touched(&pick_writer.git_dir, &from).unwrap_or_default());
        }
    }
    for then in recipes::manual_steps(recipes, &paths) {
        say(&match pick_writer.json {
            true => json!({ "state": "then", "words": then }).to_string(),
            false => format!("on each branch:  {then}"),
        });
    }
    Ok(())
}

fn told(pick_writer: &PickWriter, line: &Line) -> String {
    let Line { branch, reference, new, .. } = line;
    let worktree = worktree::place(&pick_writer.git_dir, reference).display().to_string();
    // A finished line has a commit id for the placeholder in the commands.
    let here = new.get(..10).filter(|_| line.state == State::Done).unwrap_or("COMMIT");
    let needs: Vec<String> = line.needs.iter().map(|what| what.replace("COMMIT", here)).collect();
    let (state, at) = match &line.state {
        State::Done => ("done", new.as_str()),
        State::Written => ("waits", new.as_str()),
        State::Skipped => ("skipped", ""),
        State::Conflict { left, .. } => ("conflict", left.first().map_or("", String::as_str)),
        State::Merging { theirs, .. } => ("conflict", theirs.as_str()),
    };
    if pick_writer.json {
        let waits = line.state.waits().then_some(&worktree);
        let told = json!({
            "branch": branch, "state": state, "reference": reference, "commit": at,
            "worktree": waits, "needs": needs,
        });
        return told.to_string();
    }
    let short = at.get(..10).unwrap_or(at);
    let name = reference.strip_prefix("refs/heads/").unwrap_or(reference);
    match state {
        "done" => {
            let needs: Vec<String> = needs.iter().map(|what| format!("\n  needs {what}")).collect();
            format!("{branch}  done: {name} is {short}{}", needs.concat())
        }
        "conflict" => {
            let unmerged = match worktree::unmerged(Path::new(&worktree)) {
                0 => String::new(),
                count => format!(" ({count} unmerged file{})", if count == 1 { "" } else { "s" }),
            };
            format!(
                "{branch}  conflict in {short}{unmerged}; resolve it with git in\n    \
                 {worktree}\n  then `git backport continue` (or `skip {branch}`, `abort`)"
            )
        }
        "waits" => format!("{branch}  waits: {name} will be set to {short}"),
        other => format!("{branch}  {other}"),
    }
}

/// The command that deletes from the remote the branches that a run created and pushed.
/// Branches that existed before are not included.
pub(crate) fn deletes(journal: &Journal) -> Option<String> {
    let made = journal.lines.iter().filter(|line| line.old.is_empty() && !line.new.is_empty());
    let names = made.filter_map(|line| line.reference.strip_prefix("refs/heads/"));
    let ours = names.filter(|name| name.starts_with("backport/"));
    let names: Vec<String> = ours.map(|name| format!(" {name}")).collect();
    let remote = &journal.pushed;
    (!names.is_empty()).then(|| format!("git push {remote} --delete{}", names.concat()))
}

/// Pushes the finished branches. If the push fails, they stay in this repository, and
/// `continue` pushes them again.
fn pushed(pick_writer: &PickWriter, journal: &mut Journal) -> Result<(), Failure> {
    let done = journal.lines.iter().filter(|line| line.state == State::Done);
    let specs: Vec<String> =
        done.map(|line| format!("{}:{}", line.reference, line.reference)).collect();
    if specs.is_empty() {
        return Ok(());
    }
    journal.tried = true;
    journal.save(&pick_writer.git_dir)?;
    let mut arguments = vec!["push", &journal.pushed];
    arguments.extend(specs.iter().map(String::as_str));
    // The remote can be a path relative to this directory.
    let push = git_command::command(&pick_writer.repository)
        .args(&arguments)
        .stdin(Stdio::null())
        .output()?;
    if !push.status.success() {
        let failure = git_command::failed(&arguments, &push.stderr);
        let way = "hint: `git backport continue` pushes the finished branches again\nhint: if a \
                   branch has moved on the remote, run `git backport undo` and `git fetch`, then \
                   start again; first delete branches backport/... of undone runs on the remote";
        return Err(Failure::new(failure.exit, format!("{}\n{way}", failure.message)));
    }
    // The server's messages, such as the address for a merge request, and Git's warning if
    // a remote-tracking branch could not be updated.
    tell(String::from_utf8_lossy(&push.stderr).trim());
    Ok(())
}
