//! Defines the facts about the repository that a decision uses, as plain values.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::{Instant, LedgerEdit, Message, Oid, Receipt, Release};

/// An author or committer that a commit names. It is text, not an identity.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// The name.
    pub name: String,
    /// The email address.
    pub email: String,
}

impl Person {
    /// Whether this could be the pusher `name` of the transport: by name, by address, or by the
    /// part of the address before `@`. A commit and the transport may name one person
    /// differently, so in doubt the answer is yes.
    #[must_use]
    pub fn matches_name(&self, name: &str) -> bool {
        let local = self.email.split('@').next().unwrap_or_default();
        [self.name.as_str(), &self.email, local].iter().any(|own| own.eq_ignore_ascii_case(name))
    }
}

/// A commit, copied from the repository.
#[derive(Debug, Clone)]
pub struct Commit {
    /// Its id.
    pub id: Oid,
    /// Its tree.
    pub tree: Oid,
    /// Its parents, in order.
    pub parents: Vec<Oid>,
    /// Its message.
    pub message: Message,
    /// Its author, as the commit names it.
    pub author: Person,
    /// The stages whose tips at rest reach it: bit `n` is stage `n` of the flow.
    pub reach: u32,
    /// The stages that once had it as their tip: it is on the first-parent chain of their tip
    /// at rest. A stage can reach a commit that was never its tip.
    pub landed: u32,
    /// The error that strict parsing of its header finds, if any (docs/design/threats.md, R12).
    pub defect: Option<String>,
}

impl Commit {
    /// Whether a person is named as its author or co-author.
    #[must_use]
    pub fn by(&self, person: &str) -> bool {
        let others = self.message.trailers("Co-authored-by");
        self.author.matches_name(person)
            || others.iter().any(|text| named(text).matches_name(person))
    }
}

/// Parses a person of a trailer: `Name <address>`.
fn named(text: &str) -> Person {
    let (name, rest) = text.split_once('<').unwrap_or((text, ""));
    let email = rest.split('>').next().unwrap_or_default();
    Person { name: String::from(name.trim()), email: String::from(email.trim()) }
}

/// How a path changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeMode {
    /// It was added.
    Added,
    /// Its content or its mode changed.
    Modified,
    /// It was deleted.
    Deleted,
}

/// The type of a tree entry, on the side where it exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A file.
    File,
    /// A symbolic link, which can point anywhere.
    Link,
    /// The commit of a submodule.
    Submodule,
}

/// One changed path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The path from the root of the tree. Invalid UTF-8 is replaced.
    pub path: String,
    /// How it changed.
    pub mode: ChangeMode,
    /// The type of its entry.
    pub kind: EntryKind,
    /// The number of bytes by which the file grows. `None` if it is not known.
    pub growth: Option<i64>,
}

/// One step of the first-parent chain of a stage (docs/design/model.md, "Flow").
#[derive(Debug, Clone, Default)]
pub struct Landing {
    /// The commit on the first-parent chain.
    pub commit: Oid,
    /// The side commits, in no particular order.
    pub side: Vec<Oid>,
    /// Its tree equals the tree of its first parent.
    pub unchanged: bool,
    /// The changes against its first parent, if [`crate::Needs`] requests them.
    pub changes: Option<Vec<Change>>,
    /// The paths at which a merge differs from the clean merge of its parents, if requested.
    pub evil: Option<Vec<String>>,
    /// The merge resolves conflicts, so it has content that no parent has.
    pub resolved: bool,
    /// Its tree equals the tree of its second parent, so it adds no content.
    pub same_as_side: bool,
    /// A commit of the previous stage that has the same tree and is not an ancestor. It shows
    /// that the landing is a squashed promotion.
    pub squash_of: Option<Oid>,
    /// The picks among the landing commit and its side commits.
    pub picks: Vec<Pick>,
    /// The merges among the side commits that no other stage has and that have content of their
    /// own, if [`crate::Needs`] requests changes or receipts.
    pub mixed: Vec<Oid>,
    /// The files in which it leaves conflict markers, if receipts are requested.
    pub marked: Vec<String>,
}

impl Landing {
    /// The pick that one of its commits is, if it is one.
    #[must_use]
    pub fn pick(&self, commit: Oid) -> Option<&Pick> {
        self.picks.iter().find(|pick| pick.commit == commit)
    }

    /// Whether it is a merge with content that a clean merge of its parents does not have.
    #[must_use]
    pub fn has_own_content(&self) -> bool {
        self.resolved || self.evil.as_ref().is_some_and(|paths| !paths.is_empty())
    }
}

/// A new commit that carries a commit of another stage.
#[derive(Debug, Clone)]
pub struct Pick {
    /// The commit.
    pub commit: Oid,
    /// The original: the commit that the trailer names, or one with an equal patch id.
    /// Another stage is known to reach it.
    pub original: Commit,
    /// The commits that the original brought, if it is a merge.
    pub brought: Vec<Commit>,
    /// The comparison with Git's own pick of the original, if requested.
    pub receipt: Option<Receipt>,
}

impl Default for Oid {
    fn default() -> Self {
        Self::new([0; 20])
    }
}

/// How the new value of a stage relates to its value at rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TipRelation {
    /// The value at rest is on the first-parent chain of the new value.
    Onward,
    /// The value at rest is an ancestor, but not on that chain: a foxtrot merge.
    Foxtrot,
    /// The value at rest is not an ancestor: the history is rewritten.
    Rewrite,
}

/// The signature of a tag object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagSignature {
    /// The tag object has none.
    Missing,
    /// It has one that is not valid, or that nobody verified.
    Invalid(String),
    /// This person signed it, with a key that the list of signers allows for tags.
    By(String),
}

/// The facts about the new value of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagFacts {
    /// It is an annotated tag object.
    pub annotated: bool,
    /// The name in the tag object equals the name of the ref.
    pub same_name: bool,
    /// Who signed the tag object.
    pub signature: TagSignature,
    /// The commit that it points to in the end, if it is a commit.
    pub commit: Option<Oid>,
    /// A production stage or line once had that commit as its tip.
    pub shipped: bool,
    /// A production stage of the flow once had that commit as its tip, not only a release line.
    pub on_flow: bool,
}

/// How a push changes the policy file on the stage that contains it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyEdit {
    /// The tree of the directory of the new file, with calendars and signers, if the policy is
    /// valid. Approvals bind this tree.
    pub folder: Option<Oid>,
    /// Why the new file is not a valid policy, if it is not.
    pub problem: Option<String>,
    /// Its `revision`.
    pub revision: u64,
}

/// A fix that a later stage has and an earlier stage is missing
/// (docs/design/model.md, "Backports and hotfixes").
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Debt {
    /// The fix.
    pub fix: Oid,
    /// Its subject.
    pub subject: String,
    /// The index of the later stage, which has the fix.
    pub from: usize,
    /// The index of the earlier stage, which is missing it.
    pub to: usize,
    /// When the server received the push with which the fix landed on the later stage. `None`
    /// in a clone that does not have the log of the server.
    pub since: Option<Instant>,
}

impl Debt {
    /// When the debt is due, if its time is known.
    #[must_use]
    pub fn due(&self, length: crate::Duration) -> Option<Instant> {
        self.since.map(|since| crate::freeze::after(since, length))
    }

    /// Whether the debt is overdue at a moment; `None` if its time is not known.
    #[must_use]
    pub fn is_overdue(&self, length: crate::Duration, at: Instant) -> Option<bool> {
        self.due(length).map(|due| due <= at)
    }
}

/// The facts about one ref update.
#[derive(Debug, Clone, Default)]
pub struct UpdateFacts {
    /// For stages: how the new value relates to the old one. `None` for creations and
    /// deletions.
    pub tip_relation: Option<TipRelation>,
    /// For stages: the landings, oldest first.
    pub landings: Vec<Landing>,
    /// For tags: the facts about the new value.
    pub tag: Option<TagFacts>,
    /// The governed or otherwise special name that the name of the ref resembles.
    pub resembles: Option<String>,
    /// On the server, the name is a symbolic ref to this one.
    pub alias_of: Option<String>,
    /// The new value is not a commit, although it must be one.
    pub not_a_commit: bool,
    /// The change of the policy, on the stage that contains it.
    pub policy_edit: Option<PolicyEdit>,
    /// For a new stage or line: the stages that once had this commit as their tip, one bit for
    /// each, and whether a line had it.
    pub former_tip_of: (u32, bool),
    /// For deletions: since when the ref has existed, if known. An older deletion request was
    /// for an earlier ref with this name.
    pub created: Option<Instant>,
    /// The change of the ledger.
    pub ledger_edit: Option<LedgerEdit>,
    /// Since when the previous stage has had the promoted tree.
    pub soaking_since: Option<Instant>,
    /// The changes from each tree that was signed off to the promoted tree.
    pub changes_since_sign_off: BTreeMap<Oid, Vec<Change>>,
    /// The debts of the stages, if this update lands.
    pub debts: Vec<Debt>,
}

/// The facts about the repository that a decision uses.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Every commit that a landing or a release names.
    pub commits: BTreeMap<Oid, Commit>,
    /// The tips of the stages at rest, by the index of the stage.
    pub tips: BTreeMap<usize, Oid>,
    /// The facts of each update, in the order of the push.
    pub updates: Vec<UpdateFacts>,
    /// All releases at rest, oldest version first.
    pub releases: Vec<Release>,
    /// The repositories whose records this ledger contains.
    pub repositories: Vec<String>,
}

impl History {
    /// The commit, if the history contains it.
    #[must_use]
    pub fn commit(&self, id: Oid) -> Option<&Commit> {
        self.commits.get(&id)
    }

    /// Whether a stage once had the commit as its tip.
    #[must_use]
    pub fn landed_on(&self, id: Oid, stage: usize) -> bool {
        self.commit(id).is_some_and(|commit| commit.landed >> stage & 1 == 1)
    }

    /// Whether a stage's tip at rest reaches the commit.
    #[must_use]
    pub fn reached_by(&self, id: Oid, stage: usize) -> bool {
        self.commit(id).is_some_and(|commit| commit.reach >> stage & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_an_author_by_name_address_or_local_part() {
        let author = named("Grace Hopper <grace@x>");
        for (name, is) in [("grace", true), ("GRACE@x", true), ("Grace Hopper", true), ("x", false)]
        {
            assert_eq!(author.matches_name(name), is, "{name}");
        }
        assert!(!named("").matches_name("grace"));
    }
}
