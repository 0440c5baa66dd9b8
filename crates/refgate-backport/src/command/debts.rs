//! `git backport debts`: lists open debts, their due dates, and the commands that pay them.

use std::collections::{BTreeMap, BTreeSet};

use refgate_core::{Debt, Oid, Recipe, RefName};
use refgate_gate::{Exit, date_debts};
use refgate_git::{Graph, Reader, debts, stage_tips};
use refgate_report::{clean, debt_phrase, wrap};
use serde_json::json;

use crate::args::RepositoryArgs;
use crate::branches::uses_remote_branches;
use crate::fix_index::open;
use crate::merge_tree::{Merged, PickQuery};
use crate::output::{Failure, VerbResult, done, say};
use crate::policy_answer::PolicyAnswers;
use crate::recipes::merge_with_recipes;

/// The policy, the open debts of the stages, and the tips of the stages.
fn open_debts(place: &RepositoryArgs) -> Result<(PolicyAnswers, Vec<Debt>, StageTips), Failure> {
    let mut reader = open(place)?;
    let Some(rules) = PolicyAnswers::find(&reader, place)? else {
        let message = "cannot find the stages: there is no policy\nhint: name one with --policy";
        return Err(Failure::new(Exit::BadPolicy, message));
    };
    let flow = &rules.policy.flow;
    if uses_remote_branches(&reader, &place.remote)? {
        reader.use_remote(&place.remote);
    }
    let tips = stage_tips(&reader, flow)?;
    let mut open_debts = debts(&reader, &Graph::new(&reader), flow, &tips, None, rules.at)?;
    date_debts(&reader, flow, &mut open_debts)?;
    let stage = |place: usize| flow.stages.get(place).map_or("", |one| one.branch.short());
    open_debts.retain(|debt| !rules.excuses(&reader, debt.fix, stage(debt.to)));
    Ok((rules, open_debts, StageTips { reader, tips }))
}

/// The tips of the stages.
struct StageTips {
    reader: Reader,
    tips: BTreeMap<usize, Oid>,
}

impl StageTips {
    /// The debts that a pick cannot pay, because it would change nothing: the branch has
    /// the content of the fix already, or a recipe keeps the branch's own files.
    fn debts_without_effect(
        &self,
        recipes: &[Recipe],
        open_debts: &[Debt],
    ) -> Result<BTreeSet<(Oid, usize)>, Failure> {
        let (mut debts, mut asked) = (Vec::new(), Vec::new());
        for debt in open_debts {
            let (tip, fix) = (self.tips.get(&debt.to), self.reader.commit(debt.fix)?);
            if let (Some(ours), [base]) = (tip.copied(), fix.parents.as_slice()) {
                debts.push((debt.fix, debt.to, self.reader.commit(ours)?.tree));
                asked.push(PickQuery { base: Some(*base), ours, theirs: debt.fix });
            }
        }
        let merged = merge_with_recipes(self.reader.git_dir(), recipes, &asked)?;
        let debts_without_effect = debts.into_iter().zip(merged).filter(
            |((_, _, before), merged)| matches!(merged, Merged::Clean(after) if after == before),
        );
        Ok(debts_without_effect.map(|((fix, to, _), _)| (fix, to)).collect())
    }
}

/// The fixes of all open debts, and the stages that are missing them.
pub(crate) fn debts_to_plan(place: &RepositoryArgs) -> Result<(Vec<String>, Vec<String>), Failure> {
    let (rules, mut debts, _) = open_debts(place)?;
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
        return Err(Failure::new(Exit::BadInput, "there are no open debts"));
    }
    Ok((fixes, stages))
}

pub(crate) fn run(place: &RepositoryArgs) -> VerbResult {
    let (rules, open_debts, standing) = open_debts(place)?;
    let debts_without_effect = standing.debts_without_effect(&rules.policy.recipes, &open_debts)?;
    let flow = &rules.policy.flow;
    let name = |place: usize| {
        let stage = flow.stages.get(place).map(|stage| &stage.branch);
        stage.map(RefName::short).unwrap_or_default().to_string()
    };
    let (mut late, mut unknown) = (false, false);
    for debt in &open_debts {
        let Debt { fix, subject, from, to, since } = debt;
        let due = debt.due(rules.policy.debts.due);
        late |= due.is_some_and(|due| due <= rules.at);
        unknown |= due.is_none();
        let (short, branch) = (fix.short(), name(*to));
        let empty = debts_without_effect.contains(&(*fix, *to));
        let pays = match empty {
            true => format!("refgate not-applicable {short} --to {branch}"),
            false => format!("git backport apply {short} --to {branch} --line {branch}"),
        };
        if place.json {
            say(&json!({
                "fix": fix.to_string(), "subject": subject, "from": name(*from), "to": name(*to),
                "since": since.map(|at| at.to_rfc3339()), "due": due.map(|at| at.to_rfc3339()),
                "pays": pays,
            })
            .to_string());
        } else {
            say(&wrap("", "  ", &format!("{} {}", fix.short(), clean(subject))));
            let length = rules.policy.debts.due;
            say(&wrap("  ", "  ", &debt_phrase(flow, debt, length, rules.at)));
            if empty {
                say("  a pick would change nothing there; if that is correct, record it:");
            }
            say(&format!("    {pays}"));
        }
    }
    if !place.json {
        say(&format!(
            "{} open debt{}",
            open_debts.len(),
            if open_debts.len() == 1 { "" } else { "s" }
        ));
    }
    Ok(done(match (late, unknown) {
        (true, _) => Exit::Rejected,
        // A debt without a time could be overdue.
        (false, true) => Exit::Undecided,
        (false, false) => Exit::Accepted,
    }))
}
