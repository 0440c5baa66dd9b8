//! The list of rules. One line declares a rule's module, its violation, its name and its page.
//!
//! A rule lives in one place: its file or folder holds the check, the violation with
//! all facts, and the declared properties. A rule without a page does not compile.

use alloc::vec::Vec;

use crate::case::ClassifiedLanding;
use crate::needs::{FactContext, Needs};
use crate::{Case, Finding};

/// What a rule declares about itself.
#[derive(Debug, Clone, Copy)]
pub struct Properties {
    /// Whether a waiver can set the rule aside. Rules that protect the repository
    /// and the policy itself cannot be waived.
    pub waivable: bool,
    /// Whether an approval can satisfy the rule.
    pub approvable: bool,
    /// Whether a policy can set the rule to `warn` or `off`.
    pub optional: bool,
    /// Whether the rule judges everything that an update brings, and not one landing.
    pub gate: bool,
    /// The facts that the rule reads about an update of a governed branch.
    pub facts: fn(&FactContext<'_>) -> Needs,
}

impl Properties {
    /// A rule that can be waived and switched off, takes no approval, judges one
    /// landing at a time and reads no facts beyond the landings themselves.
    const DEFAULT: Self = Self {
        waivable: true,
        approvable: false,
        optional: true,
        gate: false,
        facts: |_| Needs::NONE,
    };
}

macro_rules! rules {
    ($($id:ident = $module:ident, $violation:ident, $name:literal;)*) => {
        $(pub mod $module;)*
        $(pub use $module::$violation;)*

        /// A rule, by its stable name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RuleId {
            $(#[doc = concat!("The rule `", $name, "`; see its page.")] $id,)*
        }

        /// What a push breaks, by rule, with all facts.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Violation {
            $(#[doc = concat!("A violation of the rule `", $name, "`.")] $id($module::$violation),)*
            /// A fact that the rule needs was not gathered. The push is undecided.
            FactMissing {
                /// The missing fact.
                fact: &'static str,
            },
        }

        $(impl From<$module::$violation> for Violation {
            fn from(violation: $module::$violation) -> Self {
                Self::$id(violation)
            }
        })*

        impl RuleId {
            /// Every rule, in the order of reports.
            pub const ALL: &'static [Self] = &[$(Self::$id,)*];

            /// The name of the rule in policies, reports and waivers.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$id => $name,)* }
            }

            /// The page of the manual, as Markdown.
            #[must_use]
            pub const fn page(self) -> &'static str {
                match self {
                    $(Self::$id => include_str!(concat!("../../../docs/rules/", $name, ".md")),)*
                }
            }

            /// What the rule declares about itself.
            #[must_use]
            pub const fn properties(self) -> Properties {
                match self { $(Self::$id => $module::PROPERTIES,)* }
            }

            /// All findings of the rule.
            #[must_use]
            pub(crate) fn check(self, case: &Case<'_>, landed: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
                match self { $(Self::$id => $module::check(case, landed),)* }
            }
        }
    };
}

rules! {
    RefName = ref_name, RefNameViolation, "ref-name";
    ObjectFormat = object_format, ObjectFormatViolation, "object-format";
    Pusher = pusher, PusherViolation, "pusher";
    Rewrite = rewrite, RewriteViolation, "rewrite";
    FirstParent = first_parent, FirstParentViolation, "first-parent";
    Deletion = deletion, DeletionViolation, "deletion";
    PolicyChange = policy_change, PolicyChangeViolation, "policy-change";
    Freeze = freeze, FreezeViolation, "freeze";
    Class = class, ClassViolation, "class";
    EvilMerge = evil_merge, EvilMergeViolation, "evil-merge";
    Promotion = promotion, PromotionViolation, "promotion";
    Backport = backport, BackportViolation, "backport";
    ReleaseTag = release_tag, ReleaseTagViolation, "release-tag";
    Candidate = candidate, CandidateViolation, "candidate";
    ReleaseGate = release_gate, ReleaseGateViolation, "release-gate";
    Debts = debts, DebtsViolation, "debts";
    Ledger = ledger, LedgerViolation, "ledger";
}

impl RuleId {
    /// Finds a rule by its name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.name() == name)
    }
}
