//! Reads what a commit declares: trailer, push option, branch, type, words and author.

use alloc::string::{String, ToString};

use crate::message::conventional_type;
use crate::subject_guess::{guess_class, match_subject_pattern, strip_labels, truncate_subject};
use crate::word_pattern::split;
use crate::{ClassId, ClassReason, Classification, Commit, DeclarationSource, Policy, Push};

/// The usual names of branches that are merged again and again.
const LONG_LIVED: [&str; 10] = [
    "dev",
    "develop",
    "development",
    "main",
    "master",
    "next",
    "production",
    "staging",
    "stg",
    "trunk",
];

/// The class that one kind of declaration gives a commit.
pub(crate) fn find_declaration(
    policy: &Policy,
    push: Option<&Push>,
    commit: &Commit,
    by: DeclarationSource,
) -> Option<Classification> {
    let message = &commit.message;
    let reason = |text: &str, pattern: &str, guess: bool| {
        let (text, pattern) = (text.to_string(), pattern.to_string());
        ClassReason::Declared { by, text, pattern, guess }
    };
    let hit = |class: ClassId, text: &str, pattern: &str| {
        Some(Classification::new(class, reason(text, pattern, false)))
    };
    let named = |text: &str| match policy.classes.find(text) {
        Some(class) => hit(class, text, text),
        None => {
            let reason = ClassReason::Unknown { by, text: text.to_string() };
            Some(Classification::new(ClassId::UNCLASSIFIED, reason))
        }
    };
    // Git or a forge writes the subject of a merge commit, so a title of the author can
    // only be in the body.
    let merge = commit.parents.len() > 1 && message.is_merge_subject();
    let title = if merge || message.merged_branch().is_some() {
        message.merged_title()
    } else {
        Some(message.subject())
    };
    let title = title.map(truncate_subject);
    match by {
        DeclarationSource::Trailer => named(&message.trailer(&policy.declare.trailer)?),
        DeclarationSource::Option => {
            named(push?.options.iter().find_map(|o| o.strip_prefix("class="))?)
        }
        DeclarationSource::Author => {
            let is = |who: &String| {
                [&commit.author.name, &commit.author.email]
                    .iter()
                    .any(|a| a.eq_ignore_ascii_case(who))
            };
            let (who, class) = policy.declare.authors.iter().find(|(who, _)| is(who))?;
            // Anybody can write the name of a bot.
            Some(Classification::new(*class, reason(who, who, true)))
        }
        DeclarationSource::Branch => {
            let branch = message.merged_branch().filter(|_| commit.parents.len() > 1)?;
            // An owner can precede the prefix: `ada/fix/x`.
            let behind = branch.match_indices('/').filter_map(|(at, _)| branch.get(at + 1..));
            let mut found = core::iter::once(branch).chain(behind).filter_map(|part| {
                let words = split(part);
                policy.declare.branches.iter().find(|(pattern, _)| pattern.matches(&words))
            });
            let (pattern, class) = found.next()?;
            hit(*class, branch, pattern.as_str())
        }
        DeclarationSource::Conventional => {
            let title = title?;
            let kind = conventional_type(title)?;
            let (name, class) = policy
                .declare
                .conventional
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(kind))?;
            hit(*class, title, name)
        }
        DeclarationSource::Subject => {
            let told = title.and_then(|title| guess_class(policy, title).map(|hit| (title, hit)));
            let branch = || {
                let branch = message.merged_branch().filter(|_| commit.parents.len() > 1)?;
                // The name of a long-lived branch says nothing about a change.
                let stage = policy.flow.stages.iter().any(|stage| stage.branch.short() == branch);
                if stage || LONG_LIVED.contains(&branch) {
                    return None;
                }
                match_subject_pattern(policy, &split(strip_labels(branch))).map(|hit| (branch, hit))
            };
            let (text, (pattern, class, _)) = told.or_else(branch)?;
            Some(Classification::new(class, reason(text, pattern, true)))
        }
    }
}
