//! `refgate when`: the earliest moment at which a class, or a branch, may land.

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
use crate::output::{Failure, VerbResult, say};

pub(crate) fn run(args: &When) -> VerbResult {
    let asked = ask(&args.question)?;
    let onto = if args.onto.is_empty() {
        let first = asked.policy.flow.stages.first().map(|stage| stage.branch.clone());
        first.ok_or_else(|| Failure::new(Exit::BadPolicy, "the policy names no stage"))?
    } else {
        RefName::branch(&args.onto)
            .map_err(|why| Failure::new(Exit::Usage, format!("`{}`: {why}", args.onto)))?
    };
    let target = asked.policy.flow.target(&onto).ok_or_else(|| {
        Failure::new(Exit::BadInput, format!("`{onto}` is no stage or line of this policy"))
    })?;
    match asked.policy.classes.find(&args.what) {
        Some(class) => of_class(args, &asked, &target, &onto, class),
        None => of_branch(args, &asked, &onto),
    }
}

/// A class by itself: what the calendar says, and whether it may go there at
/// all without being promoted.
fn of_class(
    args: &When,
    asked: &QueryContext,
    target: &Target<'_>,
    onto: &RefName,
    class: ClassId,
) -> VerbResult {
    let policy = &asked.policy;
    let releases = releases(&asked.reader, &policy.release)?;
    let history = History { releases, ..History::default() };
    let (actor, at) = asked.who();
    let push = Push { actor, at, updates: Vec::new(), options: Vec::new() };
    let survey = ServerSurvey { releases: history.releases.clone(), ..ServerSurvey::default() };
    let records = asked.at_rest().records.calendar_records(policy, &survey, at)?;
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
        Eligibility::Deferred { .. } => "by promotion only: backports have ended".to_string(),
        Eligibility::Never => "by promotion only".to_string(),
    };
    if args.question.json {
        let object = json!({
            "class": name, "onto": onto.short(), "now": when == Answer::Now,
            "earliest": from.to_rfc3339(), "waits-for": waits, "way": way,
        });
        say(&object.to_string());
        return finished(Exit::Accepted);
    }
    say(&format!("{name} onto {onto}:"));
    say(&match when {
        Answer::Now => "  now; no freeze keeps it out".to_string(),
        Answer::At(at) => format!("  from {}", show(at)),
        Answer::Needs { window, .. } => {
            let ahead = from > at;
            let from = if ahead { format!("from {}, ", show(from)) } else { String::new() };
            format!("  {from}once the freeze \"{window}\" has: {}", waits.join(", "))
        }
    });
    if !way.is_empty() {
        say(&format!("  {way}"));
    }
    finished(Exit::Accepted)
}

/// A branch as it is: the first moment at which the server would take it, by
/// all rules; or what else it takes.
fn of_branch(args: &When, asked: &QueryContext, onto: &RefName) -> VerbResult {
    let wish = ProposedUpdate { revision: Some(args.what.clone()), name: onto.clone() };
    let rest = asked.at_rest();
    let checked = find_earliest(&rest, asked.who(), &[wish])?;
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
        let needs: Vec<_> =
            needs.iter().map(|(what, takes)| json!({"objection": what, "takes": takes})).collect();
        let object = json!({
            "revision": args.what, "onto": onto.short(), "lands": lands,
            "now": lands && at == asked.at,
            "earliest": at.to_rfc3339(), "needs": needs,
        });
        say(&object.to_string());
        return finished(Exit::Accepted);
    }
    say(&format!("{} onto {onto}:", args.what));
    let ahead = at > asked.at;
    say(&match (lands, ahead) {
        (true, false) if checked.push.updates.is_empty() => "  it is there already".to_string(),
        (true, false) => "  now".to_string(),
        (true, true) => format!("  from {}", show(at)),
        (false, true) => format!("  not before {}, and then only with:", show(at)),
        (false, false) => "  time alone does not bring it there:".to_string(),
    });
    for (what, takes) in needs {
        say(&format!("  - {what}\n    {takes}"));
    }
    finished(Exit::Accepted)
}
