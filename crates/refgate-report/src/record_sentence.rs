//! The sentences about pushes to the ledger and about records that are not accepted.

use refgate_core::{LedgerFormError, RecordRejection};

use crate::escape::clean;
use crate::units::length;

pub(crate) fn form_sentence(error: &LedgerFormError) -> String {
    match error {
        LedgerFormError::NotForward => {
            "The ledger is append-only: the push must add commits after its tip.".into()
        }
        LedgerFormError::Merge { commit } => {
            format!("Commit {} of the ledger must have exactly one parent.", commit.short())
        }
        LedgerFormError::NotOneFile { commit } => format!(
            "Commit {} of the ledger must add exactly one record and change nothing else.",
            commit.short()
        ),
        LedgerFormError::Misplaced { .. } => "A record is stored at the wrong path.".into(),
        LedgerFormError::Unreadable { .. } => "A file in the ledger is not a valid record.".into(),
        LedgerFormError::Signature { .. } => "The signature of a record is not valid.".into(),
    }
}

pub(crate) fn record_sentence(why: &RecordRejection) -> String {
    match why {
        RecordRejection::Role(_) => "The signer has no role that may make this record.".into(),
        RecordRejection::Moment { tolerance, .. } => format!(
            "The time of the record is not the server's time. A record must arrive within {} of \
             its signature.",
            length(*tolerance)
        ),
        RecordRejection::Repository { .. } => "The record is about another repository.".into(),
        RecordRejection::Lasts { longest } => {
            format!("The record must end after it begins, and within {}.", length(*longest))
        }
        RecordRejection::Uses { most: 1 } => "A waiver can allow 1 landing.".into(),
        RecordRejection::Uses { most } => format!("A waiver can allow 1 to {most} landings."),
        RecordRejection::Rule(rule) => {
            format!("The rule `{}` does not accept records of this kind.", rule.name())
        }
        RecordRejection::Unknown(id) => {
            format!("The record names {}, which is not in the ledger.", id.short())
        }
        RecordRejection::NotTheirs(by) => format!(
            "Only its signer, {}, or a person who grants waivers can withdraw this record.",
            clean(by)
        ),
        RecordRejection::Another { commit, .. } => format!(
            "Another candidate, {}, is open and is not part of this one. Merge it, or withdraw it \
             first.",
            commit.short()
        ),
        RecordRejection::Number { next } => {
            format!("The next candidate of this release must have number {next}.")
        }
        RecordRejection::Absent(what) => {
            format!("The server does not have {} as the record says.", clean(what))
        }
        RecordRejection::Blocked(name) => format!(
            "A freeze cannot be signed off while the blocker \"{}\" is open. Withdraw it first.",
            clean(name)
        ),
        RecordRejection::Own => "People cannot certify themselves. Another trainer can.".into(),
        RecordRejection::Final(kind) => format!(
            "A {kind} has already had its effect and cannot be withdrawn. Make a new record for \
             what holds from now on."
        ),
        RecordRejection::Name(name) => format!("The policy does not define `{}`.", clean(name)),
        RecordRejection::Nowhere(name) => format!(
            "`{}` is not a stage, a line or a release tag, so no rule applies there.",
            clean(name.short())
        ),
    }
}
