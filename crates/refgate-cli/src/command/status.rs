//! `refgate status`: prints stages, candidates, freezes, debts, waivers and the next steps.

use refgate_core::{Candidate, Debt, Freeze, Instant, Policy, Waiver};
use refgate_gate::{FollowUp, Overview, StageStatus, overview};
use refgate_report::{
    debt_phrase, length, missing_phrase, render_finding, requirement_phrase, shorten, show,
};
use serde_json::{Value, json};

use crate::args::Question;
use crate::command::query_context::{ask, finished};
use crate::output::{VerbResult, say, say_json, tell};
use refgate_gate::Exit;

pub(crate) fn run(question: &Question) -> VerbResult {
    let mut query = ask(question)?;
    query.remove_limits();
    let rest = query.at_rest();
    let now = overview(&rest, query.actor.as_ref(), query.at)?;
    if !query.served && (!now.logged || query.reader.ledger_tip()?.is_none()) {
        tell(&format!(
            "The ledger or the audit log of the server is not in this clone.\n\
             hint: git fetch {} 'refs/refgate/*:refs/refgate/*'\n",
            question.remote
        ));
    }
    if question.json {
        say_json(&object(&query.policy, &now));
    } else {
        say(text(&query.policy, &now).join("\n").trim_end());
    }
    finished(Exit::Accepted)
}

/// The findings that block a promotion to a stage: sentence, facts and requirement.
fn missing(policy: &Policy, stage: &StageStatus) -> Vec<(String, Vec<String>, String)> {
    let Some(checked) = &stage.promotion else { return Vec::new() };
    let case = checked.case(policy);
    let findings = checked.judged.decision.findings.iter();
    findings
        .map(|finding| {
            let said = render_finding(&case, finding);
            let facts = said.facts.iter().filter(|(label, _)| matches!(*label, "missing" | "fix"));
            let facts = facts.map(|(_, fact)| fact.clone()).collect();
            (said.sentence, facts, requirement_phrase(&case, finding))
        })
        .collect()
}

fn text(policy: &Policy, now: &Overview) -> Vec<String> {
    let mut out = vec![format!("Policy {}, {}", policy.name, show(now.at)), String::new()];
    for stage in &now.stages {
        let tip = stage.tip.map_or("(no branch)".to_string(), |tip| tip.short());
        let waits = match (stage.waiting, stage.ready()) {
            (0, _) => String::new(),
            (n, true) => format!("{n} commit{} ready to promote", if n == 1 { "" } else { "s" }),
            (n, false) => format!("{n} commit{} waiting", if n == 1 { "" } else { "s" }),
        };
        out.push(format!("  {:<10} {tip:<12} {waits}", stage.branch).trim_end().to_string());
        for (sentence, facts, takes) in missing(policy, stage) {
            out.push(format!("    - {sentence}"));
            out.extend(facts.iter().map(|fact| format!("      {fact}")));
            if facts.is_empty() {
                out.push(format!("      {takes}"));
            }
        }
    }
    let candidates = now.candidates();
    section(&mut out, "Candidates", candidates.iter().map(|one| candidate(one)));
    let freezes = now.freezes(policy);
    section(&mut out, "Freezes", freezes.iter().filter(|f| f.state.closed()).map(freeze));
    let debts = now.debts.iter().map(|one| debt(policy, now, one));
    section(
        &mut out,
        "Debts",
        debts.chain(now.follow_ups.iter().filter_map(|one| render_waiver_follow_up(now, one))),
    );
    section(&mut out, "Waivers", now.ledger.waivers.iter().map(|one| waiver(now, one)));
    let deletions = now.ledger.deletions.iter().map(|request| {
        let end = request.at + policy.deletion.cooling_off;
        format!("{} by {}, cooling-off ends {}", request.name.short(), request.by, show(end))
    });
    section(&mut out, "Deletion requests", deletions);
    section(&mut out, "Next steps", next(policy, now).into_iter());
    out
}

fn candidate(one: &Candidate) -> String {
    let (commit, since) = (one.commit.short(), show(one.at));
    let failed = one.failed.as_ref().map_or_else(String::new, |failure| {
        let (by, at, id) = (&failure.by, show(failure.at), failure.id.short());
        match &failure.withdrawn_by {
            Some(who) => format!("; its failure of {at} was withdrawn by {who}"),
            None => {
                format!("; FAILED {at} by {by}: {} (record {id})", shorten(&failure.reason, 60))
            }
        }
    });
    format!("{} candidate {}: {commit}, named {since}{failed}", one.release, one.number)
}

/// The line about the follow-up of a used waiver.
fn render_waiver_follow_up(now: &Overview, one: &FollowUp) -> Option<String> {
    let FollowUp::Waiver { id, owes, due } = one else { return None };
    let (id, owes) = (id.short(), shorten(owes, 60));
    Some(format!("follow-up of waiver {id}: \"{owes}\", {}", render_due(now, *due)))
}

fn render_due(now: &Overview, due: Instant) -> String {
    let mark = if due <= now.at { "OVERDUE since" } else { "due" };
    format!("{mark} {}", show(due))
}

fn debt(policy: &Policy, now: &Overview, debt: &Debt) -> String {
    let (fix, subject) = (debt.fix.short(), shorten(&debt.subject, 40));
    format!("{fix} {subject}: {}", debt_phrase(&policy.flow, debt, policy.debts.due, now.at))
}

fn waiver(now: &Overview, waiver: &Waiver) -> String {
    let state = match () {
        () if waiver.uses_left == 0 => "used up".to_string(),
        () if !now.logged => "number of uses unknown (no audit log)".to_string(),
        () if !waiver.during.contains(now.at) => "expired, unused".to_string(),
        () => format!("uses left: {}", waiver.uses_left),
    };
    let (rule, on) = (waiver.rule.name(), waiver.on.short());
    format!("{} {rule} on {on} until {}: {state}", waiver.id.short(), show(waiver.during.end))
}

fn section(out: &mut Vec<String>, title: &str, lines: impl Iterator<Item = String>) {
    let mut lines = lines.peekable();
    if lines.peek().is_some() {
        out.push(String::new());
        out.push(format!("{title}:"));
        out.extend(lines.map(|line| format!("  {line}")));
    }
}

fn freeze(freeze: &Freeze<'_>) -> String {
    let name = &freeze.window.name;
    let since = freeze.since.map_or_else(String::new, |since| format!(" since {}", show(since)));
    let until =
        freeze.earliest_end.map_or_else(String::new, |end| format!(", earliest end {}", show(end)));
    let wanted: Vec<String> = freeze.missing.iter().map(missing_phrase).collect();
    let wanted =
        if wanted.is_empty() { String::new() } else { format!("; requires {}", wanted.join(", ")) };
    format!("{name}: {}{since}{until}{wanted}", freeze.state.name())
}

/// What can be done now, as commands.
fn next(policy: &Policy, now: &Overview) -> Vec<String> {
    let mut all = Vec::new();
    for debt in &now.debts {
        let branch = policy.flow.stages.get(debt.to).map_or("?", |stage| stage.branch.short());
        all.push(format!(
            "bring {} to {branch}: git cherry-pick -x {} (on {branch}), or a merge",
            debt.fix.short(),
            debt.fix.short()
        ));
    }
    for pair in now.stages.windows(2) {
        if let [before, stage] = pair
            && stage.ready()
        {
            all.push(format!("promote: git push origin origin/{}:{}", before.branch, stage.branch));
        }
    }
    all.extend(now.follow_ups.iter().map(|one| match one {
        FollowUp::Tag { branch, commits, since } => {
            format!(
                "tag a release of {branch} ({commits} commit{} since {since}): git tag -a TAG",
                if *commits == 1 { "" } else { "s" }
            )
        }
        FollowUp::Finish { tag } => {
            format!("when release notes and documentation are done: refgate release finish {tag}")
        }
        FollowUp::Waiver { id, owes, .. } => {
            let (id, owes) = (id.short(), shorten(owes, 40));
            format!("when \"{owes}\" is done: refgate settle {id}")
        }
    }));
    for freeze in now.freezes(policy).iter().filter(|freeze| freeze.state.closed()) {
        for missing in &freeze.missing {
            all.push(match missing {
                refgate_core::MissingEvidence::Runs { .. } => {
                    "when a production run is complete: refgate evidence production-run --run ID"
                        .to_string()
                }
                refgate_core::MissingEvidence::Notice => {
                    "when the stakeholders are notified: refgate evidence notice".to_string()
                }
                refgate_core::MissingEvidence::SignOff(role) => {
                    format!(
                        "{role}, when the release is stable: refgate sign-off --meaning freeze-exit"
                    )
                }
                refgate_core::MissingEvidence::Blocker(name) => {
                    format!("resolve the blocker \"{name}\"")
                }
            });
        }
    }
    all.dedup();
    all
}

fn follow_up_json(follow_up: &FollowUp) -> Value {
    match follow_up {
        FollowUp::Tag { branch, commits, since } => {
            json!({ "owes": "tag", "branch": branch, "commits": commits, "since": since })
        }
        FollowUp::Finish { tag } => json!({ "owes": "notes", "release": tag }),
        FollowUp::Waiver { id, owes, due } => {
            json!({ "owes": owes, "waiver": id.to_string(), "due": due.to_rfc3339() })
        }
    }
}

fn candidate_json(candidate: &Candidate) -> Value {
    let failed = candidate.failed.as_ref().map(|failure| {
        json!({
            "at": failure.at.to_rfc3339(), "by": failure.by, "reason": failure.reason,
            "record": failure.id.to_string(), "withdrawn-by": failure.withdrawn_by,
        })
    });
    json!({
        "release": candidate.release, "number": candidate.number,
        "commit": candidate.commit.to_string(), "tree": candidate.tree.to_string(),
        "failed": failed,
    })
}

fn object(policy: &Policy, now: &Overview) -> Value {
    let stages: Vec<Value> = now
        .stages
        .iter()
        .map(|stage| {
            let missing: Vec<Value> = missing(policy, stage)
                .into_iter()
                .map(|(what, facts, takes)| json!({ "what": what, "facts": facts, "takes": takes }))
                .collect();
            json!({
                "branch": stage.branch, "environment": stage.environment,
                "tip": stage.tip.map(|tip| tip.to_string()),
                "waiting": stage.waiting, "ready": stage.ready(), "missing": missing,
            })
        })
        .collect();
    let branch = |place: usize| policy.flow.stages.get(place).map(|stage| stage.branch.short());
    let freezes: Vec<Value> = now
        .freezes(policy)
        .iter()
        .map(|freeze| {
            json!({
                "window": freeze.window.name, "state": freeze.state.name(),
                "since": freeze.since.map(|at| at.to_rfc3339()),
                "earliest-end": freeze.earliest_end.map(|at| at.to_rfc3339()),
                "missing": freeze.missing.iter().map(missing_phrase).collect::<Vec<_>>(),
            })
        })
        .collect();
    let debts: Vec<Value> = now
        .debts
        .iter()
        .map(|debt| {
            let due = debt.due(policy.debts.due);
            json!({
                "fix": debt.fix.to_string(), "subject": debt.subject, "on": branch(debt.from),
                "missing-on": branch(debt.to), "since": debt.since.map(|at| at.to_rfc3339()),
                "due": due.map(|at| at.to_rfc3339()), "overdue": due.map(|due| due <= now.at),
            })
        })
        .collect();
    let waivers: Vec<Value> = now
        .ledger
        .waivers
        .iter()
        .map(|waiver| {
            json!({
                "id": waiver.id.to_string(), "rule": waiver.rule.name(), "ref": waiver.on.as_str(),
                "by": waiver.by, "until": waiver.during.end.to_rfc3339(),
                "uses-left": waiver.uses_left, "holds": waiver.during.contains(now.at),
                "owes": waiver.owes, "uses-known": now.logged,
            })
        })
        .collect();
    let candidates: Vec<Value> = now.ledger.candidates.iter().map(candidate_json).collect();
    json!({
        "format": 1, "policy": policy.name, "at": now.at.to_rfc3339(), "stages": stages,
        "candidates": candidates, "freezes": freezes, "debts": debts, "waivers": waivers,
        "follow-ups": now.follow_ups.iter().map(follow_up_json).collect::<Vec<_>>(), "due": length(policy.debts.due), "next": next(policy, now),
    })
}
