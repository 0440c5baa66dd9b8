//! The sentence and the remedies of every violation.
//!
//! Both matches are exhaustive: a violation without a sentence or without a decision
//! about its remedies does not compile.

use refgate_core::rules::{
    BackportViolation, CandidateViolation, ClassViolation, FirstParentViolation, LedgerViolation,
    PolicyChangeViolation, PromotionViolation, RefNameViolation, ReleaseGateViolation,
    ReleaseTagViolation,
};
use refgate_core::{Case, Eligibility, Finding, Receipt, Violation};

use crate::class_reason::contradiction_clause;
use crate::escape::clean;
use crate::facts::facts;
use crate::freeze_facts::freeze_sentence;
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
        Violation::FirstParent(FirstParentViolation::Foxtrot { old, .. }) => format!(
            "The merge has its parents in the wrong order: {}, the tip of the branch, must be the \
             first parent.",
            old.short()
        ),
        Violation::FirstParent(FirstParentViolation::Octopus { parents }) => format!(
            "The commit has {parents} parents. A landing has one parent, or two different parents."
        ),
        Violation::Deletion(_) => {
            "A deletion needs a request, an approval and a cooling-off period.".into()
        }
        Violation::PolicyChange(violation) => policy_sentence(violation),
        Violation::Freeze(violation) => freeze_sentence(case, violation),
        Violation::Class(ClassViolation::Contradicted { class }) => match &class.contradiction {
            Some(contradiction) => {
                format!("Declared as {}.", contradiction_clause(case, class, contradiction))
            }
            None => "The declared class does not agree with the diff.".into(),
        },
        Violation::Class(ClassViolation::Unclassified { .. }) => {
            "No class is declared, and this policy requires one.".into()
        }
        Violation::EvilMerge(_) => {
            "The merge commit contains changes that come from none of its parents.".into()
        }
        Violation::Promotion(violation) => promotion_sentence(violation),
        Violation::Backport(violation) => backport_sentence(case, violation),
        Violation::ReleaseTag(violation) => release_tag_sentence(violation),
        Violation::Candidate(CandidateViolation::NotACandidate { .. }) => {
            "Only a release candidate can be promoted here.".into()
        }
        Violation::Candidate(CandidateViolation::Failed { .. }) => {
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
        Violation::Ledger(LedgerViolation::NotACommit) => "The ledger must be a commit.".into(),
        Violation::Ledger(LedgerViolation::Form { error }) => form_sentence(error),
        Violation::Ledger(LedgerViolation::Record { why, .. }) => record_sentence(why),
        Violation::FactMissing { fact } => {
            format!("refgate could not determine {fact}. This is not your fault.")
        }
    }
}

fn ref_name_sentence(violation: &RefNameViolation) -> String {
    match violation {
        RefNameViolation::Reserved => "Pushes to this namespace are not allowed.".into(),
        RefNameViolation::Resembles { name } => {
            format!("The name can be confused with {}.", clean(name))
        }
        RefNameViolation::Blocks => {
            "Git stores refs like files. With this name, a stage, a line or a release tag could \
             not exist."
                .into()
        }
        RefNameViolation::Alias { target } => format!(
            "On the server this name is a symbolic ref to `{}`. Push to that branch.",
            clean(target)
        ),
        RefNameViolation::NotACommit => "The ref must point to a commit.".into(),
        RefNameViolation::StageCreated => {
            "A new stage must start at a commit of a stage, and a new line at a commit of \
             production."
                .into()
        }
    }
}

fn policy_sentence(violation: &PolicyChangeViolation) -> String {
    match violation {
        PolicyChangeViolation::NotAlone => {
            "A policy change must be the only update of its push.".into()
        }
        PolicyChangeViolation::Invalid { .. } => "The new policy is not valid.".into(),
        PolicyChangeViolation::Revision { now, new } => format!(
            "The new policy has revision {new}. It must be higher than {now}, the revision in \
             force."
        ),
        PolicyChangeViolation::NotApproved { have, want, role, folder } => format!(
            "The new policy (folder tree {}) has {have} of {} by {}.",
            folder.short(),
            count(usize::try_from(*want).unwrap_or(usize::MAX), "approval"),
            clean(role)
        ),
    }
}

fn promotion_sentence(violation: &PromotionViolation) -> String {
    match violation {
        PromotionViolation::Squashed { from, of } => format!(
            "The commit is a squashed copy of {} on `{}`, not a promotion. History would fork, and \
             the next promotion would conflict.",
            of.short(),
            clean(from)
        ),
        PromotionViolation::Differs { from } => format!(
            "The promotion does not have the content of `{}`: it would bring content that was not \
             tested there.",
            clean(from)
        ),
        PromotionViolation::SkipsStage { from, over } => {
            format!("The commits come from `{}` and were never on `{}`.", clean(from), clean(over))
        }
    }
}

fn backport_sentence(case: &Case<'_>, violation: &BackportViolation) -> String {
    match violation {
        BackportViolation::NotEligible { class, .. } if class.contradiction.is_some() => {
            "The declared class may land here, but the diff contains more than it allows.".into()
        }
        BackportViolation::NotEligible { eligibility, .. } => match eligibility {
            Eligibility::Approval { .. } => "This class needs an approval to land here.".into(),
            Eligibility::Deferred { .. } => {
                "This class is deferred to the next iteration. Only a promotion brings it here."
                    .into()
            }
            Eligibility::Never | Eligibility::Yes => {
                "This class lands here only by promotion.".into()
            }
        },
        BackportViolation::NotExact { receipt, .. } => match receipt {
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
        BackportViolation::ConflictMarkers { .. } => "The change contains conflict markers.".into(),
        BackportViolation::OwnWork { .. } => {
            "The change was neither promoted nor picked from another branch, so it needs an \
             approval."
                .into()
        }
        BackportViolation::Downgraded { class, was, .. } => format!(
            "The commit is declared {}, but its original is {}, so it needs an approval.",
            case.policy.classes.name(*class),
            case.policy.classes.name(*was)
        ),
    }
}

fn release_tag_sentence(violation: &ReleaseTagViolation) -> String {
    match violation {
        ReleaseTagViolation::Moved { old } => {
            format!("A release tag never moves. This tag points to {}.", old.short())
        }
        ReleaseTagViolation::NotAnnotated => "A release tag must be annotated.".into(),
        ReleaseTagViolation::NotSigned => "A release tag must be signed.".into(),
        ReleaseTagViolation::SignatureInvalid { why } => {
            format!("The signature of the release tag is not valid: {}.", clean(why))
        }
        ReleaseTagViolation::SignerNotAllowed { by, role } => format!(
            "The release tag is signed by `{}`, who does not have the role {}.",
            clean(by),
            clean(role)
        ),
        ReleaseTagViolation::NameDiffers => {
            "The tag object contains another name than the ref.".into()
        }
        ReleaseTagViolation::NotShipped { production } => format!(
            "The tagged commit was never the tip of `{}` or of a release line.",
            clean(production)
        ),
        ReleaseTagViolation::VersionNotGrown { version, existing, .. } => format!(
            "Versions must increase: {version} is not higher than the release {}.",
            clean(existing)
        ),
        ReleaseTagViolation::NumberTooLarge => {
            "The tag looks like a release, but a number of its version has more than 9 digits."
                .into()
        }
    }
}

fn release_gate_sentence(violation: &ReleaseGateViolation) -> String {
    match violation {
        ReleaseGateViolation::NotSignedOff { .. } => {
            "The promotion to production lacks sign-offs.".into()
        }
        ReleaseGateViolation::Failed { release, number, .. } => format!(
            "Candidate {number} of {} with this content failed its user acceptance test.",
            clean(release)
        ),
        ReleaseGateViolation::NotSoaked { soak, .. } => {
            format!("The content must stay on the previous stage for {}.", length(*soak))
        }
        ReleaseGateViolation::NotTrained { actor: Some(actor), course, .. } => {
            format!(
                "`{}` has no valid certificate for the course \"{}\".",
                clean(actor),
                clean(course)
            )
        }
        ReleaseGateViolation::NotTrained { actor: None, course, .. } => format!(
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
        Violation::Freeze(_) | Violation::Backport(BackportViolation::NotEligible { .. }) => {
            let first = promote_after(build.case, all, finding);
            let mut all = first.map_or_else(|| build.move_to_topic(), |remedy| vec![remedy]);
            all.extend(build.state_class(&finding.violation));
            all
        }
        Violation::Class(_) => build.declare_class(),
        Violation::EvilMerge(_) => build.merge_again(),
        Violation::FirstParent(FirstParentViolation::Foxtrot { old, new }) => {
            build.swap_parents(*old, *new)
        }
        Violation::FirstParent(FirstParentViolation::Octopus { .. }) => build.merge_one_by_one(),
        Violation::Rewrite(_) => build.rebase(),
        Violation::Promotion(PromotionViolation::Squashed { of, .. }) => build.promote(*of),
        Violation::Promotion(PromotionViolation::Differs { from }) => build.bring_back(from),
        Violation::Promotion(PromotionViolation::SkipsStage { over, .. }) => build.promote_to(over),
        Violation::ReleaseTag(
            ReleaseTagViolation::Moved { .. }
            | ReleaseTagViolation::VersionNotGrown { .. }
            | ReleaseTagViolation::NumberTooLarge,
        ) => build.next_version(),
        Violation::ReleaseTag(
            ReleaseTagViolation::NotAnnotated | ReleaseTagViolation::NameDiffers,
        ) => build.tag_again("annotate the tag:", "-a"),
        Violation::ReleaseTag(
            ReleaseTagViolation::NotSigned
            | ReleaseTagViolation::SignatureInvalid { .. }
            | ReleaseTagViolation::SignerNotAllowed { .. },
        ) => build.tag_again("sign the tag with a key that the policy lists:", "-s"),
        Violation::ReleaseTag(ReleaseTagViolation::NotShipped { production }) => {
            build.land_before_tag(production)
        }
        Violation::RefName(RefNameViolation::Resembles { .. } | RefNameViolation::Blocks)
        | Violation::Pusher(_) => build.push_as_topic(),
        Violation::RefName(RefNameViolation::Alias { target }) => build.push_to(target),
        Violation::RefName(RefNameViolation::StageCreated) => build.open_at_known(),
        Violation::PolicyChange(PolicyChangeViolation::NotAlone) => build.push_policy_alone(),
        Violation::ObjectFormat(v) => build.write_again(v.commit),
        // These need a record, time or another decision. The facts name who and when.
        Violation::Backport(
            BackportViolation::NotExact { .. }
            | BackportViolation::ConflictMarkers { .. }
            | BackportViolation::OwnWork { .. }
            | BackportViolation::Downgraded { .. },
        )
        | Violation::RefName(RefNameViolation::Reserved | RefNameViolation::NotACommit)
        | Violation::PolicyChange(
            PolicyChangeViolation::Invalid { .. }
            | PolicyChangeViolation::Revision { .. }
            | PolicyChangeViolation::NotApproved { .. },
        )
        | Violation::Deletion(_)
        | Violation::Candidate(_)
        | Violation::ReleaseGate(_)
        | Violation::Debts(_)
        | Violation::Ledger(_)
        | Violation::FactMissing { .. } => Vec::new(),
    }
}
