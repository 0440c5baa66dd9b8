//! Defines a policy. `refgate-format` reads policies and checks that they are valid.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::{
    ClassId, Classes, Declarations, Duration, Flow, Glob, Meaning, PathKind, Recipe, ReleaseRules,
    RuleId, ScoreWeights, Window,
};

/// The mode of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleMode {
    /// The rule is not checked.
    Off,
    /// Violations are reported, and the push is accepted.
    Warn,
    /// Violations reject the push.
    Enforce,
}

/// How the class of a merge with a declaration is determined (docs/design/model.md, "Class").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeClass {
    /// The declaration counts. It is checked against the whole diff of the merge.
    Declared,
    /// The highest class among the declaration and the side commits counts.
    Highest,
}

/// The people of each role, by the names that the transport uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles(pub BTreeMap<String, Vec<String>>);

impl Roles {
    /// The people with a role; nobody if the role does not exist.
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

/// What can land on release lines and later stages without a promotion
/// (docs/design/model.md, "Backports and hotfixes").
#[derive(Debug, Clone)]
pub struct BackportRules {
    /// The length of the backport window after a major release.
    pub window: Duration,
    /// The classes that can land inside the window.
    pub within: Vec<ClassId>,
    /// The classes that can land inside the window with an approval.
    pub with_approval: Vec<ClassId>,
    /// The classes that can always land.
    pub always: Vec<ClassId>,
    /// The role that approves.
    pub approvers: String,
    /// A pick must be exact, or it needs an approval.
    pub exact: bool,
}

/// What can land on a later stage without coming from the previous stage.
#[derive(Debug, Clone, Default)]
pub struct HotfixRules {
    /// The classes that can always land directly on a later stage of the flow.
    pub classes: Vec<ClassId>,
}

/// The requirements for a promotion (docs/design/model.md, "Promotion and release").
#[derive(Debug, Clone, Default)]
pub struct PromotionRules {
    /// A promoting merge must have the tree of the promoted tip.
    pub same_tree: bool,
    /// A promotion to a stage before production must be a release candidate.
    pub candidate: bool,
}

/// How many of the people with a role must sign off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignOffCount {
    /// This number of different people.
    AtLeast(u32),
    /// Everybody who has the role, except the pusher, the authors of the change and absent
    /// people. At least one person signs.
    All,
}

/// A sign-off that a promotion to production requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredSignOff {
    /// Its meaning.
    pub meaning: Meaning,
    /// The role that signs off.
    pub role: String,
    /// How many people with that role must sign off.
    pub people: SignOffCount,
    /// The paths that the sign-off concerns; empty: all. A change of other paths does not
    /// reopen a sign-off of an earlier tree.
    pub paths: Vec<Glob>,
    /// The kinds of files whose change does not reopen a sign-off of an earlier tree.
    pub ignores: Vec<PathKind>,
}

/// The release gate: the requirements for a promotion to production
/// (docs/design/model.md, "Promotion and release").
#[derive(Debug, Clone, Default)]
pub struct GateRules {
    /// The required sign-offs of the promoted tree.
    pub sign_offs: Vec<RequiredSignOff>,
    /// How long the previous stage must have had the promoted tree.
    pub soak: Duration,
    /// The course for which everybody who updates production or pushes a release tag must
    /// have a certificate (docs/design/model.md, "Promotion and release").
    pub course: Option<String>,
}

/// The rules for debts (docs/design/model.md, "Backports and hotfixes").
#[derive(Debug, Clone)]
pub struct DebtRules {
    /// How long a debt can be open before it blocks promotions.
    pub due: Duration,
    /// The role that may excuse a debt.
    pub approvers: String,
}

impl Default for DebtRules {
    fn default() -> Self {
        Self { due: Duration::days(7), approvers: String::new() }
    }
}

/// The limits on waivers.
#[derive(Debug, Clone)]
pub struct WaiverRules {
    /// The role that may grant a waiver.
    pub approvers: String,
    /// The longest time that a waiver may last.
    pub longest: Duration,
    /// The largest number of landings that a waiver may let pass.
    pub most_uses: u32,
    /// The number of different people who must grant the same waiver
    /// (docs/design/model.md, "Two persons").
    pub persons: u32,
}

impl Default for WaiverRules {
    fn default() -> Self {
        Self { approvers: String::new(), longest: Duration::days(14), most_uses: 3, persons: 2 }
    }
}

/// The roles that can make records. The default role is the role that grants waivers.
#[derive(Debug, Clone, Default)]
pub struct LedgerRules {
    /// The name of the ledger. Signatures are made for `refgate@NAME`.
    pub name: String,
    /// The longest time between the moment in a record and its arrival.
    pub tolerance: Duration,
    /// The role that records evidence.
    pub evidence: String,
    /// The role that orders and ends freezes.
    pub freezes: String,
    /// The role that opens releases, names candidates and opens iterations.
    pub releases: String,
    /// The role that issues certificates.
    pub trainers: String,
}

/// The requirements for the deletion of a stage, a line or a release tag.
#[derive(Debug, Clone)]
pub struct DeletionRules {
    /// The time between the deletion request and the deletion.
    pub cooling_off: Duration,
    /// The role that approves.
    pub approvers: String,
}

/// The requirements for a change of the policy.
#[derive(Debug, Clone, Default)]
pub struct PolicyRules {
    /// The number of approvals by people other than the pusher.
    pub approvals: u32,
    /// The role that approves.
    pub approvers: String,
}

/// A policy.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// The revision. It must grow, so that an old policy cannot return
    /// (docs/design/threats.md, S9).
    pub revision: u64,
    /// The stages.
    pub flow: Flow,
    /// The classes.
    pub classes: Classes,
    /// How classes are declared.
    pub declare: Declarations,
    /// The weights of the score for changes that declare nothing.
    pub score: ScoreWeights,
    /// How the class of a merge with a declaration is determined.
    pub merge: MergeClass,
    /// Whether new work must declare a class, even without a freeze.
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
    /// Deletions of governed refs.
    pub deletion: DeletionRules,
    /// Changes of the policy.
    pub protect: PolicyRules,
    /// The people of each role.
    pub roles: Roles,
    /// Waivers.
    pub waivers: WaiverRules,
    /// The roles that can make records.
    pub ledger: LedgerRules,
    /// The release gate.
    pub gate: GateRules,
    /// Debts.
    pub debts: DebtRules,
    /// Which side's version of a file a cherry-pick keeps.
    pub recipes: Vec<Recipe>,
    /// The modes of the rules that are not simply enforced.
    pub modes: BTreeMap<RuleId, RuleMode>,
}

impl Policy {
    /// The mode of a rule. The default is [`RuleMode::Enforce`].
    #[must_use]
    pub fn mode(&self, rule: RuleId) -> RuleMode {
        self.modes.get(&rule).copied().unwrap_or(RuleMode::Enforce)
    }

    /// Whether a rule is checked.
    #[must_use]
    pub fn on(&self, rule: RuleId) -> bool {
        self.mode(rule) != RuleMode::Off
    }
}
