//! What mends all of a reference's update at once?

use refgate_core::{Case, Finding, Oid, RefChange, Violation};

use crate::remedy::{Remedy, switched};
use crate::shell::{brief, quoted};

/// Where the same push moves the previous stage to what is promoted, and nothing
/// else is wrong with either: one push after the other, so that it is a promotion.
pub(crate) fn go_second(case: &Case<'_>, all: &[Finding], finding: &Finding) -> Option<Remedy> {
    let Violation::NotEligible { previous: Some(previous), .. } = &finding.what else {
        return None;
    };
    let of = |place: usize| all.iter().filter(move |finding| finding.update == place);
    if of(finding.update).any(|finding| !matches!(finding.what, Violation::NotEligible { .. })) {
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
    let push = |id: Oid, to: &str| format!("git push origin {}:{}", brief(id), quoted(to));
    let commands = vec![push(there, other.name.as_str()), push(new, update.name.as_str())];
    let what = format!("push to `{previous}` first, and promote it then:");
    (there == new || merged).then(|| Remedy::new(what, commands))
}

/// Keeps all that an update brings on a branch of its own, and puts the
/// checked-out branch back to where the server's stands.
#[must_use]
pub(crate) fn keep_all(case: &Case<'_>, update: usize) -> Option<Remedy> {
    let update = case.push.updates.get(update)?;
    let RefChange::Move { old, new } = update.change else { return None };
    let keep = Remedy::new(
        "keep all of it on a branch of its own, and land from there what may land:",
        vec![
            format!("git push origin {}:refs/heads/topic/{}", brief(new), new.short()),
            format!("git reset --keep {}", brief(old)),
        ],
    );
    Some(switched(case, update, keep))
}
