//! Determines the class of a landing, the reason for it, and whether the diff contradicts it.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::message::conventional_type;
use crate::path_class::class_of_paths;
use crate::route::joins_histories;
use crate::subject_guess::{guess_class, match_subject_pattern, strip_labels, truncate_subject};
use crate::word_pattern::split;
use crate::{
    Case, Change, ClassId, Commit, DeclarationSource, Landing, MergeClass, Oid, Policy, Push,
    Target,
};

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

/// Why a change has its class. A class always has a reason (docs/design/model.md, "Class").
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClassReason {
    /// A declaration, or a guess from free words.
    Declared {
        /// The kind of declaration.
        by: DeclarationSource,
        /// The text that was read.
        text: String,
        /// The pattern that the text matches; the text itself if there is no pattern.
        pattern: String,
        /// The class is a guess from free words, not a declaration.
        guess: bool,
    },
    /// A guess, raised to the lowest class that allows the diff. Free words can lower a class
    /// only within the limits of the diff (docs/design/model.md, "Class").
    Raised {
        /// The guessed class.
        from: ClassId,
        /// The reason for the guess.
        reason: Box<ClassReason>,
        /// The first change that the guessed class does not allow.
        change: Change,
    },
    /// A trailer or push option names a class that the policy does not have.
    Unknown {
        /// The kind of declaration.
        by: DeclarationSource,
        /// The text that was read.
        text: String,
    },
    /// The highest class among the side commits of the landing.
    Side {
        /// The commit with this class.
        commit: Oid,
        /// Its subject.
        subject: String,
        /// The reason for the class of that commit.
        reason: Box<ClassReason>,
    },
    /// Nothing was declared, but the limits of this class allow all changed paths.
    Paths,
    /// A merge without content of its own.
    AncestryOnly,
    /// No declaration and no evidence.
    Nothing,
}

/// The diff contains changes that the class does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// The first changes that are not allowed, at most five, in path order.
    pub shown: Vec<Change>,
    /// The number of changes that are not allowed.
    pub total: usize,
}

/// A class with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classification {
    /// The class.
    pub class: ClassId,
    /// The reason for it.
    pub reason: ClassReason,
    /// The changes of the diff that contradict it.
    pub contradiction: Option<Contradiction>,
}

impl Classification {
    const fn new(class: ClassId, reason: ClassReason) -> Self {
        Self { class, reason, contradiction: None }
    }

    /// Whether the class is only a guess from free words.
    #[must_use]
    pub fn is_guess(&self) -> bool {
        is_guess(&self.reason)
    }

    /// The class that rules use. A contradicted class counts as unclassified.
    #[must_use]
    pub const fn effective(&self) -> ClassId {
        if self.contradiction.is_some() { ClassId::UNCLASSIFIED } else { self.class }
    }
}

/// The class of one commit by its own declarations, without its diff.
#[must_use]
pub fn classify_commit(policy: &Policy, push: Option<&Push>, commit: &Commit) -> Classification {
    let found =
        policy.declare.order.iter().find_map(|by| find_declaration(policy, push, commit, *by));
    found.unwrap_or_else(|| Classification::new(ClassId::UNCLASSIFIED, ClassReason::Nothing))
}

/// The class of a landing: its own declaration, else the highest class of its side commits,
/// else the class of its paths. With [`MergeClass::Highest`], a higher side commit also
/// overrides the declaration.
#[must_use]
pub fn classify_landing(case: &Case<'_>, target: &Target<'_>, landing: &Landing) -> Classification {
    let Some(commit) = case.history.commit(landing.commit) else {
        return Classification::new(ClassId::UNCLASSIFIED, ClassReason::Nothing);
    };
    if commit.parents.len() > 1 && joins_histories(case, target, landing) {
        let least = case.policy.classes.ids().next().unwrap_or(ClassId::UNCLASSIFIED);
        return Classification::new(least, ClassReason::AncestryOnly);
    }
    let mut own = classify_commit(case.policy, Some(case.push), commit);
    // A merge declares its class by its branch name. A pick of it is no longer a merge commit.
    if own.reason == ClassReason::Nothing
        && let Some(pick) = landing.pick(commit.id).filter(|pick| pick.original.parents.len() > 1)
    {
        own = classify_commit(case.policy, None, &pick.original);
    }
    let silent = own.reason == ClassReason::Nothing;
    let mut found = own;
    if !landing.side.is_empty() && (silent || case.policy.merge == MergeClass::Highest) {
        let side = highest_side(case, landing);
        let higher = |c: &Classification| case.policy.classes.rank(c.class);
        if let Some(side) = side
            && (silent || higher(&side) > higher(&found))
        {
            found = side;
        }
    }
    let Some(changes) = &landing.changes else { return found };
    // Paths that all belong to one class are stronger evidence than free words.
    let open = found.class == ClassId::UNCLASSIFIED || is_guess(&found.reason);
    if open
        && !matches!(found.reason, ClassReason::Unknown { .. })
        && let Some(class) = class_of_paths(case.policy, changes)
    {
        return Classification::new(class, ClassReason::Paths);
    }
    let Some(against) = contradiction(case.policy, found.class, changes)
        .filter(|_| !settled(case, landing.commit, found.class, commit))
    else {
        return found;
    };
    if is_guess(&found.reason) {
        return raise_guess(case.policy, found, against, changes);
    }
    found.contradiction = Some(against);
    found
}

fn is_guess(reason: &ClassReason) -> bool {
    match reason {
        ClassReason::Declared { guess, .. } => *guess,
        ClassReason::Side { reason, .. } => is_guess(reason),
        ClassReason::Raised { .. } => true,
        _ => false,
    }
}

/// Raises a guess to the lowest class that allows the diff.
fn raise_guess(
    policy: &Policy,
    found: Classification,
    against: Contradiction,
    changes: &[Change],
) -> Classification {
    let rank = policy.classes.rank(found.class);
    let class = policy.classes.ids().find(|id| {
        policy.classes.rank(*id) > rank && contradiction(policy, *id, changes).is_none()
    });
    let Some((class, change)) = class.zip(against.shown.first().cloned()) else {
        return Classification { contradiction: Some(against), ..found };
    };
    let reason = ClassReason::Raised { from: found.class, reason: Box::new(found.reason), change };
    Classification::new(class, reason)
}

/// The changes of a diff that a class does not allow.
#[must_use]
pub fn contradiction(policy: &Policy, class: ClassId, changes: &[Change]) -> Option<Contradiction> {
    let bounds = &policy.classes.get(class)?.bounds;
    let mut against: Vec<&Change> = changes.iter().filter(|c| !bounds.allow(c)).collect();
    against.sort();
    let shown = against.iter().take(5).map(|change| (*change).clone()).collect();
    (!against.is_empty()).then_some(Contradiction { shown, total: against.len() })
}

/// Whether a signed classification by another person settles a contradiction
/// (docs/design/model.md, "Class").
fn settled(case: &Case<'_>, commit: Oid, class: ClassId, of: &Commit) -> bool {
    case.ledger.settled.iter().any(|settled| {
        settled.commit == commit
            && settled.class == class
            && !of.by(&settled.by)
            && case.is_not_pusher(&settled.by)
            && settled.at <= case.push.at
    })
}

/// The highest class of the side commits. A merge inside a topic branch counts as what it
/// declares. A merge that declares nothing is skipped: the commits that it joins are in the
/// list, or were judged before (docs/design/model.md, "Class").
fn highest_side(case: &Case<'_>, landing: &Landing) -> Option<Classification> {
    let rank = |c: &Classification| case.policy.classes.rank(c.class);
    let mut highest: Option<(Classification, &Commit)> = None;
    for id in &landing.side {
        let Some(commit) = case.history.commit(*id) else { continue };
        let class = classify_commit(case.policy, None, commit);
        let declares = class.reason != ClassReason::Nothing && !class.is_guess();
        if commit.parents.len() > 1 && !declares {
            continue;
        }
        // Among equals, the class that the policy lists last wins, then the smaller id. The
        // order of the side commits must not matter.
        let key =
            |class: &Classification, id: Oid| (rank(class), class.class, core::cmp::Reverse(id));
        let better = highest.as_ref().is_none_or(|(best, of)| key(&class, *id) > key(best, of.id));
        if better {
            highest = Some((class, commit));
        }
    }
    let (found, commit) = highest?;
    let reason = ClassReason::Side {
        commit: commit.id,
        subject: commit.message.subject().to_string(),
        reason: Box::new(found.reason),
    };
    Some(Classification::new(found.class, reason))
}

fn find_declaration(
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
            hit(*class, who, who)
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
