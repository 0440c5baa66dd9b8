//! `refgate check`: shows the verdict of the server before a push.

use refgate_core::{Case, RefName, Verdict};
use refgate_gate::{Exit, ProposedUpdate, check};
use refgate_report::{annotations, decision_json, render_rejection, warnings};

use crate::args::{Check, Form};
use crate::command::query_context::{QueryContext, ask, finished};
use crate::output::{Failure, VerbResult, say, say_json};

pub(crate) fn run(args: &Check) -> VerbResult {
    let query = ask(&args.question)?;
    let proposed = parse_refspecs(&query, &args.refspecs)?;
    let rest = query.at_rest();
    let checked = check(&rest, query.who(), &proposed, &args.options)?;
    let case = checked.case(rest.policy);
    let decision = &checked.judged.decision;
    let form = if args.question.json { Form::Json } else { args.format };
    match form {
        Form::Json => say_json(&decision_json(&case, decision)),
        Form::Github => {
            let lines = annotations(&case, decision);
            if !lines.is_empty() {
                say(lines.trim_end());
            }
        }
        Form::Text => say(&text(&case, decision)),
    }
    finished(match decision.verdict {
        Verdict::Accept => Exit::Accepted,
        Verdict::Reject => Exit::Rejected,
        Verdict::Undecided => Exit::Undecided,
    })
}

fn text(case: &Case<'_>, decision: &refgate_core::Decision) -> String {
    if decision.verdict != Verdict::Accept {
        return render_rejection(case, decision).replace(
            "push rejected. Nothing has changed on the server.",
            "the server would reject this.",
        );
    }
    let mut lines = vec![match case.push.updates.len() {
        0 => "The server already has all of this.".to_string(),
        _ => "The server would accept this.".to_string(),
    }];
    for seen in &decision.landings {
        let class = case.policy.classes.name(seen.class.class);
        let why = refgate_report::render_class_reason(&case.policy.classes, &seen.class.reason);
        lines.push(format!("  {} {}: {class}, {why}", seen.commit.short(), seen.route.name()));
    }
    lines.push(warnings(case, decision));
    lines.join("\n").trim_end().to_string()
}

/// Parses refspecs: `BRANCH`, `REV:BRANCH`, `:BRANCH`, `+REV:BRANCH` or a tag. No
/// refspec means the current branch.
fn parse_refspecs(query: &QueryContext, texts: &[String]) -> Result<Vec<ProposedUpdate>, Failure> {
    let reader = &query.reader;
    if texts.is_empty() {
        let branch = reader.current_branch()?.ok_or_else(|| {
            Failure::new(Exit::Usage, "cannot check HEAD: it is detached\nhint: name a branch")
        })?;
        return Ok(vec![parse_proposed_update(Some("HEAD"), &branch)?]);
    }
    texts
        .iter()
        .map(|text| {
            let text = text.trim_start_matches('+');
            match text.split_once(':') {
                Some(("", to)) => parse_proposed_update(None, to),
                Some((from, to)) => parse_proposed_update(Some(from), to),
                None if reader.resolve(&format!("refs/heads/{text}")).is_ok() => {
                    parse_proposed_update(Some(text), text)
                }
                None if reader.resolve(&format!("refs/tags/{text}")).is_ok() => {
                    let tag = format!("refs/tags/{text}");
                    parse_proposed_update(Some(&tag), &tag)
                }
                None => {
                    let message = format!("cannot find a branch or tag named `{text}`");
                    Err(Failure::new(Exit::BadInput, message))
                }
            }
        })
        .collect()
}

fn parse_proposed_update(revision: Option<&str>, to: &str) -> Result<ProposedUpdate, Failure> {
    let full = if to.starts_with("refs/") { to.to_string() } else { format!("refs/heads/{to}") };
    let name = RefName::parse(&full).map_err(|why| {
        Failure::new(Exit::BadInput, format!("`{}`: {why}", refgate_report::clean(to)))
    })?;
    Ok(ProposedUpdate { revision: revision.map(ToString::to_string), name })
}
