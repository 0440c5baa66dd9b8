//! The sentence and the remedies of every violation.
//!
//! Both matches are exhaustive: a violation without a sentence or without a decision
//! about its remedies does not compile.

use refgate_core::rules::{
    backport, candidate, class, first_parent, freeze, ledger, policy_change, promotion, ref_name,
    release_gate, release_tag,
};
use refgate_core::{Case, Eligibility, Finding, Receipt, Violation};

use crate::class_reason::contradiction_clause;
use crate::escape::clean;
use crate::facts::facts;
use crate::record_sentence::{form_sentence, record_sentence};
use crate::remedy::{Remedy, RemedyBuilder, with_switch};
use crate::units::{count, length};

/// A finding in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedFinding {
    /// What is wrong, in one or two sentences.
    pub sentence: String,
    /// Labels and facts, in the order of the text.
    pub facts: Vec<(&'static str, String)>,
}

/// Renders a finding.
#[must_use]
pub fn render_finding(case: &Case<'_>, finding: &Finding) -> RenderedFinding {
    RenderedFinding { sentence: sentence(case, &finding.violation), facts: facts(case, finding) }
}

fn sentence(case: &Case<'_>, violation: &Violation) -> String {
    match violation {
        Violation::RefName(violation) => ref_name_sentence(violation),
        Violation::ObjectFormat(v) => format!(
            "Commit {} is not written as Git writes commits: {}.",
            v.commit.short(),
            clean(&v.defect)
        ),
        Violation::Pusher(v) => match &v.actor {
            Some(actor) => format!("`{}` is not allowed to push here.", clean(actor)),
            None => "The pusher could not be identified, and pushing here is restricted.".into(),
        },
        Violation::Rewrite(v) => format!(
            "The push would remove commits from the branch: the new tip does not contain {}.",
            v.old.short()
        ),
        Violation::FirstParent(first_parent::Violation::Foxtrot { old, .. }) => format!(
            "The merge has its parents in the wrong order: {}, the tip of the branch, must be the \
             first parent.",
            old.short()
        ),
        Violation::FirstParent(first_parent::Violation::Octopus { parents }) => format!(
            "The commit has {parents} parents. A landing has one parent, or two different parents."
        ),
        Violation::Deletion(_) => {
            "A deletion needs a request, an approval and a cooling-off period.".into()
        }
        Violation::PolicyChange(violation) => policy_sentence(violation),
        Violation::Freeze(violation) => freeze_sentence(case, violation),
        Violation::Class(class::Violation::Contradicted { class }) => match &class.contradiction {
            Some(contradiction) => {
                format!("Declared as {}.", contradiction_clause(case, class, contradiction))
            }
            None => "The declared class does not agree with the diff.".into(),
        },
        Violation::Class(class::Violation::Unclassified { .. }) => {
            "No class is declared, and this policy requires one.".into()
        }
        Violation::EvilMerge(_) => {
            "The merge commit contains changes that come from none of its parents.".into()
        }
        Violation::Promotion(violation) => promotion_sentence(violation),
        Violation::Backport(violation) => backport_sentence(case, violation),
        Violation::ReleaseTag(violation) => release_tag_sentence(violation),
        Violation::Candidate(candidate::Violation::NotACandidate { .. }) => {
            "Only a release candidate can be promoted here.".into()
        }
        Violation::Candidate(candidate::Violation::Failed { .. }) => {
            "This release candidate failed its user acceptance test. The next candidate needs a \
             new record."
                .into()
        }
        Violation::ReleaseGate(violation) => release_gate_sentence(violation),
        Violation::Debts(v) => format!(
            "{} missing on an earlier stage for more than {}.",
            match v.debts.len() {
                1 => "1 fix has been".to_string(),
                many => format!("{many} fixes have been"),
            },
            length(case.policy.debts.due)
        ),
        Violation::Ledger(ledger::Violation::NotACommit) => "The ledger must be a commit.".into(),
        Violation::Ledger(ledger::Violation::Form { error }) => form_sentence(error),
        Violation::Ledger(ledger::Violation::Record { why, .. }) => record_sentence(why),
        Violation::FactMissing { fact } => {
            format!("refgate could not determine {fact}. This is not your fault.")
        }
    }
}

fn ref_name_sentence(violation: &ref_name::Violation) -> String {
    match violation {
        ref_name::Violation::Reserved => "Pushes to this namespace are not allowed.".into(),
        ref_name::Violation::Resembles { name } => {
            format!("The name can be confused with {}.", clean(name))
        }
        ref_name::Violation::Blocks => {
            "Git stores refs like files. With this name, a stage, a line or a release tag could \
             not exist."
                .into()
        }
        ref_name::Violation::Alias { target } => format!(
            "On the server this name is a symbolic ref to `{}`. Push to that branch.",
            clean(target)
        ),
        ref_name::Violation::NotACommit => "The ref must point to a commit.".into(),
        ref_name::Violation::StageCreated => {
            "A new stage must start at a commit of a stage, and a new line at a commit of \
             production."
                .into()
        }
    }
}

fn policy_sentence(violation: &policy_change::Violation) -> String {
    match violation {
        policy_change::Violation::NotAlone => {
            "A policy change must be the only update of its push.".into()
        }
        policy_change::Violation::Invalid { .. } => "The new policy is not valid.".into(),
        policy_change::Violation::Revision { now, new } => format!(
            "The new policy has revision {new}. It must be higher than {now}, the revision in \
             force."
        ),
        policy_change::Violation::NotApproved { have, want, role, folder } => format!(
            "The new policy (folder tree {}) has {have} of {} by {}.",
            folder.short(),
            count(usize::try_from(*want).unwrap_or(usize::MAX), "approval"),
            clean(role)
        ),
    }
}

fn freeze_sentence(case: &Case<'_>, v: &freeze::Violation) -> String {
    let window = clean(&v.window);
    match &v.class.contradiction {
        Some(contradiction) => format!(
            "The freeze \"{window}\" blocks this change: it is declared {}.",
            contradiction_clause(case, &v.class, contradiction)
        ),
        None => {
            let class = case.policy.classes.name(v.class.effective());
            format!("The freeze \"{window}\" blocks this {class} change.")
        }
    }
}

fn promotion_sentence(violation: &promotion::Violation) -> String {
    match violation {
        promotion::Violation::Squashed { from, of } => format!(
            "The commit is a squashed copy of {} on `{}`, not a promotion. History would fork, and \
             the next promotion would conflict.",
            of.short(),
            clean(from)
        ),
        promotion::Violation::Differs { from } => format!(
            "The promotion does not have the content of `{}`: it would bring content that was not \
             tested there.",
            clean(from)
        ),
        promotion::Violation::SkipsStage { from, over } => {
            format!("The commits come from `{}` and were never on `{}`.", clean(from), clean(over))
        }
    }
}

fn backport_sentence(case: &Case<'_>, violation: &backport::Violation) -> String {
    match violation {
        backport::Violation::NotEligible { class, .. } if class.contradiction.is_some() => {
            "The declared class may land here, but the diff contains more than it allows.".into()
        }
        backport::Violation::NotEligible { eligibility, .. } => match eligibility {
            Eligibility::Approval { .. } => "This class needs an approval to land here.".into(),
            Eligibility::Deferred { .. } => {
                "This class is deferred to the next iteration. Only a promotion brings it here."
                    .into()
            }
            Eligibility::Never | Eligibility::Yes => {
                "This class lands here only by promotion.".into()
            }
        },
        backport::Violation::NotExact { receipt, .. } => match receipt {
            Receipt::Marked { .. } => "The commit contains conflict markers.".into(),
            Receipt::Resolved { .. } => {
                "Conflicts of this backport were resolved by hand, so it needs an approval.".into()
            }
            Receipt::Exact | Receipt::Edited { .. } => {
                "The backport differs from what Git makes of the original, so it needs an \
                 approval."
                    .into()
            }
        },
        backport::Violation::ConflictMarkers { .. } => {
            "The change contains conflict markers.".into()
        }
        backport::Violation::OwnWork { .. } => {
            "The change was neither promoted nor picked from another branch, so it needs an \
             approval."
                .into()
        }
        backport::Violation::Downgraded { class, was, .. } => format!(
            "The commit is declared {}, but its original is {}, so it needs an approval.",
            case.policy.classes.name(*class),
            case.policy.classes.name(*was)
        ),
    }
}

fn release_tag_sentence(violation: &release_tag::Violation) -> String {
    match violation {
        release_tag::Violation::Moved { old } => {
            format!("A release tag never moves. This tag points to {}.", old.short())
        }
        release_tag::Violation::NotAnnotated => "A release tag must be annotated.".into(),
        release_tag::Violation::NotSigned => "A release tag must be signed.".into(),
        release_tag::Violation::SignatureInvalid { why } => {
            format!("The signature of the release tag is not valid: {}.", clean(why))
        }
        release_tag::Violation::SignerNotAllowed { by, role } => format!(
            "The release tag is signed by `{}`, who does not have the role {}.",
            clean(by),
            clean(role)
        ),
        release_tag::Violation::NameDiffers => {
            "The tag object contains another name than the ref.".into()
        }
        release_tag::Violation::NotShipped { production } => format!(
            "The tagged commit was never the tip of `{}` or of a release line.",
            clean(production)
        ),
        release_tag::Violation::VersionNotGrown { version, existing, .. } => format!(
            "Versions must increase: {version} is not higher than the release {}.",
            clean(existing)
        ),
        release_tag::Violation::NumberTooLarge => {
            "The tag looks like a release, but a number of its version has more than 9 digits."
                .into()
        }
    }
}

fn release_gate_sentence(violation: &release_gate::Violation) -> String {
    match violation {
        release_gate::Violation::NotSignedOff { .. } => {
            "The promotion to production lacks sign-offs.".into()
        }
        release_gate::Violation::Failed { release, number, .. } => format!(
            "Candidate {number} of {} with this content failed its user acceptance test.",
            clean(release)
        ),
        release_gate::Violation::NotSoaked { soak, .. } => {
            format!("The content must stay on the previous stage for {}.", length(*soak))
        }
        release_gate::Violation::NotTrained { actor: Some(actor), course, .. } => format!(
            "`{}` has no valid certificate for the course \"{}\".",
            clean(actor),
            clean(course)
        ),
        release_gate::Violation::NotTrained { actor: None, course, .. } => format!(
            "The pusher could not be identified, and a certificate for the course \"{}\" is \
             required.",
            clean(course)
        ),
    }
}

/// The ways to resolve one of a push's findings, best first.
#[must_use]
pub fn remedies(case: &Case<'_>, all: &[Finding], finding: &Finding) -> Vec<Remedy> {
    let Some(update) = case.push.updates.get(finding.update) else { return Vec::new() };
    let builder = RemedyBuilder { case, update, landing: finding.landing };
    let found = remedies_of(&builder, all, finding);
    found.into_iter().map(|remedy| with_switch(case, update, remedy)).collect()
}

fn remedies_of(build: &RemedyBuilder<'_>, all: &[Finding], finding: &Finding) -> Vec<Remedy> {
    use crate::joint_remedies::promote_after;
    match &finding.violation {
        Violation::Freeze(_) | Violation::Backport(backport::Violation::NotEligible { .. }) => {
            promote_after(build.case, all, finding)
                .map_or_else(|| build.move_to_topic(), |remedy| vec![remedy])
        }
        Violation::Class(_) => build.declare_class(),
        Violation::EvilMerge(_) => build.merge_again(),
        Violation::FirstParent(first_parent::Violation::Foxtrot { old, new }) => {
            build.swap_parents(*old, *new)
        }
        Violation::FirstParent(first_parent::Violation::Octopus { .. }) => build.merge_one_by_one(),
        Violation::Rewrite(_) => build.rebase(),
        Violation::Promotion(promotion::Violation::Squashed { of, .. }) => build.promote(*of),
        Violation::Promotion(promotion::Violation::Differs { from }) => build.bring_back(from),
        Violation::Promotion(promotion::Violation::SkipsStage { over, .. }) => {
            build.promote_to(over)
        }
        Violation::ReleaseTag(
            release_tag::Violation::Moved { .. }
            | release_tag::Violation::VersionNotGrown { .. }
            | release_tag::Violation::NumberTooLarge,
        ) => build.next_version(),
        Violation::ReleaseTag(
            release_tag::Violation::NotAnnotated | release_tag::Violation::NameDiffers,
        ) => build.tag_again("annotate the tag:", "-a"),
        Violation::ReleaseTag(
            release_tag::Violation::NotSigned
            | release_tag::Violation::SignatureInvalid { .. }
            | release_tag::Violation::SignerNotAllowed { .. },
        ) => build.tag_again("sign the tag with a key that the policy lists:", "-s"),
        Violation::ReleaseTag(release_tag::Violation::NotShipped { production }) => {
            build.land_before_tag(production)
        }
        Violation::RefName(ref_name::Violation::Resembles { .. } | ref_name::Violation::Blocks)
        | Violation::Pusher(_) => build.push_as_topic(),
        Violation::RefName(ref_name::Violation::Alias { target }) => build.push_to(target),
        Violation::RefName(ref_name::Violation::StageCreated) => build.open_at_known(),
        Violation::PolicyChange(policy_change::Violation::NotAlone) => build.push_policy_alone(),
        Violation::ObjectFormat(v) => build.write_again(v.commit),
        // These need a record, time or another decision. The facts name who and when.
        Violation::Backport(
            backport::Violation::NotExact { .. }
            | backport::Violation::ConflictMarkers { .. }
            | backport::Violation::OwnWork { .. }
            | backport::Violation::Downgraded { .. },
        )
        | Violation::RefName(ref_name::Violation::Reserved | ref_name::Violation::NotACommit)
        | Violation::PolicyChange(
            policy_change::Violation::Invalid { .. }
            | policy_change::Violation::Revision { .. }
            | policy_change::Violation::NotApproved { .. },
        )
        | Violation::Deletion(_)
        | Violation::Candidate(_)
        | Violation::ReleaseGate(_)
        | Violation::Debts(_)
        | Violation::Ledger(_)
        | Violation::FactMissing { .. } => Vec::new(),
    }
}
