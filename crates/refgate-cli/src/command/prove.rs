//! `refgate prove`: finds lockouts and unused settings of a policy, and compares two policies.

use refgate_core::Policy;
use refgate_format::parse_instant;
use refgate_gate::{Exit, horizon};
use refgate_git::Reader;
use refgate_scenario::{AnsweredCase, compare, proof_scenario, prove};
use serde_json::{Value, json};

use crate::args::Prove;
use crate::command::query_context::finished;
use crate::output::{Failure, VerbResult, say, say_json};
use crate::policy_lookup::find;

/// The maximum number of examples that are printed for a difference.
const MAX_EXAMPLES: usize = 5;

pub(crate) fn run(args: &Prove) -> VerbResult {
    let at = match &args.at {
        None => chrono::Utc::now(),
        Some(text) => parse_instant(text)
            .ok_or_else(|| Failure::new(Exit::Usage, format!("cannot parse time `{text}`")))?,
    };
    let bounds = refgate_gate::bounds(&refgate_format::Limits::default());
    let reader = Reader::open(&args.repository, bounds).ok();
    let read = |name: &str| -> Result<Policy, Failure> {
        find(name, reader.as_ref())?.read(reader.as_ref(), horizon(at))
    };
    let policy = read(&args.policy)?;
    let failed = |what: String| Failure::new(Exit::Failed, what);
    let proofs = prove(&policy, &args.policy, at).map_err(failed)?;
    let difference = match &args.against {
        None => None,
        Some(old) => Some(compare(&policy, &read(old)?, at).map_err(failed)?),
    };
    if args.json {
        let proofs: Vec<Value> = proofs
            .iter()
            .map(|proof| json!({ "what": proof.what, "scenario": proof.scenario }))
            .collect();
        let examples = |cases: &[AnsweredCase]| -> Vec<String> {
            cases.iter().map(|(case, now)| proof_scenario(&args.policy, case, now)).collect()
        };
        let meaning = difference.as_ref().map(|(looser, stricter)| {
            json!({
                "meaning": meaning(looser, stricter),
                "looser": examples(looser), "stricter": examples(stricter),
            })
        });
        say_json(&json!({ "format": 1, "findings": proofs, "against": meaning }));
    } else {
        for proof in &proofs {
            say(&proof.what);
            if let Some(scenario) = &proof.scenario {
                say(&indent(scenario));
            }
        }
        if proofs.is_empty() {
            say("no problems found: no lockout, no unused setting, no missing person");
        }
        if let Some((looser, stricter)) = &difference {
            say(&format!(
                "compared with {}: {}",
                args.against.as_deref().unwrap_or(""),
                meaning(looser, stricter)
            ));
            told(args, "accepted now, rejected before", looser);
            told(args, "rejected now, accepted before", stricter);
        }
    }
    finished(if proofs.is_empty() { Exit::Accepted } else { Exit::Failed })
}

const fn meaning(looser: &[AnsweredCase], stricter: &[AnsweredCase]) -> &'static str {
    match (looser.is_empty(), stricter.is_empty()) {
        (true, true) => "no difference in the examined cases",
        (false, true) => "looser",
        (true, false) => "stricter",
        (false, false) => "looser in some cases, stricter in others",
    }
}

fn told(args: &Prove, title: &str, cases: &[AnsweredCase]) {
    // One example for each class, branch and delivery path is sufficient.
    let mut seen: Vec<(&str, &str, &str)> = Vec::new();
    for (case, now) in cases {
        let key = (case.onto.as_str(), case.class.as_str(), case.delivery.name());
        if seen.contains(&key) || seen.len() >= MAX_EXAMPLES {
            continue;
        }
        seen.push(key);
        say(&format!(
            "\n{title} ({} case{}), for example {} onto {} {}:",
            cases.len(),
            if cases.len() == 1 { "" } else { "s" },
            case.class,
            case.onto,
            case.delivery.name()
        ));
        say(&indent(&proof_scenario(&args.policy, case, now)));
    }
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}
