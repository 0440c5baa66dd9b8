//! How does a run go on: references set, conflicts stopped at, and what is done pushed?

use std::path::Path;

use refgate_core::Recipe;
use refgate_gate::Exit;

use crate::apply::Scribe;
use crate::git;
use crate::journal::{Journal, Line, State};
use crate::output::{Done, Failure, done, say, tell};
use crate::worktree;

/// Goes on with a run as far as it goes by itself.
pub(crate) fn carry_on(scribe: &Scribe, mut journal: Journal, recipes: &[Recipe]) -> Done {
    journal.save(&scribe.git_dir)?;
    scribe.set(&mut journal)?;
    let mut waits = false;
    for place in 0..journal.lines.len() {
        let Some(line) = journal.lines.get(place).cloned() else { continue };
        if !line.state.waits() {
            // A run that was killed in between may have left one standing.
            worktree::remove(&scribe.git_dir, &line)?;
            continue;
        }
        // One branch that fails does not stop the others.
        let next = worktree::resolve(&scribe.git_dir, &line, recipes).unwrap_or_else(|failure| {
            tell(&format!("git backport: {}: {}", line.branch, failure.message));
            line.clone()
        });
        let settled = next.state == State::Written;
        if let Some(slot) = journal.lines.get_mut(place) {
            *slot = next;
        }
        journal.save(&scribe.git_dir)?;
        if settled {
            scribe.set(&mut journal)?;
        }
        if let Some(line) = journal.lines.get(place).filter(|line| line.state == State::Done) {
            worktree::remove(&scribe.git_dir, line)?;
        }
    }
    for line in &journal.lines {
        waits |= line.state.waits();
        say(&told(&scribe.git_dir, line));
    }
    if !journal.pushed.is_empty() {
        pushed(scribe, &journal)?;
        journal.has_pushed = !waits;
        journal.save(&scribe.git_dir)?;
    }
    Ok(done(if waits { Exit::Refused } else { Exit::Accepted }))
}

fn told(git_dir: &Path, line: &Line) -> String {
    let Line { branch, reference, new, .. } = line;
    let stops = match &line.state {
        State::Written | State::Done => {
            let short = new.get(..10).unwrap_or(new);
            let name = reference.strip_prefix("refs/heads/").unwrap_or(reference);
            return format!("{branch}  done: {name} is {short}");
        }
        State::Skipped => return format!("{branch}  skipped"),
        State::Conflict { left, .. } => left.first().map_or("", String::as_str),
        State::Merging { theirs, .. } => theirs,
    };
    let worktree = worktree::place(git_dir, reference);
    let unmerged = match worktree::unmerged(&worktree) {
        0 => String::new(),
        count => format!(" ({count} file(s) wait for `git add`)"),
    };
    format!(
        "{branch}  conflict in {}{unmerged}: resolve it in\n    {}\n  with plain git, then \
         `git backport continue` (or `skip {branch}`, `abort`)",
        stops.get(..10).unwrap_or(stops),
        worktree.display()
    )
}

/// What the server refuses stays here, and `continue` pushes it again.
fn pushed(scribe: &Scribe, journal: &Journal) -> Result<(), Failure> {
    let done = journal.lines.iter().filter(|line| line.state == State::Done);
    let specs: Vec<String> =
        done.map(|line| format!("{}:{}", line.reference, line.reference)).collect();
    let mut arguments = vec!["push", &journal.pushed];
    arguments.extend(specs.iter().map(String::as_str));
    if specs.is_empty() {
        return Ok(());
    }
    let said = git::output(&scribe.git_dir, &arguments).map_err(|failure| {
        let way = "what is done is kept here: `git backport continue` pushes it again, `git \
                   backport undo` takes it back";
        Failure::new(failure.exit, format!("{}\n{way}", failure.message))
    })?;
    tell(said.trim());
    Ok(())
}
