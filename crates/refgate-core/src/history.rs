//! What does the repository look like around this push? A bounded photograph, as a value.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::{Instant, LedgerEdit, Message, Oid, Receipt, Release};

/// An author or committer as a commit names one: text, not an identity.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
}

impl Person {
    /// Whether this could be the person whom the transport calls `name`: by
    /// name, address, or what stands before its `@`. Nobody promises that a
    /// commit names its author as the transport does, so this errs towards yes.
    #[must_use]
    pub fn could_be(&self, name: &str) -> bool {
        let local = self.email.split('@').next().unwrap_or_default();
        [self.name.as_str(), &self.email, local].iter().any(|own| own.eq_ignore_ascii_case(name))
    }
}

/// A commit, copied out of the repository once.
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
    /// Its author, as the commit says.
    pub author: Person,
    /// Which stages' tips at rest reach it: bit `n` is stage `n` of the flow.
    pub reach: u32,
    /// Which stages once had it as their tip: it is on the first-parent chain
    /// of the tip at rest. What a stage reaches it need never have shown.
    pub landed: u32,
    /// What the strict reading of its header complains of (docs/design/threats.md, R12).
    pub defect: Option<String>,
}

impl Commit {
    /// Whether a person is named as its author, or as one of them.
    #[must_use]
    pub fn by(&self, person: &str) -> bool {
        let others = self.message.trailers("Co-authored-by");
        self.author.could_be(person) || others.iter().any(|text| named(text).could_be(person))
    }
}

/// A person as a trailer writes one: `Name <address>`.
fn named(text: &str) -> Person {
    let (name, rest) = text.split_once('<').unwrap_or((text, ""));
    let email = rest.split('>').next().unwrap_or_default();
    Person { name: String::from(name.trim()), email: String::from(email.trim()) }
}

/// What happened to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// It is new.
    Added,
    /// Its content or mode changed.
    Modified,
    /// It is gone.
    Deleted,
}

/// What a path holds, on the side where it exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A file.
    File,
    /// A symbolic link, which is whatever it points to.
    Link,
    /// A submodule's commit.
    Submodule,
}

/// One changed path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// From the top of the tree; bytes that are no UTF-8 have been replaced.
    pub path: String,
    /// What happened to it.
    pub mode: Mode,
    /// What it holds.
    pub kind: EntryKind,
}

/// One step of a stage's first-parent chain (docs/design/model.md, "Flow").
#[derive(Debug, Clone, Default)]
pub struct Landing {
    /// The commit on the chain.
    pub commit: Oid,
    /// The other new commits that a merge brings, in no particular order.
    pub side: Vec<Oid>,
    /// The tree equals the first parent's.
    pub unchanged: bool,
    /// The changes against the first parent, where [`crate::Needs`] asked for them.
    pub changes: Option<Vec<Change>>,
    /// Paths of a merge at which a plain merge of its parents goes through and
    /// gives something else, where asked for.
    pub evil: Option<Vec<String>>,
    /// It settles conflicts, so it holds content that no parent has.
    pub resolved: bool,
    /// The tree equals the second parent's: nothing was added to what it brings.
    pub same_as_side: bool,
    /// The commit of the previous stage, not contained here, whose tree this
    /// landing has: the sign of a squashed promotion.
    pub squash_of: Option<Oid>,
    /// Which of its commits, itself and those that a merge brings, are picks.
    pub picks: Vec<Pick>,
    /// Merges among the side commits that hold what no plain merge of their
    /// parents gives, where [`crate::Needs`] asked for receipts.
    pub mixed: Vec<Oid>,
    /// Files in which it leaves conflict marks, where receipts were asked for.
    pub marked: Vec<String>,
}

impl Landing {
    /// What one of its commits was picked from.
    #[must_use]
    pub fn pick(&self, commit: Oid) -> Option<&Pick> {
        self.picks.iter().find(|pick| pick.commit == commit)
    }

    /// Whether it is a merge that holds what no plain merge of its parents gives.
    #[must_use]
    pub fn holds_its_own(&self) -> bool {
        self.resolved || self.evil.as_ref().is_some_and(|paths| !paths.is_empty())
    }
}

/// A new commit that carries over what another stage has.
#[derive(Debug, Clone)]
pub struct Pick {
    /// The pick.
    pub commit: Oid,
    /// The original: the one that the trailer names, or one of an equal patch
    /// id, verified to be in another stage.
    pub original: Commit,
    /// What the original brought, where it is a merge.
    pub brought: Vec<Commit>,
    /// What Git makes of the original, where asked for.
    pub receipt: Option<Receipt>,
}

impl Default for Oid {
    fn default() -> Self {
        Self::new([0; 20])
    }
}

/// How the new value of a stage relates to the value at rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TipRelation {
    /// The value at rest is on the first-parent chain of the new one.
    Onward,
    /// It is an ancestor, but not on that chain: a foxtrot merge.
    Foxtrot,
    /// It is no ancestor: history is rewritten.
    Rewrite,
}

/// What a tag's new value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TagFacts {
    /// It points to an annotated tag object.
    pub annotated: bool,
    /// The tag object's own name equals the reference's.
    pub same_name: bool,
    /// The tag object carries a signature (who signed is the ledger's matter).
    pub signed: bool,
    /// The commit that it finally names, if it names one.
    pub commit: Option<Oid>,
    /// A production stage or line once had that commit as its tip.
    pub shipped: bool,
    /// That production line's name is the flow's last stage (as opposed to a
    /// release line).
    pub on_flow: bool,
}

/// What a push does to the policy file on its own stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyEdit {
    /// The tree of the new file's folder, with calendars and signers, unless it
    /// cannot serve. Approvals bind it.
    pub folder: Option<Oid>,
    /// Why it cannot serve as a policy, if it cannot.
    pub problem: Option<String>,
    /// Its `revision`.
    pub revision: u64,
}

/// A fix that is in a later stage and should be in an earlier one (docs/design/model.md, "Backports and hotfixes").
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Debt {
    /// The fix.
    pub fix: Oid,
    /// Its subject.
    pub subject: String,
    /// The later stage's place, which has it.
    pub from: usize,
    /// The earlier stage's place, which owes it.
    pub to: usize,
    /// When it landed.
    pub since: Instant,
}

/// The facts about one reference update.
#[derive(Debug, Clone, Default)]
pub struct UpdateFacts {
    /// For stages: how new and old relate. `None` for creations and deletions.
    pub shape: Option<TipRelation>,
    /// For stages: the landings, oldest first.
    pub landings: Vec<Landing>,
    /// For tags.
    pub tag: Option<TagFacts>,
    /// The protected name that this one could be mistaken for.
    pub resembles: Option<String>,
    /// The name is a symbolic reference to this one on the server.
    pub alias_of: Option<String>,
    /// The new value is no commit where one must be.
    pub not_a_commit: bool,
    /// The stage that holds the policy changes it.
    pub policy_edit: Option<PolicyEdit>,
    /// For a new stage or line: the stages that once had this commit as their
    /// tip, and whether a line did.
    pub begins_at: (u32, bool),
    /// For deletions: since when the reference has existed, if anybody knows. A
    /// request that is older spoke of another one by that name.
    pub created: Option<Instant>,
    /// What it does to the ledger.
    pub ledger_edit: Option<LedgerEdit>,
    /// Since when the stage before has had the tree that is promoted.
    pub soaking_since: Option<Instant>,
    /// The changes from each tree that sign-offs speak of to the promoted one.
    pub since_signed: BTreeMap<Oid, Vec<Change>>,
    /// Fixes that stages owe, if this update lands.
    pub debts: Vec<Debt>,
}

/// The photograph.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Every commit that a landing or a release speaks of.
    pub commits: BTreeMap<Oid, Commit>,
    /// The tips of the flow's stages at rest, by their place.
    pub tips: BTreeMap<usize, Oid>,
    /// The facts of each update, in the order of the push.
    pub updates: Vec<UpdateFacts>,
    /// All releases at rest, oldest version first.
    pub releases: Vec<Release>,
    /// The repositories for which records are kept here.
    pub repositories: Vec<String>,
}

impl History {
    /// The commit, if the photograph has it.
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
    fn an_author_is_known_by_more_than_one_name() {
        let author = named("Grace Hopper <grace@x>");
        for (name, is) in [("grace", true), ("GRACE@x", true), ("Grace Hopper", true), ("x", false)]
        {
            assert_eq!(author.could_be(name), is, "{name}");
        }
        assert!(!named("").could_be("grace"));
    }
}
