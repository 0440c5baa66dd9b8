//! `refgate when`: the earliest moment at which a class, or a branch, may land.

use refgate_core::{
    Case, ClassId, History, LedgerView, Push, RefName, Target, When as Answer, earliest,
};
use refgate_gate::{Exit, Wish, check};
use refgate_git::releases;
use refgate_report::{because, missing_phrase, show};
use serde_json::json;

use crate::args::When;
use crate::command::question::{Asked, ask, finished};
use crate::output::{Done, Failure, say};

pub(crate) fn run(args: &When) -> Done {
    let asked = ask(&args.question)?;
    let onto = if args.onto.is_empty() {
        let first = asked.policy.flow.stages.first().map(|stage| stage.branch.clone());
        first.ok_or_else(|| Failure::new(Exit::BadPolicy, "the policy names no stage"))?
    } else {
        RefName::branch(&args.onto)
            .map_err(|why| Failure::new(Exit::Usage, format!("`{}`: {why}", args.onto)))?
    };
    let policy = &asked.policy;
    let target = policy.flow.target(&onto).ok_or_else(|| {
        Failure::new(Exit::BadInput, format!("`{onto}` is no stage or line of this policy"))
    })?;
    let ledger = LedgerView::default();
    let (class, why) = match policy.classes.find(&args.what) {
        Some(class) => (class, "asked for".to_string()),
        None => found(&asked, &args.what, &onto, &ledger)?,
    };
    let history =
        History { releases: releases(&asked.reader, &policy.release)?, ..History::default() };
    let push =
        Push { actor: asked.actor.clone(), at: asked.at, updates: Vec::new(), options: Vec::new() };
    let case = Case { policy, push: &push, history: &history, ledger: &ledger };
    answer(args, &case, &target, &onto, class, &why)
}

fn answer(
    args: &When,
    case: &Case<'_>,
    target: &Target<'_>,
    onto: &RefName,
    class: ClassId,
    why: &str,
) -> Done {
    let name = case.policy.classes.name(class);
    let when = earliest(case, target, class);
    let (at, waits) = match &when {
        Answer::Now => (Some(case.push.at), Vec::new()),
        Answer::At(at) => (Some(*at), Vec::new()),
        Answer::Needs { from, missing, .. } => {
            (Some(*from), missing.iter().map(missing_phrase).collect())
        }
    };
    if args.question.json {
        let now = when == Answer::Now;
        let at = at.map(|at| at.to_rfc3339());
        let object = json!({
            "class": name, "onto": onto.short(), "because": why,
            "now": now, "earliest": at, "waits-for": waits,
        });
        say(&object.to_string());
        return finished(Exit::Accepted);
    }
    say(&format!("{name} onto {onto} ({why}):"));
    say(&match when {
        Answer::Now => "  now; no freeze keeps it out".to_string(),
        Answer::At(at) => format!("  from {}", show(at)),
        Answer::Needs { from, window, .. } => {
            let from =
                if from > case.push.at { format!("from {}, ", show(from)) } else { String::new() };
            format!("  {from}once the freeze \"{window}\" has: {}", waits.join(", "))
        }
    });
    finished(Exit::Accepted)
}

/// The class of a branch or revision, if it were merged now.
fn found(
    asked: &Asked,
    what: &str,
    onto: &RefName,
    ledger: &LedgerView,
) -> Result<(ClassId, String), Failure> {
    let wish = Wish { revision: Some(what.to_string()), name: onto.clone() };
    let who = (asked.actor.clone(), asked.at);
    let checked = check(&asked.reader, &asked.policy, &asked.source, ledger, who, &[wish], &[])?;
    let landings = &checked.judged.decision.landings;
    let rank = |class| asked.policy.classes.rank(class);
    let highest = landings.iter().max_by_key(|seen| rank(seen.class.effective()));
    highest
        .map(|seen| {
            let why = because(&asked.policy.classes, &seen.class.because);
            (seen.class.effective(), format!("{} {why}", seen.commit.short()))
        })
        .ok_or_else(|| {
            let message =
                format!("`{what}` brings nothing new to `{onto}`, or does not contain it");
            Failure::new(Exit::BadInput, message)
        })
}
