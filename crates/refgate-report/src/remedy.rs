//! Which commands mend it? Each remedy is run by a test and must then pass.

use refgate_core::{Case, ClassId, Finding, Oid, RefChange, RefUpdate, Version, Violation};

use crate::joint_remedies::go_second;
use crate::shell::{brief, quoted};

/// One way forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// What it does, as a heading.
    pub what: String,
    /// Shell commands for the pusher's clone, with the branch checked out.
    pub commands: Vec<String>,
}

impl Remedy {
    pub(crate) fn new(what: impl Into<String>, commands: Vec<String>) -> Self {
        Self { what: what.into(), commands }
    }
}

/// What a remedy is made for.
struct RemedyBuilder<'c> {
    case: &'c Case<'c>,
    update: &'c RefUpdate,
    landing: Option<Oid>,
}

/// The ways forward for one of a push's findings, best first.
#[must_use]
pub fn remedies(case: &Case<'_>, all: &[Finding], finding: &Finding) -> Vec<Remedy> {
    let Some(update) = case.push.updates.get(finding.update) else { return Vec::new() };
    let subject = RemedyBuilder { case, update, landing: finding.landing };
    let ways = subject.ways(all, finding);
    ways.into_iter().map(|remedy| switched(case, update, remedy)).collect()
}

/// Of several branches that are pushed at once, one is checked out at the most:
/// before a command changes a branch, that one must be.
pub(crate) fn switched(case: &Case<'_>, update: &RefUpdate, mut remedy: Remedy) -> Remedy {
    let Some(branch) = update.name.branch_name().filter(|_| case.push.updates.len() > 1) else {
        return remedy;
    };
    let elsewhere = ["git push", "git fetch", "git switch", "git tag"];
    let here = |command: &String| !elsewhere.iter().any(|verb| command.starts_with(verb));
    if let Some(place) = remedy.commands.iter().position(here) {
        remedy.commands.insert(place, format!("git switch {}", quoted(branch)));
    }
    remedy
}

impl RemedyBuilder<'_> {
    fn ways(&self, all: &[Finding], finding: &Finding) -> Vec<Remedy> {
        let new = self.update.change.new_value();
        let name = quoted(self.update.name.short());
        match &finding.what {
            Violation::Frozen { .. } | Violation::NotEligible { .. } => {
                let second = go_second(self.case, all, finding);
                second.map_or_else(|| self.keep(), |way| vec![way])
            }
            Violation::Contradicted { .. } | Violation::Unclassified { .. } => self.declare(),
            Violation::EvilMerge { .. } => self.merge_again(),
            Violation::Foxtrot { old, new } => vec![Remedy::new(
                "make the merge again, the right way round:",
                vec![
                    format!("git reset --keep {}", brief(*old)),
                    format!("git merge --no-ff --no-edit {}", brief(*new)),
                ],
            )],
            Violation::Octopus { .. } => self.one_by_one(),
            Violation::Rewritten { .. } => vec![Remedy::new(
                "put your commits on top of what the server has:",
                vec!["git fetch origin".to_string(), format!("git rebase origin/{name}")],
            )],
            Violation::Squashed { of, .. } => self.promote(*of),
            Violation::PromotionDiffers { from } => self.differs(from),
            Violation::Leapt { over, .. } => self.leap(over),
            Violation::TagMoved { .. } | Violation::VersionNotGrown { .. } => self.next_version(),
            Violation::TagNotAnnotated | Violation::TagNameDiffers => {
                vec![self.tag_again("make the tag again, annotated:", "-a")]
            }
            Violation::TagNotSigned => vec![self.tag_again("make the tag again, signed:", "-s")],
            Violation::TagNotShipped { production } => vec![Remedy::new(
                "land the commit first, then push the tag:",
                vec![
                    format!("git push origin {name}^{{}}:refs/heads/{}", quoted(production)),
                    format!("git push origin {name}"),
                ],
            )],
            Violation::NameResembles { .. } | Violation::NameBlocks => self.under_another_name(),
            Violation::NameAlias { target } => new
                .into_iter()
                .map(|new| {
                    let push = format!("git push origin {}:{}", brief(new), quoted(target));
                    Remedy::new("push to the branch itself:", vec![push])
                })
                .collect(),
            Violation::NotAllowed { .. } => self.under_another_name(),
            Violation::PolicyNotAlone => self.alone(),
            Violation::Malformed { commit, .. } if Some(*commit) == new => {
                vec![Remedy::new(
                    "let Git write the commit again:",
                    vec!["git commit --amend --no-edit --allow-empty".to_string()],
                )]
            }
            Violation::StageCreated => self.open_at_known(),
            _ => Vec::new(),
        }
    }

    fn tip(&self) -> bool {
        self.landing.is_some() && self.landing == self.update.change.new_value()
    }

    fn parents(&self) -> Vec<Oid> {
        let commit = self.landing.and_then(|id| self.case.history.commit(id));
        commit.map_or_else(Vec::new, |commit| commit.parents.clone())
    }

    /// The topic branch's own name, or one made of the landing's id.
    fn topic(&self) -> String {
        let commit = self.landing.and_then(|id| self.case.history.commit(id));
        let named = commit.and_then(|commit| commit.message.merged_branch());
        let usable = named.filter(|name| {
            refgate_core::RefName::branch(name)
                .is_ok_and(|full| self.case.policy.flow.target(&full).is_none())
        });
        let id = self.landing.or(self.update.change.new_value());
        usable.map_or_else(
            || format!("topic/{}", id.map_or_else(String::new, |id| id.short())),
            quoted,
        )
    }

    /// Keep the landing on its own branch, and take it off this one.
    fn keep(&self) -> Vec<Remedy> {
        let Some(landing) = self.landing else { return Vec::new() };
        let parents = self.parents();
        let Some(before) = parents.first() else { return Vec::new() };
        // Of a merge, the topic is its second parent.
        let work = parents.get(1).copied().unwrap_or(landing);
        let branch = quoted(self.update.name.short());
        let off = if self.tip() {
            format!("git reset --keep {}", brief(*before))
        } else {
            {
                let (before, landing) = (brief(*before), brief(landing));
                format!("git rebase --rebase-merges --onto {before} {landing} {branch}")
            }
        };
        let push = format!("git push origin {}:refs/heads/{}", brief(work), self.topic());
        vec![Remedy::new("keep it on a branch of its own, and off this one:", vec![push, off])]
    }

    /// Say what the change really is, where that class may land now.
    fn declare(&self) -> Vec<Remedy> {
        let classes = &self.case.policy.classes;
        let strictest = classes.ids().max_by_key(|id| classes.rank(*id));
        let open = |class: &ClassId| {
            let target = self.case.policy.flow.target(&self.update.name);
            target.is_some_and(|target| {
                target.is_first()
                    && refgate_core::earliest(self.case, &target, *class) == refgate_core::When::Now
            })
        };
        let Some(class) = strictest.filter(|class| self.tip() && open(class)) else {
            return self.keep();
        };
        let trailer = format!("{}: {}", self.case.policy.declare.trailer, classes.name(class));
        let amend = format!("git commit --amend --no-edit --trailer {}", quoted(&trailer));
        vec![Remedy::new("if it is meant to be more, say what it is:", vec![amend])]
    }

    fn merge_again(&self) -> Vec<Remedy> {
        let (true, [first, second]) = (self.tip(), &*self.parents()) else { return self.keep() };
        let again = Remedy::new(
            "make the merge again, and put other changes into commits of their own:",
            vec![
                format!("git reset --keep {}", brief(*first)),
                format!("git merge --no-ff --no-edit {}", brief(*second)),
            ],
        );
        let mut all = vec![again];
        // A conflict that was settled under another name looks no different;
        // who made it can own up to it.
        all.extend(
            self.declare()
                .into_iter()
                .filter(|r| r.commands.iter().any(|c| c.contains("--trailer"))),
        );
        all
    }

    fn one_by_one(&self) -> Vec<Remedy> {
        let mut parents = self.parents();
        parents.dedup();
        let Some((first, others)) = parents.split_first().filter(|_| self.tip()) else {
            return self.keep();
        };
        let mut commands = vec![format!("git reset --keep {}", brief(*first))];
        let others = others.iter().filter(|other| *other != first);
        commands
            .extend(others.map(|other| format!("git merge --no-ff --no-edit {}", brief(*other))));
        vec![Remedy::new("merge one branch after the other:", commands)]
    }

    fn promote(&self, of: Oid) -> Vec<Remedy> {
        let Some(old) = self.update.change.old_value() else { return Vec::new() };
        vec![Remedy::new(
            "promote the commits themselves:",
            vec![
                format!("git reset --keep {}", brief(old)),
                format!("git merge --no-ff --no-edit {}", brief(of)),
            ],
        )]
    }

    fn differs(&self, from: &str) -> Vec<Remedy> {
        let facts = self.case.history.updates.iter().zip(&self.case.push.updates);
        let own = facts.filter(|(_, update)| update.name == self.update.name);
        let evil = own.flat_map(|(facts, _)| &facts.landings).any(|landing| {
            Some(landing.commit) == self.landing
                && landing.evil.as_ref().is_some_and(|paths| !paths.is_empty())
        });
        if evil {
            return self.merge_again();
        }
        let Some(old) = self.update.change.old_value() else { return Vec::new() };
        let (from, here) = (quoted(from), quoted(self.update.name.short()));
        vec![Remedy::new(
            format!("`{here}` has something that `{from}` lacks; bring it back first:"),
            vec![
                format!("git reset --keep {}", brief(old)),
                format!("git switch {from}"),
                format!("git merge --no-edit {}", brief(old)),
                format!("git push origin {from}"),
                format!("git switch {here}"),
                format!("git merge --no-ff --no-edit {from}"),
            ],
        )]
    }

    fn leap(&self, over: &str) -> Vec<Remedy> {
        let Some(new) = self.update.change.new_value() else { return Vec::new() };
        vec![Remedy::new(
            format!("promote it to `{over}` first, and have it tested there:"),
            vec![format!("git push origin {}:refs/heads/{}", brief(new), quoted(over))],
        )]
    }

    fn next_version(&self) -> Vec<Remedy> {
        let Some(new) = self.update.change.new_value() else { return Vec::new() };
        let all = &self.case.history.releases;
        let highest = all.iter().max_by_key(|release| release.version);
        let Some((highest, pattern)) = highest.zip(self.case.policy.release.tags.first()) else {
            return Vec::new();
        };
        let next = Version { patch: highest.version.patch.saturating_add(1), ..highest.version };
        let tag = quoted(&format!("{}{next}{}", pattern.prefix, pattern.suffix));
        vec![Remedy::new(
            "release it under the next version:",
            vec![
                format!(
                    "git tag -a {tag} -m {} {}^{{}}",
                    quoted(&format!("Release {next}")),
                    brief(new)
                ),
                format!("git push origin {tag}"),
            ],
        )]
    }

    fn tag_again(&self, what: &str, how: &str) -> Remedy {
        let tag = quoted(self.update.name.short());
        let message = quoted(&format!("Release {}", self.update.name.short()));
        Remedy::new(what, vec![format!("git tag -f {how} {tag} -m {message} {tag}^{{}}")])
    }

    fn under_another_name(&self) -> Vec<Remedy> {
        let Some(new) = self.update.change.new_value() else { return Vec::new() };
        let push = format!("git push origin {}:refs/heads/topic/{}", brief(new), new.short());
        vec![Remedy::new("push it as a topic branch, for somebody who may land it:", vec![push])]
    }

    fn alone(&self) -> Vec<Remedy> {
        let Some(new) = self.update.change.new_value() else { return Vec::new() };
        let push = format!("git push origin {}:{}", brief(new), quoted(self.update.name.as_str()));
        vec![Remedy::new("push the policy first, by itself:", vec![push])]
    }

    fn open_at_known(&self) -> Vec<Remedy> {
        let RefChange::Create { new } = self.update.change else { return Vec::new() };
        let tips = &self.case.history.tips;
        let Some(tip) = tips.values().next_back() else { return Vec::new() };
        let name = quoted(self.update.name.as_str());
        vec![Remedy::new(
            "open it where production stands, and push your work as a topic:",
            vec![
                format!("git push origin {}:{name}", brief(*tip)),
                format!("git push origin {}:refs/heads/topic/{}", brief(new), new.short()),
            ],
        )]
    }
}
