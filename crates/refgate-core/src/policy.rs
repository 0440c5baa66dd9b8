//! What does this team's process say? A policy, valid by construction.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::{
    ClassId, Classes, Declarations, Duration, Flow, Glob, Meaning, Recipe, ReleaseRules, RuleId,
    Window,
};

/// How strongly a rule is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// It is not looked at.
    Off,
    /// It tells, and lets pass.
    Warn,
    /// It refuses.
    Enforce,
}

/// Where a merge's class comes from when it declares one itself (docs/design/model.md, "Class").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeClass {
    /// Its own declaration counts, checked against its whole diff.
    Declared,
    /// The highest of its own declaration and its side commits' counts.
    Highest,
}

/// Who has which role: role to people, as the transport names them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles(pub BTreeMap<String, Vec<String>>);

impl Roles {
    /// The people with a role; nobody if there is no such role.
    #[must_use]
    pub fn people(&self, role: &str) -> &[String] {
        self.0.get(role).map_or(&[], Vec::as_slice)
    }

    /// Whether a person has a role.
    #[must_use]
    pub fn has(&self, person: &str, role: &str) -> bool {
        self.people(role).iter().any(|name| name == person)
    }
}

/// What may be picked to release lines, and straight to later stages (docs/design/model.md, "Backports and hotfixes").
#[derive(Debug, Clone)]
pub struct BackportRules {
    /// How long after a major release.
    pub window: Duration,
    /// Classes that may go inside the window.
    pub within: Vec<ClassId>,
    /// Classes that may go inside the window with an approval.
    pub with_approval: Vec<ClassId>,
    /// Classes that may always go.
    pub always: Vec<ClassId>,
    /// Who may approve.
    pub approvers: String,
    /// A pick is what Git makes of its original, or somebody approves of it.
    pub exact: bool,
}

/// What may land on a later stage without coming from the one before.
#[derive(Debug, Clone, Default)]
pub struct HotfixRules {
    /// Classes that may always go straight to a later stage of the flow.
    pub classes: Vec<ClassId>,
}

/// What a promotion must look like (docs/design/model.md, "Promotion and release").
#[derive(Debug, Clone, Default)]
pub struct PromotionRules {
    /// A promoting merge must have the promoted tip's tree.
    pub same_tree: bool,
    /// What is promoted to a stage before production is a named candidate.
    pub candidate: bool,
}

/// A sign-off without which nothing is promoted to production.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredSignOff {
    /// Its meaning.
    pub meaning: Meaning,
    /// The role that gives it.
    pub role: String,
    /// How many different people with that role.
    pub people: u32,
    /// The paths that it speaks of; empty: all. A change elsewhere leaves a
    /// sign-off of an earlier tree standing.
    pub paths: Vec<Glob>,
}

/// What a promotion to production needs (docs/design/model.md, "Promotion and release").
#[derive(Debug, Clone, Default)]
pub struct GateRules {
    /// Sign-offs of the shipped tree.
    pub sign_offs: Vec<RequiredSignOff>,
    /// How long the stage before must have had the shipped tree.
    pub soak: Duration,
    /// The course that the pusher must have passed.
    pub course: Option<String>,
}

/// What becomes of a fix that did not come by promotion (docs/design/model.md, "Backports and hotfixes").
#[derive(Debug, Clone)]
pub struct DebtRules {
    /// How long it may be owed before it holds up promotions.
    pub due: Duration,
    /// Who may say that it need not go somewhere.
    pub approvers: String,
}

impl Default for DebtRules {
    fn default() -> Self {
        Self { due: Duration::days(7), approvers: String::new() }
    }
}

/// How far exceptions may go.
#[derive(Debug, Clone)]
pub struct WaiverRules {
    /// The role that may grant them.
    pub approvers: String,
    /// The longest that one may last.
    pub longest: Duration,
    /// The most landings that one may let through.
    pub most_uses: u32,
}

impl Default for WaiverRules {
    fn default() -> Self {
        Self { approvers: String::new(), longest: Duration::days(14), most_uses: 3 }
    }
}

/// Who may put what on record. A role that is not named is that of waivers.
#[derive(Debug, Clone, Default)]
pub struct LedgerRules {
    /// The ledger's name: signatures are made for `refgate@NAME`.
    pub name: String,
    /// How far a record's moment may lie behind its arrival.
    pub tolerance: Duration,
    /// The role that records observations.
    pub evidence: String,
    /// The role that orders and ends freezes.
    pub freezes: String,
    /// The role that opens releases, names candidates and opens iterations.
    pub releases: String,
    /// The role that issues certificates.
    pub trainers: String,
}

/// What a deletion of a stage, a line or a release tag needs.
#[derive(Debug, Clone)]
pub struct DeletionRules {
    /// How long after the request.
    pub cooling_off: Duration,
    /// Who may approve.
    pub approvers: String,
}

/// What a change of the policy itself needs.
#[derive(Debug, Clone, Default)]
pub struct PolicyRules {
    /// How many approvals by people other than the pusher.
    pub approvals: u32,
    /// The role that approves.
    pub approvers: String,
}

/// A policy.
#[derive(Debug, Clone)]
pub struct Policy {
    /// What people call it.
    pub name: String,
    /// It only grows, so that an old policy cannot come back (docs/design/threats.md, S9).
    pub revision: u64,
    /// The stages.
    pub flow: Flow,
    /// The classes.
    pub classes: Classes,
    /// How classes are declared.
    pub declare: Declarations,
    /// How a merge's own declaration counts.
    pub merge: MergeClass,
    /// Whether new work must declare a class, also where nothing is frozen.
    pub declared_only: bool,
    /// Freeze windows.
    pub windows: Vec<Window>,
    /// Backports.
    pub backport: BackportRules,
    /// Hotfixes.
    pub hotfix: HotfixRules,
    /// Promotions.
    pub promotion: PromotionRules,
    /// Release tags.
    pub release: ReleaseRules,
    /// Deletions.
    pub deletion: DeletionRules,
    /// Changes of the policy.
    pub protect: PolicyRules,
    /// Who is who.
    pub roles: Roles,
    /// Waivers.
    pub waivers: WaiverRules,
    /// Records.
    pub ledger: LedgerRules,
    /// Promotions to production.
    pub gate: GateRules,
    /// Fixes that must go elsewhere too.
    pub debts: DebtRules,
    /// Files that a carried fix does not decide.
    pub recipes: Vec<Recipe>,
    /// Rules that are not simply enforced.
    pub modes: BTreeMap<RuleId, Mode>,
}

impl Policy {
    /// How strongly a rule is held; enforced unless the policy says otherwise.
    #[must_use]
    pub fn mode(&self, rule: RuleId) -> Mode {
        self.modes.get(&rule).copied().unwrap_or(Mode::Enforce)
    }

    /// Whether a rule is looked at.
    #[must_use]
    pub fn on(&self, rule: RuleId) -> bool {
        self.mode(rule) != Mode::Off
    }
}
