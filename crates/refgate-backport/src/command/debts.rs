//! What does an earlier stage owe to a later one, by when, and what pays it?

use refgate_core::{Debt, RefName};
use refgate_gate::Exit;
use refgate_git::{Graph, debts, stage_tips};
use refgate_report::{clean, show, wrap};
use serde_json::json;

use crate::args::Place;
use crate::branches::are_fetched;
use crate::known::open;
use crate::output::{Done, Failure, done, say};
use crate::rules::Rules;

/// What stages owe to later ones, by the policy that says so.
fn owed(place: &Place) -> Result<(Rules, Vec<Debt>), Failure> {
    let mut reader = open(place)?;
    let Some(rules) = Rules::find(&reader, place)? else {
        let message = "no policy says which stages there are; name one with --policy";
        return Err(Failure::new(Exit::BadPolicy, message));
    };
    let flow = &rules.policy.flow;
    if are_fetched(&reader, &place.remote)? {
        reader.see_through(&place.remote);
    }
    let tips = stage_tips(&reader, flow)?;
    let mut owed = debts(&reader, &Graph::new(&reader), flow, &tips, None, rules.at)?;
    let stage = |place: usize| flow.stages.get(place).map_or("", |one| one.branch.short());
    owed.retain(|debt| !rules.excuses(&reader, debt.fix, stage(debt.to)));
    Ok((rules, owed))
}

/// The fixes that are owed, and the stages that owe them.
pub(crate) fn to_pay(place: &Place) -> Result<(Vec<String>, Vec<String>), Failure> {
    let (rules, owed) = owed(place)?;
    let mut debts: Vec<Debt> = owed;
    debts.sort_by_key(|debt| debt.since);
    let (mut fixes, mut stages): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for debt in debts {
        let stage = rules.policy.flow.stages.get(debt.to).map(|stage| stage.branch.short());
        let (fix, stage) = (debt.fix.to_string(), stage.unwrap_or_default().to_string());
        if !fixes.contains(&fix) {
            fixes.push(fix);
        }
        if !stages.contains(&stage) {
            stages.push(stage);
        }
    }
    if fixes.is_empty() {
        return Err(Failure::new(Exit::BadInput, "nothing is owed"));
    }
    Ok((fixes, stages))
}

pub(crate) fn run(place: &Place) -> Done {
    let (rules, owed) = owed(place)?;
    let flow = &rules.policy.flow;
    let name = |place: usize| {
        let stage = flow.stages.get(place).map(|stage| &stage.branch);
        stage.map(RefName::short).unwrap_or_default().to_string()
    };
    let mut late = false;
    for debt in &owed {
        let Debt { fix, subject, from, to, since } = debt;
        let due = *since + rules.policy.debts.due;
        late |= due <= rules.at;
        let pays =
            format!("git backport apply {} --to {} --line {}", fix.short(), name(*to), name(*to));
        if place.json {
            say(&json!({
                "fix": fix.to_string(), "subject": subject, "from": name(*from), "to": name(*to),
                "since": since.to_rfc3339(), "due": due.to_rfc3339(), "pays": pays,
            })
            .to_string());
        } else {
            say(&wrap("", "  ", &format!("{} {}", fix.short(), clean(subject))));
            let when = if due <= rules.at { "overdue since" } else { "due" };
            say(&format!("  {} owes it to {}, {when} {}", name(*to), name(*from), show(due)));
            say(&format!("    {pays}"));
        }
    }
    if !place.json {
        say(&format!("{} debt(s)", owed.len()));
    }
    Ok(done(if late { Exit::Refused } else { Exit::Accepted }))
}
