//! `git backport status`: shows which branches contain each fix, and which are missing it.

use std::collections::BTreeMap;

use refgate_core::matrix::{Evidence, Fix, FixLocation, FixState, OriginLink};
use refgate_gate::Exit;
use refgate_report::clean;
use serde_json::{Value, json};

use crate::args::{RepositoryArgs, Status};
use crate::fix_index::{FixIndex, IndexOptions};
use crate::output::{VerbResult, done, say};
use crate::policy_answer::Answer;

pub(crate) fn run(place: &RepositoryArgs, args: &Status) -> VerbResult {
    let how = IndexOptions {
        no_cache: args.no_cache,
        ignore_trailers: args.ignore_trailers,
        around: (!args.fixes.is_empty() && !args.pairs).then(|| args.fixes.clone()),
        ..IndexOptions::default()
    };
    let mut known = FixIndex::read(place, how)?;
    if args.pairs {
        return pairs(place, &known);
    }
    let mut roots = Vec::new();
    for fix in &args.fixes {
        roots.extend(known.fix(fix)?);
    }
    known.compare(&roots)?;
    let matrix = known.matrix();
    let named = !roots.is_empty();
    if !named {
        roots = matrix.carried();
        roots.sort_by_key(|root| std::cmp::Reverse(age(&known, *root)));
    }
    let (mut shown, mut attention_count) = (0, 0);
    for root in &roots {
        let fix = matrix.fix(*root);
        let trouble = needs_attention(&fix);
        attention_count += usize::from(trouble);
        if named || args.all || trouble {
            shown += 1;
            say(&if place.json {
                json_of(&known, &fix).to_string()
            } else {
                text(&known, &fix, named)
            });
        }
    }
    if !named && !place.json {
        say(&format!(
            "fixes: {} on {} branches; need attention: {attention_count}; shown: {shown}",
            roots.len(),
            known.branches.all.len()
        ));
    }
    Ok(done(if args.exit_code && attention_count > 0 { Exit::Rejected } else { Exit::Accepted }))
}

/// Prints every copy with its original, for scripts and measurements.
fn pairs(place: &RepositoryArgs, known: &FixIndex) -> VerbResult {
    for (at, roots) in known.families.roots.iter().enumerate() {
        let Some(copy) = known.fact(at).map(|fact| fact.id) else { continue };
        for (root, evidence) in roots.iter().filter(|(root, _)| *root != OriginLink::Here(at)) {
            let (original, _) = known.shown(*root);
            let (why, sure) = (describe_evidence(*evidence), evidence.confidence());
            say(&match place.json {
                true => json!({
                    "copy": copy.to_string(), "original": original, "confidence": sure,
                    "evidence": why,
                })
                .to_string(),
                false => format!("{copy}\t{original}\t{sure}\t{why}"),
            });
        }
    }
    Ok(done(Exit::Accepted))
}

/// The latest committer date of the original and its copies.
fn age(known: &FixIndex, root: OriginLink) -> i64 {
    let members = known.families.members.get(&root).into_iter().flatten();
    members.filter_map(|place| known.fact(*place)).map(|fact| fact.committed).max().unwrap_or(0)
}

fn needs_attention(fix: &Fix) -> bool {
    !fix.gaps.is_empty() || !fix.follow_ups.is_empty()
}

/// The name of a state in the output.
fn state(cell: FixState) -> &'static str {
    match cell {
        FixState::Original => "original",
        FixState::Ancestor => "present",
        FixState::Copy(Evidence::Trailer { .. } | Evidence::Dangling | Evidence::Original) => {
            "picked"
        }
        FixState::Copy(Evidence::PatchId) => "equivalent",
        FixState::Copy(Evidence::Author | Evidence::Content { .. }) => "similar",
        FixState::Reverted => "reverted",
        FixState::Missing => "missing",
    }
}

/// The states in the order of the output.
const STATES: [&str; 10] = [
    "original",
    "present",
    "picked",
    "equivalent",
    "similar",
    "reverted",
    "missing",
    "baking",
    "not-eligible",
    "not-applicable",
];

/// More exact states for branches that are missing a fix, by branch index.
fn exact_states(known: &FixIndex, fix: &Fix) -> BTreeMap<usize, &'static str> {
    let mut all = BTreeMap::new();
    let (Some(rules), OriginLink::Here(original)) = (&known.rules, fix.root) else { return all };
    let Some(original) = known.fact(original).filter(|fact| fact.parents == 1) else { return all };
    let lines = known.branches.lines();
    for (place, _) in fix.cells.iter().enumerate().filter(|(_, one)| one.cell == FixState::Missing)
    {
        let branch = known.branches.name(place);
        let earlier = || fix.cells.iter().take(place).any(|found| found.cell.landed());
        let denied = || {
            let answer = rules.answer(&known.reader, original.id, branch);
            matches!(answer, Ok(Answer::Denied(_)))
        };
        if rules.excuses(&known.reader, original.id, branch) {
            all.insert(place, "not-applicable");
        } else if !lines.contains(&place) && earlier() {
            // The next promotion brings it.
            all.insert(place, "baking");
        } else if denied() {
            all.insert(place, "not-eligible");
        }
    }
    all
}

/// The evidence for a copy as text.
fn describe_evidence(evidence: Evidence) -> String {
    match evidence {
        Evidence::Original => "the original".to_string(),
        Evidence::Trailer { short: false } => "its message names it".to_string(),
        Evidence::Trailer { short: true } => "its message names it, by a short id".to_string(),
        Evidence::Dangling => "its message names an id that is unknown here".to_string(),
        Evidence::PatchId => "the same patch id".to_string(),
        Evidence::Author => "the same author, author date and title".to_string(),
        Evidence::Content { percent } => format!("{percent} % of the changed lines"),
    }
}

/// The text for a fix. With `asked`, it includes the evidence.
fn text(known: &FixIndex, fix: &Fix, asked: bool) -> String {
    let (id, subject) = known.shown(fix.root);
    let short = id.get(..12).unwrap_or(&id);
    let mut lines = vec![format!("{short} {}", clean(&subject))];
    let exact_states = exact_states(known, fix);
    for wanted in STATES {
        let mut all: Vec<(String, Vec<String>)> = Vec::new();
        for (place, found) in fix.cells.iter().enumerate() {
            let shown = exact_states.get(&place).copied().unwrap_or_else(|| state(found.cell));
            if shown != wanted {
                continue;
            }
            let why = match found.cell {
                FixState::Copy(evidence @ Evidence::Content { .. }) if asked => {
                    format!(": {}", describe_evidence(evidence))
                }
                FixState::Copy(evidence) if asked => {
                    format!(": {}, {} %", describe_evidence(evidence), evidence.confidence())
                }
                _ => String::new(),
            };
            let name = named(known, place, *found, asked);
            match all.iter_mut().find(|(known, _)| *known == why) {
                Some((_, names)) => names.push(name),
                None => all.push((why, vec![name])),
            }
        }
        for (why, names) in all {
            let text = format!("{}{why}", names.join(", "));
            let first = format!("  {wanted:<14} ");
            lines.push(refgate_report::wrap(&first, "                 ", &text));
        }
    }
    let names = |places: &[usize]| {
        let names: Vec<&str> = places.iter().map(|place| known.branches.name(*place)).collect();
        names.join(", ")
    };
    let gaps: Vec<usize> =
        fix.gaps.iter().filter(|gap| !exact_states.contains_key(gap)).copied().collect();
    if !gaps.is_empty() {
        let text = format!("{} (an older line contains it)", names(&gaps));
        lines.push(refgate_report::wrap("  gap            ", "                 ", &text));
    }
    for (follow, lacking) in &fix.follow_ups {
        let (id, subject) = known.shown(*follow);
        let short = id.get(..12).unwrap_or(&id);
        let text = format!("{short} {} is not on {}", clean(&subject), names(lacking));
        lines.push(refgate_report::wrap("  follow-up      ", "                 ", &text));
    }
    lines.join("\n")
}

fn named(known: &FixIndex, place: usize, found: FixLocation, explained: bool) -> String {
    let name = known.branches.name(place);
    let by = found.by.and_then(|by| known.fact(by));
    match (found.cell, by) {
        (FixState::Copy(evidence), Some(by)) => {
            let sure = evidence.confidence();
            let doubt = if sure < 95 && !explained { format!(" {sure} %") } else { String::new() };
            format!("{name} ({}{doubt})", by.id.short())
        }
        (FixState::Reverted, Some(by)) => format!("{name} ({})", by.id.short()),
        _ => name.to_string(),
    }
}

fn json_of(known: &FixIndex, fix: &Fix) -> Value {
    let (id, subject) = known.shown(fix.root);
    let names = |places: &[usize]| -> Vec<String> {
        places.iter().map(|place| known.branches.name(*place).to_string()).collect()
    };
    let exact_states = exact_states(known, fix);
    let cells: Vec<Value> = fix
        .cells
        .iter()
        .enumerate()
        .map(|(place, found)| {
            let state = exact_states.get(&place).copied().unwrap_or_else(|| state(found.cell));
            let (why, sure) = match found.cell {
                FixState::Copy(evidence) => (describe_evidence(evidence), evidence.confidence()),
                FixState::Original | FixState::Ancestor => {
                    ("the branch contains it".to_string(), 100)
                }
                FixState::Reverted => ("it was reverted".to_string(), 99),
                FixState::Missing if state == "not-applicable" => {
                    ("a record states it".to_string(), 100)
                }
                FixState::Missing => ("there is no evidence".to_string(), 99),
            };
            let by = found.by.and_then(|by| known.fact(by)).map(|fact| fact.id.to_string());
            json!({
                "branch": known.branches.name(place), "state": state,
                "commit": by, "evidence": why, "confidence": sure,
            })
        })
        .collect();
    let follow_ups: Vec<Value> = fix
        .follow_ups
        .iter()
        .map(|(root, lacking)| {
            let (id, subject) = known.shown(*root);
            json!({ "fix": id, "subject": subject, "missing": names(lacking) })
        })
        .collect();
    json!({
        "fix": id, "subject": subject, "branches": cells, "gaps": names(&fix.gaps),
        "follow-ups": follow_ups,
    })
}
