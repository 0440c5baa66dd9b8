//! Checks that the subjects of new records exist, and reads the records that they name.

use refgate_core::{EvidenceKind, LedgerEdit, Policy, Record, RecordBody, RecordId, RefName};
use refgate_format::{list_months, slug};
use refgate_git::{Graph, Reader};

use crate::ledger_reader::{LedgerError, LedgerReader, MAX_FREEZE_LENGTH};

/// Describes the subject of a record, if the repository does not contain it in this form.
pub(crate) fn absent(here: &Reader, record: &Record) -> Option<String> {
    match &record.body {
        RecordBody::SignOff { commit, tree, .. } | RecordBody::Candidate { commit, tree, .. } => {
            let is = here.commit(*commit).is_ok_and(|found| found.tree == *tree);
            (!is).then(|| format!("commit {} with tree {}", commit.short(), tree.short()))
        }
        // A blocker can name a release that does not exist yet.
        RecordBody::Evidence {
            release,
            what: EvidenceKind::ProductionRun | EvidenceKind::Notice,
            ..
        }
        | RecordBody::FreezeExit { release }
        | RecordBody::Iteration { release }
        | RecordBody::ReleaseFinish { release } => {
            // Release tags never move, so a recomputed verdict finds the same tag.
            let tag = RefName::parse(&format!("refs/tags/{release}")).ok();
            let is = tag.is_some_and(|tag| here.resolve_object(tag.as_str()).is_ok());
            (!is).then(|| format!("the release `{release}`"))
        }
        RecordBody::DeletionRequest { on, value } => {
            let is = here.reference(on).is_ok_and(|held| held.is_some_and(|(id, _)| id == *value));
            (!is).then(|| format!("`{}` at {}", on.short(), value.short()))
        }
        _ => None,
    }
}

/// Adds the records that new records name, and the open candidates, for the rule `ledger`.
pub(crate) fn named(
    book: &LedgerReader<'_>,
    here: &Reader,
    policy: &Policy,
    edit: &mut LedgerEdit,
) -> Result<(), LedgerError> {
    let mut found: Vec<(RecordId, Record)> = Vec::new();
    let mut candidates = Vec::new();
    for record in &edit.appended {
        match &record.body {
            RecordBody::Withdrawal { of, shelf } | RecordBody::Settlement { of, shelf } => {
                let all = book.shelf(policy, shelf)?;
                found.extend(all.into_iter().filter(|r| r.id == *of).map(|r| (r.id, r)));
            }
            RecordBody::UatFailed { of, release } => {
                let all = book.shelf(policy, &format!("release/{}", slug(release)))?;
                found.extend(all.into_iter().filter(|r| r.id == *of).map(|r| (r.id, r)));
            }
            RecordBody::Thaw { of } => {
                let soon = list_months(record.at, MAX_FREEZE_LENGTH);
                let all = book.shelves(policy, soon.iter().map(|m| format!("freeze/{m}")))?;
                found.extend(all.into_iter().filter(|r| r.id == *of).map(|r| (r.id, r)));
            }
            RecordBody::Candidate { commit, .. } => candidates.push(*commit),
            _ => {}
        }
    }
    if !candidates.is_empty() {
        let all = book.shelves(policy, book.open_releases(here)?)?;
        for record in &all {
            // A candidate that failed or was withdrawn is not open.
            if let RecordBody::UatFailed { of, .. } | RecordBody::Withdrawal { of, .. } =
                &record.body
            {
                found.push((*of, record.clone()));
            }
        }
        let graph = Graph::new(here);
        edit.open =
            all.into_iter().filter(|r| matches!(r.body, RecordBody::Candidate { .. })).collect();
        for other in &edit.open {
            let RecordBody::Candidate { commit: tip, .. } = other.body else { continue };
            for new in &candidates {
                if here.commit(*new).is_ok() && graph.is_ancestor(tip, *new)? {
                    edit.contained.push((tip, *new));
                }
            }
        }
    }
    edit.named = found;
    Ok(())
}
