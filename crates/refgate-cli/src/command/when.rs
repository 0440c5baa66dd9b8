//! `refgate when`: shows the earliest time at which a class or a branch can land.

use refgate_core::{
    Case, ClassId, Eligibility, History, LedgerView, Push, RefName, Target, Verdict,
    When as Answer, earliest, eligibility,
};
use refgate_gate::{Exit, ProposedUpdate, find_earliest};
use refgate_git::{ServerSurvey, releases};
use refgate_report::{missing_phrase, render_finding, requirement_phrase, show};
use serde_json::json;

use crate::args::When;
use crate::command::query_context::{QueryContext, ask, finished};
use crate::output::{Failure, VerbResult, say, say_json};

pub(crate) fn run(args: &When) -> VerbResult {
    let query = ask(&args.question)?;
    let onto = if args.onto.is_empty() {
        let first = query.policy.flow.stages.first().map(|stage| stage.branch.clone());
        first.ok_or_else(|| Failure::new(Exit::BadPolicy, "cannot find a stage in the policy"))?
    } else {
        RefName::branch(&args.onto)
            .map_err(|why| Failure::new(Exit::Usage, format!("`{}`: {why}", args.onto)))?
    };
    let target = query.policy.flow.target(&onto).ok_or_else(|| {
        Failure::new(Exit::BadInput, format!("cannot find stage or line `{onto}` in the policy"))
    })?;
    match query.policy.classes.find(&args.what) {
        Some(class) => answer_for_class(args, &query, &target, &onto, class),
        None => answer_for_branch(args, &query, &onto),
    }
}

/// Answers for a class: when the freezes accept it, and whether it can land there
/// without a promotion.
fn answer_for_class(
    args: &When,
    query: &QueryContext,
    target: &Target<'_>,
    onto: &RefName,
    class: ClassId,
) -> VerbResult {
    let policy = &query.policy;
    let releases = releases(&query.reader, &policy.release)?;
    let history = History { releases, ..History::default() };
    let (actor, at) = query.who();
    let push = Push { actor, at, updates: Vec::new(), options: Vec::new() };
    let survey = ServerSurvey { releases: history.releases.clone(), ..ServerSurvey::default() };
    let records = query.at_rest().records.calendar_records(policy, &survey, at)?;
    let ledger = LedgerView::assemble(policy, &records);
    let case = Case { policy, push: &push, history: &history, ledger: &ledger };
    let name = policy.classes.name(class);
    let when = earliest(&case, target, class);
    let (from, waits) = match &when {
        Answer::Now => (at, Vec::new()),
        Answer::At(from) => (*from, Vec::new()),
        Answer::Needs { from, missing, .. } => {
            (*from, missing.iter().map(missing_phrase).collect())
        }
    };
    let straight = if target.is_first() {
        Eligibility::Yes
    } else {
        eligibility(policy, &history.releases, target, class, from)
    };
    let way = match &straight {
        Eligibility::Yes => String::new(),
        Eligibility::Approval { role, until } => {
            format!("with an approval by {role}, before {}", show(*until))
        }
        Eligibility::Deferred { .. } => "by promotion only: no backport window is open".to_string(),
        Eligibility::Never => "by promotion only".to_string(),
    };
    if args.question.json {
        let object = json!({
            "class": name, "onto": onto.short(), "now": when == Answer::Now,
            "earliest": from.to_rfc3339(), "waits-for": waits, "way": way,
        });
        say_json(&object);
        return finished(Exit::Accepted);
    }
    say(&format!("{name} onto {onto}:"));
    say(&match when {
        Answer::Now => "  now; no freeze blocks it".to_string(),
        Answer::At(at) => format!("  from {}", show(at)),
        Answer::Needs { window, .. } => {
            let ahead = from > at;
            let from = if ahead { format!("from {}, ", show(from)) } else { String::new() };
            format!(
                "  {from}after the freeze \"{window}\" ends, which requires: {}",
                waits.join(", ")
            )
        }
    });
    if !way.is_empty() {
        say(&format!("  {way}"));
    }
    finished(Exit::Accepted)
}

/// Answers for a branch: the first time at which the server would accept it by all
/// rules, or the requirements that time does not meet.
fn answer_for_branch(args: &When, query: &QueryContext, onto: &RefName) -> VerbResult {
    let proposed_update = ProposedUpdate { revision: Some(args.what.clone()), name: onto.clone() };
    let rest = query.at_rest();
    let checked = find_earliest(&rest, query.who(), &[proposed_update])?;
    let at = checked.push.at;
    let decision = &checked.judged.decision;
    let case = checked.case(rest.policy);
    let lands = decision.verdict == Verdict::Accept;
    let needs: Vec<(String, String)> = decision
        .findings
        .iter()
        .map(|finding| {
            (render_finding(&case, finding).sentence, requirement_phrase(&case, finding))
        })
        .collect();
    if args.question.json {
        let needs: Vec<_> = needs
            .iter()
            .map(|(what, takes)| json!({"finding": what, "requirement": takes}))
            .collect();
        let object = json!({
            "revision": args.what, "onto": onto.short(), "lands": lands,
            "now": lands && at == query.at,
            "earliest": at.to_rfc3339(), "needs": needs,
        });
        say_json(&object);
        return finished(Exit::Accepted);
    }
    say(&format!("{} onto {onto}:", args.what));
    let ahead = at > query.at;
    say(&match (lands, ahead) {
        (true, false) if checked.push.updates.is_empty() => "  already there".to_string(),
        (true, false) => "  now".to_string(),
        (true, true) => format!("  from {}", show(at)),
        (false, true) => format!("  not before {}, and these findings remain:", show(at)),
        (false, false) => "  waiting does not help; these findings remain:".to_string(),
    });
    for (what, takes) in needs {
        say(&format!("  - {what}\n    {takes}"));
    }
    finished(Exit::Accepted)
}
