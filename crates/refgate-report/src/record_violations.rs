//! What do findings about records, releases and debts say?

use refgate_core::{
    Case, Debt, Duration, LedgerFormError, MissingSignOff, RecordRejection, Violation,
};

use crate::escape::{clean, shorten};
use crate::finding_text::people;
use crate::show;

/// So many debts are told one by one.
const MOST_DEBTS: usize = 5;

/// A sentence and facts; `None` for findings of another kind.
pub(crate) fn said(
    case: &Case<'_>,
    what: &Violation,
    facts: &mut Vec<(&'static str, String)>,
) -> Option<String> {
    Some(match what {
        Violation::LedgerBroken { broken } => broken_sentence(broken, facts),
        Violation::RecordRefused { record, kind, by, why } => {
            facts.push(("record", format!("{kind} {} by {}", record.short(), clean(by))));
            refused(case, why, facts)
        }
        Violation::NoCandidate { failed: Some(failed), .. } => {
            facts.push(("failed", format!("candidate record {}", failed.short())));
            facts.push(("may", people(case, &case.policy.ledger.releases)));
            "This candidate failed its user acceptance test; the next one needs a new record."
                .to_string()
        }
        Violation::NoCandidate { failed: None, .. } => {
            facts.push(("may", people(case, &case.policy.ledger.releases)));
            "Only what was named a release candidate is promoted here.".to_string()
        }
        Violation::NotSignedOff { tree, missing } => {
            facts.push(("tree", tree.to_string()));
            facts.extend(missing.iter().map(|one| ("missing", missing_sign_off(case, one))));
            "Production takes only what was signed off.".to_string()
        }
        Violation::NotSoaked { since, soak } => {
            let had = since.map_or_else(
                || "the stage before does not have this content now".to_string(),
                |since| format!("the stage before has it since {}", show(since)),
            );
            facts.push(("soak", had));
            format!("It must have been on the stage before for {}.", length(*soak))
        }
        Violation::NotTrained { actor, course, expired } => {
            if let Some(expired) = expired {
                facts.push(("expired", show(*expired)));
            }
            facts.push(("issued by", people(case, &case.policy.ledger.trainers)));
            let course = clean(course);
            match actor {
                Some(who) => {
                    format!("`{}` has no certificate of the course \"{course}\".", clean(who))
                }
                None => format!("Nobody knows who pushes; the course \"{course}\" is needed."),
            }
        }
        Violation::Overdue { debts, owes } => overdue(case, debts, owes, facts),
        _ => return None,
    })
}

/// `uat by users (uma): 0 of 1`.
#[must_use]
pub fn missing_sign_off(case: &Case<'_>, one: &MissingSignOff) -> String {
    let MissingSignOff { meaning, role, have, want, reopened } = one;
    let again = reopened.as_ref().map_or_else(String::new, |path| {
        format!("; an earlier one was re-opened by {}", shorten(path, 40))
    });
    format!("{} by {}: {have} of {want}{again}", meaning.name(), people(case, role))
}

fn broken_sentence(broken: &LedgerFormError, facts: &mut Vec<(&'static str, String)>) -> String {
    match broken {
        LedgerFormError::NotForward => {
            "The ledger only grows; this does not continue what is there.".to_string()
        }
        LedgerFormError::Merge { commit } => {
            format!("Commit {} of the ledger must have one parent.", commit.short())
        }
        LedgerFormError::NotOneFile { commit } => {
            format!("Commit {} must add one new record and touch nothing else.", commit.short())
        }
        LedgerFormError::Misplaced { path, expected } => {
            facts.push(("lies at", shorten(path, 150)));
            facts.push(("belongs", shorten(expected, 150)));
            "A record lies where nobody would look for it.".to_string()
        }
        LedgerFormError::Unreadable { path, why } => {
            facts.push(("lies at", shorten(path, 150)));
            facts.push(("because", clean(why)));
            "A file in the ledger is no record.".to_string()
        }
        LedgerFormError::Signature { path, why } => {
            facts.push(("lies at", shorten(path, 150)));
            facts.push(("because", clean(why)));
            "A record's signature does not hold.".to_string()
        }
    }
}

fn refused(
    case: &Case<'_>,
    why: &RecordRejection,
    facts: &mut Vec<(&'static str, String)>,
) -> String {
    match why {
        RecordRejection::Role(roles) => {
            let may: Vec<String> = roles.iter().map(|role| people(case, role)).collect();
            facts.push(("may", may.join("; ")));
            "Its maker has no role that may record this.".to_string()
        }
        RecordRejection::Moment { at, tolerance } => {
            facts.push(("says", show(*at)));
            facts.push(("here it is", show(case.push.at)));
            format!(
                "Its moment is not the server's present: a record arrives within {} of its making.",
                length(*tolerance)
            )
        }
        RecordRejection::Repository { named, here } => {
            facts.push(("says", clean(named)));
            facts.push(("here", clean(here)));
            "It speaks of another repository.".to_string()
        }
        RecordRejection::Lasts { longest } => {
            format!("It must end after it begins, and within {}.", length(*longest))
        }
        RecordRejection::Uses { most } => format!("It may let 1 to {most} landings through."),
        RecordRejection::Rule(rule) => {
            format!("The rule `{}` knows no record of this kind.", rule.name())
        }
        RecordRejection::Unknown(id) => {
            format!("The record {} that it names is not in the ledger.", id.short())
        }
        RecordRejection::NotTheirs(by) => {
            format!("A record is withdrawn by its maker, {}, or by who grants waivers.", clean(by))
        }
        RecordRejection::Another { other, commit, release } => {
            facts.push(("open", format!("{}, record {}", clean(release), other.short())));
            format!(
                "Another candidate is open, {}, and is not part of this one: merge it in, or \
                 withdraw it first.",
                commit.short()
            )
        }
        RecordRejection::Number { next } => {
            format!("The next candidate of this release is number {next}.")
        }
        RecordRejection::Absent(what) => format!("{} is not here as it says.", clean(what)),
        RecordRejection::Own => "Nobody certifies themselves; another trainer can.".to_string(),
        RecordRejection::Final(kind) => format!(
            "A {kind} has had its effect and cannot be withdrawn. Record anew what shall hold from \
             now on."
        ),
        RecordRejection::Name(name) => format!("The policy has no `{}`.", clean(name)),
        RecordRejection::Nowhere(name) => format!(
            "`{}` is no stage, line or release, so there is nothing to let through.",
            clean(name.short())
        ),
    }
}

fn overdue(
    case: &Case<'_>,
    debts: &[Debt],
    owes: &[String],
    facts: &mut Vec<(&'static str, String)>,
) -> String {
    let branch = |place: usize| {
        let stage = case.policy.flow.stages.get(place);
        stage.map_or_else(String::new, |stage| stage.branch.short().to_string())
    };
    for (debt, owes) in debts.iter().zip(owes).take(MOST_DEBTS) {
        let text = format!(
            "{} {}: on {} since {}, owed to {}",
            debt.fix.short(),
            shorten(&debt.subject, 40),
            clean(&branch(debt.from)),
            show(debt.since),
            clean(owes)
        );
        facts.push(("owed", text));
    }
    let more = debts.len().saturating_sub(MOST_DEBTS);
    if more > 0 {
        facts.push(("owed", format!("and {more} more")));
    }
    format!(
        "Fixes that users already have are owed for more than {}.",
        length(case.policy.debts.due)
    )
}

/// `2 days`, `36 hours`, `10 minutes`.
#[must_use]
pub fn length(length: Duration) -> String {
    let minutes = length.num_minutes();
    let (number, unit) = match minutes {
        m if m % 1_440 == 0 => (m / 1_440, "day"),
        m if m % 60 == 0 => (m / 60, "hour"),
        m => (m, "minute"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}
