//! Remedies that resolve all findings of one ref update at once.

use refgate_core::rules::BackportViolation;
use refgate_core::{Case, Finding, Oid, RefChange, Violation};

use crate::remedy::{Remedy, with_switch};
use crate::shell::{quoted, short_id};

/// Two pushes instead of one, where the same push moves the previous stage to the promoted
/// commit and nothing else is wrong with either update. The second push is a promotion.
pub(crate) fn promote_after(case: &Case<'_>, all: &[Finding], finding: &Finding) -> Option<Remedy> {
    let Violation::Backport(BackportViolation::NotEligible { previous: Some(previous), .. }) =
        &finding.violation
    else {
        return None;
    };
    let of = |place: usize| all.iter().filter(move |finding| finding.update == place);
    let not_eligible = |finding: &Finding| {
        matches!(&finding.violation, Violation::Backport(BackportViolation::NotEligible { .. }))
    };
    if !of(finding.update).all(not_eligible) {
        return None;
    }
    let update = case.push.updates.get(finding.update)?;
    let new = update.change.new_value()?;
    let mut others = case.push.updates.iter().enumerate();
    let (_, other) = others.find(|(place, other)| {
        other.name.branch_name() == Some(previous) && of(*place).next().is_none()
    })?;
    let there = other.change.new_value()?;
    let tip = case.history.commit(new);
    let merged = tip.is_some_and(|commit| commit.parents.get(1..) == Some(&[there]));
    let push = |id: Oid, to: &str| format!("git push origin {}:{}", short_id(id), quoted(to));
    let commands = vec![push(there, other.name.as_str()), push(new, update.name.as_str())];
    let title = format!("push to `{previous}` first, then promote it:");
    (there == new || merged).then(|| Remedy::new(title, commands))
}

/// Moves everything that an update brings to its own branch, and resets the checked-out
/// branch to the server's tip.
#[must_use]
pub(crate) fn move_all_to_topic(case: &Case<'_>, update: usize) -> Option<Remedy> {
    let update = case.push.updates.get(update)?;
    let RefChange::Move { old, new } = update.change else { return None };
    let remedy = Remedy::new(
        "move everything to its own branch, and land allowed changes from there:",
        vec![
            format!("git push origin {}:refs/heads/topic/{}", short_id(new), new.short()),
            format!("git reset --keep {}", short_id(old)),
        ],
    );
    Some(with_switch(case, update, remedy))
}
