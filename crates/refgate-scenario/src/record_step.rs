//! Parses the steps of a scenario that make a record.

use refgate_core::{EvidenceKind, Meaning, RuleId};

use crate::parse::{full, length, text};
use crate::step::{Record, Step};

/// Parses a step in which a person makes a record.
pub(crate) fn record(who: String, verb: &str, rest: &[&str]) -> Result<Step, String> {
    let own = |word: &&str| (*word).to_string();
    let rule = |word: &str| RuleId::find(word).ok_or(format!("there is no rule `{word}`"));
    let number = |word: &str| word.parse::<u32>().map_err(|_| format!("`{word}` is not a number"));
    let record = match (verb, rest) {
        ("approves", [name, "of", of]) => {
            Record::Approval { rule: rule(name)?, of: own(of), onto: None }
        }
        ("approves", [name, "of", of, "onto", onto]) => {
            Record::Approval { rule: rule(name)?, of: own(of), onto: Some(own(onto)) }
        }
        ("waives", [name, "on", on, "for", count, unit, "because", reason]) => Record::Waiver {
            rule: rule(name)?,
            on: own(on),
            lasts: length(&[count, unit])?,
            uses: 1,
            reason: text(reason)?,
        },
        ("signs", ["off", "freeze-exit"]) => Record::Exit,
        ("signs", ["off", "classification", "of", of, "as", class]) => {
            Record::Settled { of: own(of), class: own(class) }
        }
        ("signs", ["off", meaning, "of", of]) => {
            let found = Meaning::find(meaning).ok_or(format!("unknown meaning `{meaning}`"))?;
            Record::SignOff { meaning: found, of: own(of) }
        }
        ("records", [kind]) => {
            let what = EvidenceKind::find(kind).ok_or(format!("unknown evidence `{kind}`"))?;
            Record::Evidence { what, run: None }
        }
        ("records", ["production-run", id]) => {
            Record::Evidence { what: EvidenceKind::ProductionRun, run: Some(text(id)?) }
        }
        ("records", ["the", "absence", "of", person, "for", count, unit]) => {
            Record::Absence { person: own(person), lasts: length(&[count, unit])? }
        }
        ("opens", ["the", "next", "iteration", "because", reason]) => {
            Record::Iteration { reason: text(reason)? }
        }
        ("names", [of, "candidate", count, "of", release]) => {
            Record::Candidate { of: own(of), number: number(count)?, release: own(release) }
        }
        ("fails", ["candidate", count, "of", release]) => {
            Record::Failed { number: number(count)?, release: own(release) }
        }
        ("stops", [stage, "for", count, unit, "letting", classes @ .., "because", reason]) => {
            let named = classes.iter().filter(|word| !["and", "through"].contains(word));
            Record::Stop {
                stage: own(stage),
                lasts: length(&[count, unit])?,
                lets_through: named.map(own).collect(),
                reason: text(reason)?,
            }
        }
        ("ends", ["the", "stop"]) => Record::Thaw,
        ("certifies", [person, "in", course, "for", count, unit]) => Record::Certificate {
            person: own(person),
            course: own(course),
            lasts: length(&[count, unit])?,
        },
        ("excuses", [to, "from", fix]) => Record::NotApplicable { fix: own(fix), to: own(to) },
        ("withdraws", ["the", "last", "record"]) => Record::Withdrawal,
        ("asks", ["to", "delete", name]) => Record::Deletion { name: full(name), agreed_by: None },
        ("asks", ["to", "delete", name, "agreed", "by", by]) => {
            Record::Deletion { name: full(name), agreed_by: Some(own(by)) }
        }
        _ => return Err(format!("unknown step `{verb}`, or wrong words after it")),
    };
    Ok(Step::Record { who, record })
}
