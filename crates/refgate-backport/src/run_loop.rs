//! How does a run go on: references set, conflicts stopped at, and what is done pushed?

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

/// Goes on with a run as far as it goes by itself.
pub(crate) fn carry_on(
    scribe: &PickWriter,
    mut journal: Journal,
    recipes: &[Recipe],
) -> VerbResult {
    journal.save(&scribe.git_dir)?;
    scribe.set(&mut journal)?;
    let mut waits = false;
    for place in 0..journal.lines.len() {
        let Some(line) = journal.lines.get(place).cloned() else { continue };
        if !line.state.waits() {
            // A run that was killed in between may have left one standing.
            worktree::remove(scribe, &line)?;
            continue;
        }
        // One branch that fails does not stop the others.
        let next = conflict::resolve(scribe, &line, recipes).unwrap_or_else(|failure| {
            tell(&format!("git backport: {}: {}", line.branch, failure.message));
            line.clone()
        });
        let written = next.state == State::Written;
        if let Some(slot) = journal.lines.get_mut(place) {
            *slot = next;
        }
        journal.save(&scribe.git_dir)?;
        if written {
            scribe.set(&mut journal)?;
        }
        if let Some(line) = journal.lines.get(place).filter(|line| line.state == State::Done) {
            worktree::remove(scribe, line)?;
        }
    }
    for line in &journal.lines {
        waits |= line.state.waits() || line.state == State::Written;
        if line.state == State::Done {
            notes(scribe, line)?;
        }
        say(&told(scribe, line));
    }
    if !journal.pushed.is_empty() {
        pushed(scribe, &mut journal)?;
        journal.has_pushed = !waits;
        journal.save(&scribe.git_dir)?;
    }
    if !waits {
        afterwards(scribe, &journal, recipes)?;
    }
    left_out(scribe, &journal);
    let fine = !waits && journal.left.is_empty();
    Ok(done(if fine { Exit::Accepted } else { Exit::Rejected }))
}

/// Says which branches a run does not carry to as asked.
pub(crate) fn left_out(scribe: &PickWriter, journal: &Journal) {
    for left in &journal.left {
        scribe.leaves(left);
    }
}

/// The commits that a line has got, each with the one that it was picked from;
/// what was merged with itself.
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

/// A note of the original is one of its copy, too, as it is after `git rebase`
/// with `notes.rewriteRef`. A copy that has one keeps it.
fn notes(scribe: &PickWriter, line: &Line) -> Result<(), Failure> {
    let folder = &scribe.git_dir;
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

/// The notes of copies that are taken back go, too.
pub(crate) fn forget_notes(scribe: &PickWriter, line: &Line) -> Result<(), Failure> {
    let folder = &scribe.git_dir;
    if git_command::output(folder, &["notes", "list"]).unwrap_or_default().is_empty() {
        return Ok(());
    }
    for (id, _) in copies(folder, line)?.iter().filter(|(id, from)| id != from) {
        git_command::output(folder, &["notes", "remove", "--ignore-missing", id])?;
    }
    Ok(())
}

/// What recipes leave for a person to do.
fn afterwards(scribe: &PickWriter, journal: &Journal, recipes: &[Recipe]) -> Result<(), Failure> {
    let mut paths = Vec::new();
    let finished = journal.lines.iter().filter(|line| line.state == State::Done);
    for line in finished.filter(|_| !recipes.is_empty()) {
        for (_, from) in copies(&scribe.git_dir, line)? {
            // Of a fix that is no longer here nothing is known.
            paths.extend(touched(&scribe.git_dir, &from).unwrap_or_default());
        }
    }
    for then in recipes::afterwards(recipes, &paths) {
        say(&match scribe.json {
            true => json!({ "state": "then", "words": then }).to_string(),
            false => format!("on each branch:  {then}"),
        });
    }
    Ok(())
}

fn told(scribe: &PickWriter, line: &Line) -> String {
    let Line { branch, reference, new, .. } = line;
    let worktree = worktree::place(&scribe.git_dir, reference).display().to_string();
    // What they speak of is there by then, if it is one.
    let here = new.get(..10).filter(|_| line.state == State::Done).unwrap_or("COMMIT");
    let needs: Vec<String> = line.needs.iter().map(|what| what.replace("COMMIT", here)).collect();
    let (state, at) = match &line.state {
        State::Done => ("done", new.as_str()),
        State::Written => ("waits", new.as_str()),
        State::Skipped => ("skipped", ""),
        State::Conflict { left, .. } => ("conflict", left.first().map_or("", String::as_str)),
        State::Merging { theirs, .. } => ("conflict", theirs.as_str()),
    };
    if scribe.json {
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
                count => format!(" ({count} file(s) wait for `git add`)"),
            };
            format!(
                "{branch}  conflict in {short}{unmerged}: resolve it in\n    {worktree}\n  with \
                 plain git, then `git backport continue` (or `skip {branch}`, `abort`)"
            )
        }
        "waits" => format!("{branch}  waits: {name} is to become {short}"),
        other => format!("{branch}  {other}"),
    }
}

/// The command that takes what a run made, and pushed, from the remote again;
/// branches that were there before stay.
pub(crate) fn deletes(journal: &Journal) -> Option<String> {
    let made = journal.lines.iter().filter(|line| line.old.is_empty() && !line.new.is_empty());
    let names = made.filter_map(|line| line.reference.strip_prefix("refs/heads/"));
    let ours = names.filter(|name| name.starts_with("backport/"));
    let names: Vec<String> = ours.map(|name| format!(" {name}")).collect();
    let remote = &journal.pushed;
    (!names.is_empty()).then(|| format!("git push {remote} --delete{}", names.concat()))
}

/// What the server refuses stays here, and `continue` pushes it again.
fn pushed(scribe: &PickWriter, journal: &mut Journal) -> Result<(), Failure> {
    let done = journal.lines.iter().filter(|line| line.state == State::Done);
    let specs: Vec<String> =
        done.map(|line| format!("{}:{}", line.reference, line.reference)).collect();
    if specs.is_empty() {
        return Ok(());
    }
    journal.tried = true;
    journal.save(&scribe.git_dir)?;
    let mut arguments = vec!["push", &journal.pushed];
    arguments.extend(specs.iter().map(String::as_str));
    // A remote may be a path from here.
    let push =
        git_command::command(&scribe.repository).args(&arguments).stdin(Stdio::null()).output()?;
    if !push.status.success() {
        let failure = git_command::failed(&arguments, &push.stderr);
        let way = "what is done is kept here: `git backport continue` pushes it again; where a branch has \
                   moved there, `git backport undo`, git fetch, and begin anew (a branch backport/... that \
                   an undone run has left there is to be deleted there first)";
        return Err(Failure::new(failure.exit, format!("{}\n{way}", failure.message)));
    }
    // The server's words, such as where to ask for the merge; and that what is
    // known of its branches could not be set, if so.
    tell(String::from_utf8_lossy(&push.stderr).trim());
    Ok(())
}
