//! Reads the policy rules for promotions, releases, backports, deletions and policy changes.

use std::collections::BTreeMap;

use refgate_core::{
    BackportRules, Classes, DeletionRules, Duration, HotfixRules, Policy, PolicyRules,
    PromotionRules, ReleaseRules, Roles, RuleId, RuleMode, TagPattern,
};

use super::classes::class_list;
use super::role;
use super::windows::length;
use crate::complaint::{Complaints, nearest};
use crate::table::{Section, text_of};

pub(super) fn backport_and_hotfix(
    c: &mut Complaints<'_>,
    root: &mut Section<'_>,
    classes: &Classes,
    roles: &Roles,
) -> (BackportRules, HotfixRules) {
    let mut backport = BackportRules {
        window: Duration::zero(),
        within: Vec::new(),
        with_approval: Vec::new(),
        always: Vec::new(),
        approvers: String::new(),
        exact: false,
    };
    if let Some(mut section) = root.table(c, "backport") {
        backport.window = length(c, &mut section, "window", 30);
        backport.within = class_list(c, &mut section, "within", classes);
        backport.with_approval = class_list(c, &mut section, "with-approval", classes);
        backport.always = class_list(c, &mut section, "always", classes);
        backport.exact = section.flag(c, "exact").unwrap_or(false);
        let asked = backport.exact || !backport.with_approval.is_empty();
        backport.approvers = approvers(c, &mut section, roles, asked);
        section.finish(c);
    }
    let mut hotfix = HotfixRules::default();
    if let Some(mut section) = root.table(c, "hotfix") {
        hotfix.classes = class_list(c, &mut section, "classes", classes);
        section.finish(c);
    }
    (backport, hotfix)
}

pub(super) fn approvers(
    c: &mut Complaints<'_>,
    section: &mut Section<'_>,
    roles: &Roles,
    needed: bool,
) -> String {
    let named = section.text(c, "approvers");
    if needed && named.is_none() {
        c.hint(section.span(), "`approvers` is missing", "name the role that may approve");
    }
    named.and_then(|text| role(c, roles, &text)).unwrap_or_default()
}

pub(super) fn promotion(c: &mut Complaints<'_>, root: &mut Section<'_>) -> PromotionRules {
    let mut rules = PromotionRules { same_tree: true, candidate: false };
    if let Some(mut section) = root.table(c, "promotion") {
        rules.same_tree = section.flag(c, "same-tree").unwrap_or(true);
        rules.candidate = section.flag(c, "candidate").unwrap_or(false);
        section.finish(c);
    }
    rules
}

pub(super) fn release(
    c: &mut Complaints<'_>,
    root: &mut Section<'_>,
    roles: &Roles,
) -> ReleaseRules {
    let standard = || TagPattern { prefix: "v".to_string(), suffix: String::new(), single: false };
    let mut rules =
        ReleaseRules { tags: vec![standard()], annotated: true, ..ReleaseRules::default() };
    if let Some(mut section) = root.table(c, "release") {
        let texts = section.list(c, "tags");
        if !texts.is_empty() {
            rules.tags.clear();
        }
        for text in texts {
            match TagPattern::new(&text.text) {
                Some(pattern) => rules.tags.push(pattern),
                None => c.hint(
                    text.span,
                    "expected one `{version}` or `{major}`",
                    "such as `v{version}`",
                ),
            }
        }
        rules.annotated = section.flag(c, "annotated").unwrap_or(true);
        rules.signed = section.flag(c, "signed").unwrap_or(false);
        let signers = section.text(c, "signers").and_then(|text| role(c, roles, &text));
        rules.signers = signers.unwrap_or_default();
        section.finish(c);
    }
    rules
}

pub(super) fn deletion(
    c: &mut Complaints<'_>,
    root: &mut Section<'_>,
    roles: &Roles,
) -> DeletionRules {
    let mut rules = DeletionRules { cooling_off: Duration::days(7), approvers: String::new() };
    if let Some(mut section) = root.table(c, "deletion") {
        rules.cooling_off = length(c, &mut section, "cooling-off", 7);
        rules.approvers = approvers(c, &mut section, roles, true);
        section.finish(c);
    }
    rules
}

pub(super) fn protect(
    c: &mut Complaints<'_>,
    root: &mut Section<'_>,
    roles: &Roles,
) -> PolicyRules {
    let mut rules = PolicyRules::default();
    if let Some(mut section) = root.table(c, "policy") {
        let approvals = section.number(c, "approvals").unwrap_or(1);
        rules.approvals = u32::try_from(approvals).unwrap_or(u32::MAX);
        rules.approvers = approvers(c, &mut section, roles, rules.approvals > 0);
        section.finish(c);
    }
    rules
}

pub(super) fn modes(c: &mut Complaints<'_>, root: &mut Section<'_>) -> BTreeMap<RuleId, RuleMode> {
    let mut all = BTreeMap::new();
    let Some(section) = root.table(c, "rules") else { return all };
    for (name, value) in section.entries() {
        let Some(text) = text_of(c, value) else { continue };
        let mode = match text.text.as_str() {
            "enforce" => RuleMode::Enforce,
            "warn" => RuleMode::Warn,
            "off" => RuleMode::Off,
            _ => {
                c.hint(text.span, "unknown mode", "expected `enforce`, `warn` or `off`");
                continue;
            }
        };
        match RuleId::find(&name.text) {
            Some(rule) if !rule.properties().optional && mode != RuleMode::Enforce => {
                c.add(name.span, format!("the rule `{}` is always enforced", name.text));
            }
            Some(rule) => drop(all.insert(rule, mode)),
            None => {
                let near = nearest(&name.text, RuleId::ALL.iter().map(|rule| rule.name()));
                let hint = near.map_or_else(
                    || "`refgate explain` lists the rules".to_string(),
                    |near| format!("did you mean `{near}`?"),
                );
                c.hint(name.span, format!("unknown rule `{}`", name.text), hint);
            }
        }
    }
    all
}

/// Rejects a policy that nobody could change afterwards
/// (docs/design/model.md, "Records and the ledger").
pub(super) fn check_lock_out(c: &mut Complaints<'_>, root: &Section<'_>, policy: &Policy) {
    let people = policy.roles.people(&policy.protect.approvers);
    let pushers: Vec<&String> = policy.flow.production().map_or_else(Vec::new, |(_, stage)| {
        stage.pushers.iter().flat_map(|role| policy.roles.people(role)).collect()
    });
    let wanted = usize::try_from(policy.protect.approvals).unwrap_or(usize::MAX);
    // The approval of the pusher does not count. If only some people may push, at least one of
    // them needs enough other approvers.
    let possible = if pushers.is_empty() {
        people.len() >= wanted
    } else {
        pushers.iter().any(|pusher| people.iter().filter(|p| p != pusher).count() >= wanted)
    };
    if !possible {
        let what = format!(
            "nobody could change this policy again: it requires {wanted} approval{} by `{}` \
             from people other than the pusher",
            if wanted == 1 { "" } else { "s" },
            policy.protect.approvers
        );
        c.hint(root.span(), what, "add people to the role, or require fewer approvals");
    }
}
