//! Which rules are there? One line each: the list declares the module, its place and its page.

use alloc::vec::Vec;

use crate::case::ClassifiedLanding;
use crate::{Case, Finding};

macro_rules! rules {
    ($($id:ident = $module:ident, $name:literal;)*) => {
        $(mod $module;)*

        /// A rule, by its stable name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RuleId {
            $(#[doc = concat!("The rule `", $name, "`; see its page.")] $id,)*
        }

        impl RuleId {
            /// Every rule, in the order of reports.
            pub const ALL: &'static [Self] = &[$(Self::$id,)*];

            /// Its name in policies, reports and waivers.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$id => $name,)* }
            }

            /// Its page of the manual, as Markdown.
            #[must_use]
            pub const fn page(self) -> &'static str {
                match self {
                    $(Self::$id => include_str!(concat!("../../../docs/rules/", $name, ".md")),)*
                }
            }

            /// What it objects to.
            #[must_use]
            pub(crate) fn check(self, case: &Case<'_>, landed: &[ClassifiedLanding<'_>]) -> Vec<Finding> {
                match self { $(Self::$id => $module::check(case, landed),)* }
            }
        }
    };
}

rules! {
    RefName = ref_name, "ref-name";
    ObjectFormat = object_format, "object-format";
    Pusher = pusher, "pusher";
    Rewrite = rewrite, "rewrite";
    FirstParent = first_parent, "first-parent";
    Deletion = deletion, "deletion";
    PolicyChange = policy_change, "policy-change";
    Freeze = freeze, "freeze";
    Class = class, "class";
    EvilMerge = evil_merge, "evil-merge";
    Promotion = promotion, "promotion";
    Backport = backport, "backport";
    ReleaseTag = release_tag, "release-tag";
    Candidate = candidate, "candidate";
    ReleaseGate = release_gate, "release-gate";
    Debts = debts, "debts";
    Ledger = ledger, "ledger";
}

impl RuleId {
    /// The rule of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.name() == name)
    }
}
