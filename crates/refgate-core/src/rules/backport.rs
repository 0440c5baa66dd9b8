//! May this class go to a later stage or a release line without being promoted?

use alloc::string::ToString;
use alloc::vec::Vec;

use crate::case::ClassifiedLanding;
use crate::class_downgrade::{belittled, lowered};
use crate::{
    Case, ClassId, Commit, Eligibility, Finding, Oid, Receipt, Route, RuleId, Requirement, Violation,
    eligibility,
};

pub(super) fn check(case: &Case<'_>, landed: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
    landed.iter().filter_map(|one| judge(case, one).or_else(|| exact(case, one))).collect()
}

/// What Git makes of the originals is the fast lane; what somebody changed on
/// the way, or wrote for this branch alone, is seen by somebody else. In a
/// merge as outside of one.
fn exact(case: &Case<'_>, one: &ClassifiedLanding<'_>) -> Option<Finding> {
    let straight = matches!(one.route, Route::Backport { .. } | Route::Hotfix);
    // What a later stage has was judged there; what is added on the way was not.
    let added = matches!(one.route, Route::BackMerge { .. }) && one.is_new_work();
    if !case.policy.backport.exact || one.target.is_first() || !(straight || added) || one.is_squash(case) {
        return None;
    }
    let role = &case.policy.backport.approvers;
    let side = one.landing.side.iter().filter(|_| straight);
    let new = side.chain([&one.landing.commit]);
    let mut found: Vec<Violation> = new.filter_map(|id| by_hand(case, one, *id)).collect();
    let marked = &one.landing.marked;
    found.extend((!marked.is_empty()).then(|| Violation::Marked { paths: marked.clone() }));
    let hopeless = |what: &&Violation| match what {
        Violation::NotExact { receipt, .. } => matches!(receipt, Receipt::Marked { .. }),
        other => matches!(other, Violation::FactMissing { .. } | Violation::Marked { .. }),
    };
    let never = found.iter().find(hopeless);
    let what = never.or(found.first())?.clone();
    let requirement = match never {
        Some(_) => Requirement::Never,
        None if one.approved(case, RuleId::Backport, role) => return None,
        None => Requirement::Needs { role: role.clone() },
    };
    let landing = Some(one.landing.commit);
    Some(Finding { rule: RuleId::Backport, update: one.item.index, landing, what, requirement })
}

/// What a person did to one of the commits that land, if anything.
fn by_hand(case: &Case<'_>, one: &ClassifiedLanding<'_>, id: Oid) -> Option<Violation> {
    let commit = case.history.commit(id)?;
    // What another stage holds was judged there, under its own name.
    if commit.reach != 0 {
        let (class, was) = belittled(case, &one.class, commit)?;
        return Some(Violation::Lowered { of: id, class, was });
    }
    let Some(pick) = one.landing.pick(id) else { return own_work(case, one, commit) };
    let of = pick.original.id;
    match &pick.receipt {
        Some(Receipt::Exact) => {
            let landed = (one.landing.commit, &one.class);
            let (class, was) = lowered(case, landed, commit, pick)?;
            Some(Violation::Lowered { of, class, was })
        }
        Some(receipt) => Some(Violation::NotExact { of, receipt: receipt.clone() }),
        None => Some(Violation::FactMissing { fact: "what git makes of the original" }),
    }
}

/// Content that comes from nowhere else, unless it is of a class for which
/// there is no time to land it elsewhere first (docs/design/model.md, "Flow").
fn own_work(case: &Case<'_>, one: &ClassifiedLanding<'_>, commit: &Commit) -> Option<Violation> {
    let mixed = match commit.id == one.landing.commit {
        true => one.landing.holds_its_own() || commit.parents.len() > 2,
        false => one.landing.mixed.contains(&commit.id),
    };
    let plain = commit.parents.len() > 1 && !mixed;
    if plain || case.policy.hotfix.classes.contains(&meant(one)) {
        return None;
    }
    Some(Violation::OwnWork { commit: commit.id, class: one.class.clone() })
}

/// Words that nobody meant as a declaration open no way past the stages.
fn meant(one: &ClassifiedLanding<'_>) -> ClassId {
    if one.class.is_guess() { ClassId::UNCLASSIFIED } else { one.class.effective() }
}

fn judge(case: &Case<'_>, one: &ClassifiedLanding<'_>) -> Option<Finding> {
    if !one.is_new_work() || one.target.is_first() || one.is_squash(case) {
        return None;
    }
    let class = meant(one);
    let releases = &case.history.releases;
    let answer = eligibility(case.policy, releases, &one.target, class, case.push.at);
    let requirement = match &answer {
        Eligibility::Yes => return None,
        Eligibility::Approval { role, .. } if one.approved(case, RuleId::Backport, role) => {
            return None;
        }
        Eligibility::Approval { role, .. } => Requirement::Needs { role: role.clone() },
        Eligibility::Deferred { .. } => Requirement::WaitsFor("the next iteration".to_string()),
        Eligibility::Never => Requirement::Never,
    };
    let place = one.target.place();
    let previous = place.and_then(|place| case.policy.flow.previous(place));
    let what = Violation::NotEligible {
        class: one.class.clone(),
        route: one.route,
        eligibility: answer,
        previous: previous.map(|stage| stage.branch.short().to_string()),
    };
    let landing = Some(one.landing.commit);
    Some(Finding { rule: RuleId::Backport, update: one.item.index, landing, what, requirement })
}
