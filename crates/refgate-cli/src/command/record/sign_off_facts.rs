//! Shows in words what a sign-off states, and finds what is unexpected about it, so that nobody
//! signs blindly.

use refgate_core::{LedgerView, Meaning, Oid, Record};
use refgate_git::{Graph, releases, stage_tips};
use refgate_report::{clean, shorten, show};

use super::record_signer::RecordSigner;
use crate::output::Failure;

/// What a person reads before a signature.
pub(super) struct SignOffFacts {
    /// One line for each fact: a label and a text.
    pub(super) lines: Vec<(&'static str, String)>,
    /// What is unexpected. Signing then needs `--force`.
    pub(super) unexpected: Vec<String>,
}

/// Gathers the facts about the sign-off of a commit.
pub(super) fn gather(
    signer: &RecordSigner<'_>,
    records: &[Record],
    meaning: Meaning,
    commit: Oid,
) -> Result<SignOffFacts, Failure> {
    let (reader, policy) = (&signer.query.reader, &signer.query.policy);
    let graph = Graph::new(reader);
    let found = reader.commit(commit)?;
    let view = LedgerView::assemble(policy, records);
    let tips = stage_tips(reader, &policy.flow)?;
    let (mut lines, mut unexpected) = (Vec::new(), Vec::new());
    let repository = signer.query.repositories.first().map_or("", String::as_str);
    lines.push(("states", format!("{} of {}", meaning.name(), clean(repository))));
    let subject = shorten(found.message.subject(), 60);
    lines.push(("commit", format!("{} {subject}", commit.short())));

    let production = policy.flow.production().map(|(place, _)| place);
    let before = production.and_then(|place| place.checked_sub(1));
    if let Some((place, stage)) = before.and_then(|at| Some((at, policy.flow.stages.get(at)?))) {
        let branch = clean(stage.branch.short());
        let tip = tips.get(&place).copied();
        let same = match tip {
            Some(tip) => tip == commit || reader.commit(tip)?.tree == found.tree,
            None => false,
        };
        match (same, tip) {
            (true, _) => lines.push(("on", format!("{branch}, with the content of its tip"))),
            (false, Some(tip)) => {
                unexpected.push(format!("{branch} is at {}, which has other content", tip.short()));
            }
            (false, None) => unexpected.push(format!("{branch} does not exist here")),
        }
    }
    let shipped = production.and_then(|place| tips.get(&place).copied());
    if let Some(tip) = shipped
        && graph.is_ancestor(commit, tip)?
    {
        unexpected.push("the commit is in production already".to_string());
    }
    let named: Vec<_> = view.candidates.iter().filter(|one| one.tree == found.tree).collect();
    match named.last() {
        Some(one) => {
            lines.push(("candidate", format!("{} of {}", one.number, clean(&one.release))));
        }
        None if policy.promotion.candidate => {
            unexpected.push("no release candidate has this content".to_string());
        }
        None => {}
    }
    for candidate in &view.candidates {
        let standing = candidate.failed.as_ref().filter(|one| one.withdrawn_by.is_none());
        if let Some(failure) = standing {
            let of = format!("{} of {}", candidate.number, clean(&candidate.release));
            let (by, reason) = (clean(&failure.by), shorten(&failure.reason, 60));
            let text = format!("candidate {of} failed {}, by {by}: {reason}", show(failure.at));
            lines.push(("failure", text));
            if candidate.tree == found.tree {
                unexpected.push(format!("this content failed as candidate {of}"));
            }
        }
    }
    let signed = view.sign_offs.iter().filter(|one| one.tree == found.tree);
    let signed: Vec<String> =
        signed.map(|one| format!("{} by {}", one.meaning.name(), clean(&one.by))).collect();
    let nobody = || "nobody yet".to_string();
    lines.push(("signed", if signed.is_empty() { nobody() } else { signed.join(", ") }));
    if let Some(last) = releases(reader, &policy.release)?.last() {
        let count = graph.fresh(commit, &[last.commit], &std::collections::HashSet::new())?.len();
        let tag = clean(&last.tag);
        lines.push((
            "changes",
            format!("{count} commits since {tag}: git log {tag}..{}", commit.short()),
        ));
    }
    Ok(SignOffFacts { lines, unexpected })
}
