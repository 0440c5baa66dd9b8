//! Dates the debts of a clone by the log of the server. The reflog of a clone knows only when
//! something was fetched, and the dates of commits are claims of their authors
//! (docs/design/model.md, "Time").

use refgate_core::{Debt, Flow};
use refgate_git::{GitError, Graph, Reader};
use serde_json::Value;

use crate::audit::steps;
use crate::dossier::decision_time;
use crate::log_entry::LogEntry;

/// The maximum number of log entries that are read.
const MAX_ENTRIES: usize = 20_000;

/// Adds the time when the server accepted each fix, if the clone has the log and the log
/// contains it. Other debts stay without a time.
///
/// # Errors
/// Returns an error if the log or a commit cannot be read.
pub fn date_debts(reader: &Reader, flow: &Flow, debts: &mut [Debt]) -> Result<(), GitError> {
    let mut open: Vec<&mut Debt> = debts.iter_mut().filter(|debt| debt.since.is_none()).collect();
    if open.is_empty() {
        return Ok(());
    }
    let graph = Graph::new(reader);
    let (mut read, mut failed) = (0, None);
    reader.log_entries(&mut |id, text, _| {
        read += 1;
        let entry = LogEntry::parse(id, text);
        let found = date_by_entry(&graph, flow, &entry, &mut open);
        failed = found.err();
        failed.is_none() && !open.is_empty() && read < MAX_ENTRIES
    })?;
    failed.map_or(Ok(()), Err)
}

/// Dates the debts whose fix came to its stage with one entry.
fn date_by_entry(
    graph: &Graph<'_>,
    flow: &Flow,
    entry: &LogEntry,
    open: &mut Vec<&mut Debt>,
) -> Result<(), GitError> {
    if open.is_empty() || entry.object.get("verdict").and_then(Value::as_str) != Some("accept") {
        return Ok(());
    }
    let Some(at) = decision_time(entry) else { return Ok(()) };
    for (name, old, new) in steps(&entry.object) {
        let Some(new) = new else { continue };
        for debt in open.iter_mut() {
            let stage = flow.stages.get(debt.from);
            if stage.is_none_or(|stage| stage.branch.as_str() != name) || debt.since.is_some() {
                continue;
            }
            let had = match old {
                Some(old) => graph.is_ancestor(debt.fix, old)?,
                None => false,
            };
            if !had && graph.is_ancestor(debt.fix, new)? {
                debt.since = Some(at);
            }
        }
    }
    open.retain(|debt| debt.since.is_none());
    Ok(())
}
