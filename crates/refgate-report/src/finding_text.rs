//! What does a finding say? A sentence, and the facts under it.

use refgate_core::{
    Case, Classification, Contradiction, Eligibility, Finding, FreezeState, MissingEvidence, Oid,
    Receipt, Requirement, RuleId, Violation,
};

use crate::class_reason::render_class_reason;
use crate::escape::{clean, shorten};
use crate::show;
use crate::{name_violations, record_violations};

/// A finding in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedFinding {
    /// What is wrong, in one sentence.
    pub sentence: String,
    /// Labels and facts.
    pub facts: Vec<(&'static str, String)>,
}

/// Says a finding.
#[must_use]
pub fn render_finding(case: &Case<'_>, finding: &Finding) -> RenderedFinding {
    let mut facts = Vec::new();
    let sentence = match &finding.what {
        Violation::Frozen { .. } => frozen(case, &finding.what, &mut facts),
        Violation::Contradicted { class } => contradicted(case, class, &mut facts),
        Violation::Unclassified { class } => {
            facts.push(("found", class_phrase(case, class)));
            "Every change must declare its class here.".to_string()
        }
        Violation::NotEligible { class, eligibility, .. } => {
            facts.push(("class", class_phrase(case, class)));
            if class.contradiction.is_some() {
                "What it is declared to be might go here; what its diff holds does not.".to_string()
            } else {
                not_eligible(eligibility, &mut facts)
            }
        }
        Violation::NotExact { of, receipt } => not_exact(*of, receipt, &mut facts),
        Violation::Marked { paths } => {
            let shown: Vec<String> = paths.iter().take(5).cloned().collect();
            facts.push(("paths", listed(&shown, paths.len())));
            "It holds conflict marks.".to_string()
        }
        Violation::OwnWork { commit, class } => {
            facts.push(("commit", commit.short()));
            facts.push(("class", class_phrase(case, class)));
            "It was neither promoted nor picked from another branch: somebody else looks."
                .to_string()
        }
        Violation::Lowered { of, class, was } => {
            let name = |class| case.policy.classes.name(class);
            facts.push(("picked from", format!("{}, {}", of.short(), name(*was))));
            format!("It is called {} here: somebody else looks.", name(*class))
        }
        Violation::EvilMerge { paths, total } => {
            facts.push(("paths", listed(paths, *total)));
            "A plain merge of its parents gives something else at these paths.".to_string()
        }
        Violation::PolicyBroken { problem } => {
            facts.push(("problem", clean(problem)));
            "The new policy cannot serve as a policy.".to_string()
        }
        Violation::Deleted { .. } => deleted(case, &finding.what, &mut facts),
        Violation::NotAllowed { actor, roles } => {
            let people = roles.iter().map(|role| people(case, role));
            facts.push(("may", people.collect::<Vec<_>>().join("; ")));
            match actor {
                Some(actor) => format!("`{}` may not push here.", clean(actor)),
                None => "Nobody knows who pushes, and only certain people may.".to_string(),
            }
        }
        other => record_violations::said(case, other, &mut facts)
            .or_else(|| name_violations::said(other))
            .unwrap_or_else(|| plain(other)),
    };
    approvable(case, finding, &mut facts);
    RenderedFinding { sentence, facts }
}

/// Who may let a landing past the stages, and the command for that.
fn approvable(case: &Case<'_>, finding: &Finding, facts: &mut Vec<(&'static str, String)>) {
    let (Requirement::Needs { role }, RuleId::Backport) = (&finding.requirement, finding.rule)
    else {
        return;
    };
    let update = case.push.updates.get(finding.update);
    let (Some(update), Some(landing)) = (update, finding.landing) else { return };
    if facts.iter().all(|(label, _)| *label != "needs") {
        facts.push(("needs", format!("an approval by {}", people(case, role))));
    }
    let (landing, onto) = (landing.short(), clean(update.name.short()));
    facts.push(("how", format!("refgate approve backport {landing} --onto {onto}")));
}

fn not_exact(of: Oid, receipt: &Receipt, facts: &mut Vec<(&'static str, String)>) -> String {
    let paths = receipt.paths();
    let shown: Vec<String> = paths.iter().take(5).cloned().collect();
    facts.push(("picked from", of.short()));
    facts.push(("paths", listed(&shown, paths.len())));
    match receipt {
        Receipt::Marked { .. } => "It holds conflict marks.",
        Receipt::Resolved { .. } => "Its conflicts were resolved by hand: somebody else looks.",
        Receipt::Exact | Receipt::Edited { .. } => {
            "It is not what git makes of the original: somebody else looks."
        }
    }
    .to_string()
}

/// `feature, by its branch …`.
pub(crate) fn class_phrase(case: &Case<'_>, class: &Classification) -> String {
    format!(
        "{}, {}",
        case.policy.classes.name(class.class),
        render_class_reason(&case.policy.classes, &class.reason)
    )
}

/// A role with the people who have it.
pub(crate) fn people(case: &Case<'_>, role: &str) -> String {
    let people = case.policy.roles.people(role);
    if role.is_empty() {
        return "nobody, by this policy".to_string();
    }
    if people.is_empty() {
        return format!("{} (nobody has this role)", clean(role));
    }
    format!("{} ({})", clean(role), clean(&people.join(", ")))
}

fn frozen(case: &Case<'_>, what: &Violation, facts: &mut Vec<(&'static str, String)>) -> String {
    let Violation::Frozen {
        window,
        reason,
        state,
        since,
        release,
        class,
        earliest,
        missing,
        fast_track,
        lets_through,
    } = what
    else {
        return String::new();
    };
    facts.push(("class", class_phrase(case, class)));
    let why = match release {
        Some(tag) => format!("{} (opened by the release {})", clean(reason), clean(tag)),
        None => clean(reason),
    };
    facts.push(("why", why));
    let since = since.map_or_else(String::new, |since| format!(" since {}", show(since)));
    let state_note = match state {
        FreezeState::Overdue => ", past its maximum: it does not end by itself",
        FreezeState::Observing => ", its minimum is over, evidence is missing",
        FreezeState::Frozen | FreezeState::Open | FreezeState::Thawed => "",
    };
    facts.push(("state", format!("{}{since}{state_note}", state.name())));
    let wanted = missing.iter().map(missing_phrase).collect::<Vec<_>>().join(", ");
    let earliest = match (earliest, wanted.is_empty()) {
        (Some(at), true) => show(*at),
        (Some(at), false) => format!("{}, if by then there is: {wanted}", show(*at)),
        (None, false) => format!("as soon as there is: {wanted}"),
        (None, true) => "no end is known".to_string(),
    };
    facts.push(("earliest", earliest));
    let passes = if lets_through.is_empty() { "nothing".into() } else { lets_through.join(", ") };
    facts.push(("passes", passes));
    if let Some(role) = fast_track {
        facts.push(("fast track", format!("with an approval by {}", people(case, role))));
    }
    facts.push(("waiver", people(case, &case.policy.waivers.approvers)));
    let name = case.policy.classes.name(class.effective());
    let sort = if class.contradiction.is_some() { "contradicted" } else { name.as_str() };
    format!("The freeze \"{}\" keeps this {sort} change out.", clean(window))
}

/// What a freeze still waits for, in words.
#[must_use]
pub fn missing_phrase(missing: &MissingEvidence) -> String {
    match missing {
        MissingEvidence::Runs { seen, wanted } => {
            format!("{wanted} production runs ({seen} so far)")
        }
        MissingEvidence::Notice => "notice to the stakeholders".to_string(),
        MissingEvidence::Blocker(name) => format!("no open blocker \"{}\"", clean(name)),
        MissingEvidence::SignOff(role) => format!("a sign-off by {}", clean(role)),
    }
}

fn contradicted(
    case: &Case<'_>,
    class: &Classification,
    facts: &mut Vec<(&'static str, String)>,
) -> String {
    let name = case.policy.classes.name(class.class);
    facts.push(("declared", class_phrase(case, class)));
    if let Some(Contradiction { shown, total }) = &class.contradiction {
        let verb = |mode| match mode {
            refgate_core::ChangeMode::Added => "adds",
            refgate_core::ChangeMode::Modified => "changes",
            refgate_core::ChangeMode::Deleted => "deletes",
        };
        let lines: Vec<String> =
            shown.iter().map(|change| format!("{} {}", verb(change.mode), change.path)).collect();
        facts.push(("diff", listed(&lines, *total)));
    }
    if let Some(class) = case.policy.classes.get(class.class) {
        let globs = |globs: &[refgate_core::Glob]| {
            globs.iter().map(refgate_core::Glob::as_str).collect::<Vec<_>>().join(" ")
        };
        let bounds = &class.bounds;
        for (label, text, list) in [
            ("allowed", "only", &bounds.only),
            ("allowed", "new files only at", &bounds.adds),
            ("forbidden", "", &bounds.never),
        ] {
            if !list.is_empty() {
                facts.push((label, shorten(format!("{text} {}", globs(list)).trim(), 180)));
            }
        }
    }
    format!("It is declared as {name}, but its diff is not.")
}

fn not_eligible(eligibility: &Eligibility, facts: &mut Vec<(&'static str, String)>) -> String {
    match eligibility {
        Eligibility::Approval { role, until } => {
            facts.push((
                "needs",
                format!("an approval by {}, before {}", clean(role), show(*until)),
            ));
            "This class goes here only with an approval.".to_string()
        }
        Eligibility::Deferred { since } => {
            if let Some(since) = since {
                facts.push(("window", format!("backports ended on {}", show(*since))));
            }
            "This class is deferred to the next iteration: only promotion brings it here."
                .to_string()
        }
        Eligibility::Never | Eligibility::Yes => {
            "This class never goes here except by promotion.".to_string()
        }
    }
}

fn deleted(case: &Case<'_>, what: &Violation, facts: &mut Vec<(&'static str, String)>) -> String {
    let Violation::Deleted { value, request, approved } = what else { return String::new() };
    facts.push(("value", value.to_string()));
    match request {
        Some((by, end)) => {
            facts.push(("request", format!("by {}, cooling off until {}", clean(by), show(*end))));
        }
        None => facts.push(("request", "there is none for this value".to_string())),
    }
    if !approved {
        facts.push((
            "approval",
            format!("missing, by {}", people(case, &case.policy.deletion.approvers)),
        ));
    }
    "Deleting it needs a request, an approval and a cooling-off period.".to_string()
}

pub(crate) fn listed(paths: &[String], total: usize) -> String {
    let mut text = paths.iter().map(|path| shorten(path, 60)).collect::<Vec<_>>().join(", ");
    if total > paths.len() {
        text.push_str(&format!(" and {} more", total - paths.len()));
    }
    text
}

fn plain(what: &Violation) -> String {
    match what {
        Violation::Foxtrot { old, .. } => format!(
            "The merge was made the wrong way round: the branch's own tip {} must be its first \
             parent, not a side branch.",
            old.short()
        ),
        Violation::Octopus { parents } => {
            format!("It has {parents} parents; a landing has one, or two that differ.")
        }
        Violation::Rewritten { old, .. } => {
            format!("It would drop commits that the branch has: {} is not part of it.", old.short())
        }
        Violation::Squashed { from, of } => format!(
            "It is a squashed copy of {} on `{}`, not a promotion of it: history would fork, and \
             the next promotion would conflict with itself.",
            of.short(),
            clean(from)
        ),
        Violation::PromotionDiffers { from } => format!(
            "The promotion's content is not what is on `{}`: what was tested there would not be \
             what lands here.",
            clean(from)
        ),
        Violation::Leapt { from, over } => {
            format!("It comes from `{}` without having been on `{}`.", clean(from), clean(over))
        }
        Violation::NotACommit => "It must point to a commit.".to_string(),
        Violation::StageCreated => {
            "A new stage begins where a stage has been, and a line where production has been."
                .to_string()
        }
        Violation::Malformed { commit, defect } => {
            format!("Commit {} is not as Git writes commits: {}.", commit.short(), clean(defect))
        }
        Violation::PolicyNotAlone => {
            "A change of the policy must be alone in its push.".to_string()
        }
        Violation::PolicyRevision { now, new } => {
            format!("The new policy has revision {new}; it must be above the {now} in force.")
        }
        Violation::PolicyNotApproved { have, want, role, folder } => format!(
            "The new policy (its folder is tree {}) has {have} of {want} approvals by {}.",
            folder.short(),
            clean(role)
        ),
        Violation::FactMissing { fact } => {
            format!("refgate could not find out {fact}; this is not your fault.")
        }
        _ => String::new(),
    }
}
