//! Determines the class of a landing, the reason for it, and whether the diff contradicts it.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::commit_class::find_declaration;
use crate::moved_file::moves;
use crate::path_class::class_of_paths;
use crate::route::joins_histories;
use crate::score::classify_by_score;
use crate::{
    Case, Change, ChangeMode, ClassId, Commit, DeclarationSource, Landing, MergeClass, Oid, Policy,
    Push, Score, Target,
};

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
    /// The sum of facts about the diff and of words. The class is unclassified if the sum is
    /// not clear: then it must be asked for.
    Scored(Score),
    /// A person with the role stated the class.
    Signed {
        /// The person.
        by: String,
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
    pub(crate) const fn new(class: ClassId, reason: ClassReason) -> Self {
        Self { class, reason, contradiction: None }
    }

    /// Whether the class is only a guess from words or from the diff.
    #[must_use]
    pub fn is_guess(&self) -> bool {
        is_guess(&self.reason)
    }

    /// Whether somebody declared the class, or tried to.
    pub(crate) fn is_declared(&self) -> bool {
        is_declared(&self.reason)
    }

    /// Whether the score of the diff is not clear, so that somebody must state the class.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.class == ClassId::UNCLASSIFIED && matches!(self.reason, ClassReason::Scored(_))
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

/// The class of a landing: its own declaration, else the declarations of all its side commits,
/// else a signed classification, its paths or its score. A side commit that declares a higher
/// class raises what was not declared. With [`MergeClass::Highest`], it also raises what was.
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
    let side = SideClasses::read(case, landing);
    let found = if own.is_declared() {
        let raises = case.policy.merge == MergeClass::Highest;
        match raises.then(|| side.class(case, landing, None)).flatten() {
            Some(side) => higher(case.policy, own, side),
            None => own,
        }
    } else if let Some(declared) = side.declared.clone().filter(|_| !side.open) {
        declared
    } else {
        let words = Some(own).filter(|own| own.reason != ClassReason::Nothing);
        match side.class(case, landing, words.clone()) {
            Some(side) => side,
            None => open_class(case, landing, words),
        }
    };
    against_diff(case, landing, commit, found)
}

fn is_declared(reason: &ClassReason) -> bool {
    match reason {
        ClassReason::Declared { guess, .. } => !guess,
        ClassReason::Side { reason, .. } => is_declared(reason),
        ClassReason::Unknown { .. } => true,
        _ => false,
    }
}

fn is_guess(reason: &ClassReason) -> bool {
    match reason {
        ClassReason::Declared { guess, .. } => *guess,
        ClassReason::Side { reason, .. } => is_guess(reason),
        ClassReason::Scored(_) => true,
        _ => false,
    }
}

/// Notes the changes that contradict a declared class, if no signed classification settles it.
fn against_diff(
    case: &Case<'_>,
    landing: &Landing,
    commit: &Commit,
    mut found: Classification,
) -> Classification {
    let declared = found.is_declared();
    let against = landing.changes.as_ref().filter(|_| declared).and_then(|changes| {
        contradiction(case.policy, found.class, changes)
            .filter(|_| settled_by(case, commit, Some(found.class)).is_none())
    });
    found.contradiction = against;
    found
}

/// The class of a landing that nothing declares: by a signed classification, by its paths, or
/// by its score.
fn open_class(case: &Case<'_>, landing: &Landing, words: Option<Classification>) -> Classification {
    let nothing = || Classification::new(ClassId::UNCLASSIFIED, ClassReason::Nothing);
    let Some(commit) = case.history.commit(landing.commit) else { return nothing() };
    if let Some((class, by)) = settled_by(case, commit, None) {
        return Classification::new(class, ClassReason::Signed { by });
    }
    match &landing.changes {
        Some(changes) => classify_changes(case.policy, words, changes),
        None => words.unwrap_or_else(nothing),
    }
}

/// The class of a diff that nothing declares: what its paths are, whatever its words say, else
/// its score.
fn classify_changes(
    policy: &Policy,
    words: Option<Classification>,
    changes: &[Change],
) -> Classification {
    match class_of_paths(policy, changes) {
        Some(class) => Classification::new(class, ClassReason::Paths),
        None => classify_by_score(policy, words, changes),
    }
}

/// The class of one commit with its diff, as if it landed alone.
#[must_use]
pub fn classify_change(policy: &Policy, commit: &Commit, changes: &[Change]) -> Classification {
    let own = classify_commit(policy, None, commit);
    if own.is_declared() {
        return Classification { contradiction: contradiction(policy, own.class, changes), ..own };
    }
    let words = Some(own).filter(|own| own.reason != ClassReason::Nothing);
    classify_changes(policy, words, changes)
}

/// The higher of two classes; the first of equals.
fn higher(policy: &Policy, one: Classification, other: Classification) -> Classification {
    let rank = |found: &Classification| policy.classes.rank(found.class);
    if rank(&other) > rank(&one) { other } else { one }
}

/// The changes of a diff that a class does not allow.
#[must_use]
pub fn contradiction(policy: &Policy, class: ClassId, changes: &[Change]) -> Option<Contradiction> {
    let bounds = &policy.classes.get(class)?.bounds;
    // A file that moves is not new.
    let moved: Vec<&Change> = match bounds.adds.is_empty() {
        true => Vec::new(),
        false => moves(changes.iter())
            .into_iter()
            .filter_map(|(added, gone)| gone.map(|_| added))
            .collect(),
    };
    let allowed = |change: &&Change| match moved.contains(change) {
        true => bounds.allow(&Change { mode: ChangeMode::Modified, ..(*change).clone() }),
        false => bounds.allow(change),
    };
    let mut against: Vec<&Change> = changes.iter().filter(|change| !allowed(change)).collect();
    against.sort();
    let shown = against.iter().take(5).map(|change| (*change).clone()).collect();
    (!against.is_empty()).then_some(Contradiction { shown, total: against.len() })
}

/// The class that a signed classification by another person states, and the person. With
/// `class`, only a record of this class counts (docs/design/model.md, "Class").
fn settled_by(case: &Case<'_>, of: &Commit, class: Option<ClassId>) -> Option<(ClassId, String)> {
    let given = case.ledger.settled.iter().filter(|settled| {
        settled.commit == of.id
            && class.is_none_or(|class| class == settled.class)
            && !of.by(&settled.by)
            && case.is_not_pusher(&settled.by)
            && settled.at <= case.push.at
    });
    // Of several statements the last one holds, and of equals the higher class.
    let rank = |id: ClassId| case.policy.classes.rank(id);
    let last = given.max_by_key(|one| (one.at, rank(one.class), one.class))?;
    Some((last.class, last.by.clone()))
}

/// What the side commits of a merge say. A merge inside a topic branch counts as what it
/// declares. A merge that declares nothing and changes nothing itself is skipped: the commits
/// that it joins are in the list, or were judged before (docs/design/model.md, "Class").
struct SideClasses {
    /// The highest declared class.
    declared: Option<Classification>,
    /// The highest guess from words.
    words: Option<Classification>,
    /// A side commit declares nothing.
    open: bool,
}

impl SideClasses {
    fn read(case: &Case<'_>, landing: &Landing) -> Self {
        let (mut declared, mut words, mut open) = (Highest::default(), Highest::default(), false);
        for id in &landing.side {
            let Some(commit) = case.history.commit(*id) else { continue };
            let class = classify_commit(case.policy, None, commit);
            if class.is_declared() {
                declared.offer(case.policy, class, commit);
            } else if commit.parents.len() < 2 || landing.mixed.contains(id) {
                open = true;
                if class.reason != ClassReason::Nothing {
                    words.offer(case.policy, class, commit);
                }
            }
        }
        Self { declared: declared.finish(), words: words.finish(), open }
    }

    /// The class of the side commits. Commits that declare nothing are judged by the diff of
    /// the landing. `None` if there are none.
    fn class(
        &self,
        case: &Case<'_>,
        landing: &Landing,
        words: Option<Classification>,
    ) -> Option<Classification> {
        let open =
            self.open.then(|| open_class(case, landing, words.or_else(|| self.words.clone())));
        match (open, self.declared.clone()) {
            (Some(open), Some(declared)) => Some(higher(case.policy, declared, open)),
            (open, declared) => open.or(declared),
        }
    }
}

/// The highest class of some commits. Among equals, the class that the policy lists last wins,
/// then the smaller id: the order of the commits must not matter.
#[derive(Default)]
struct Highest<'c>(Option<(Classification, &'c Commit)>);

impl<'c> Highest<'c> {
    fn offer(&mut self, policy: &Policy, class: Classification, commit: &'c Commit) {
        let key = |class: &Classification, id: Oid| {
            (policy.classes.rank(class.class), class.class, core::cmp::Reverse(id))
        };
        let best = self.0.as_ref();
        if best.is_none_or(|(best, of)| key(&class, commit.id) > key(best, of.id)) {
            self.0 = Some((class, commit));
        }
    }

    fn finish(self) -> Option<Classification> {
        let (found, commit) = self.0?;
        let reason = ClassReason::Side {
            commit: commit.id,
            subject: commit.message.subject().to_string(),
            reason: Box::new(found.reason),
        };
        Some(Classification::new(found.class, reason))
    }
}
