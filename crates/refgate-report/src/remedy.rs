//! The commands that resolve a finding. A test runs each remedy, and the push must then pass.

use refgate_core::{
    Case, ClassId, Oid, RefChange, RefName, RefUpdate, Version, Violation, When, contradiction,
    earliest,
};

use crate::shell::{quoted, short_id};

/// One way to resolve a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// What the commands do, as a heading that ends with a colon.
    pub title: String,
    /// Shell commands for the pusher's clone, with the branch checked out.
    pub commands: Vec<String>,
}

impl Remedy {
    pub(crate) fn new(title: impl Into<String>, commands: Vec<String>) -> Self {
        Self { title: title.into(), commands }
    }
}

/// Makes the remedies for one ref update and one landing.
pub(crate) struct RemedyBuilder<'c> {
    pub(crate) case: &'c Case<'c>,
    pub(crate) update: &'c RefUpdate,
    pub(crate) landing: Option<Oid>,
}

/// Adds a `git switch` before the first command that changes the branch. A push of
/// several branches says nothing about which of them is checked out.
pub(crate) fn with_switch(case: &Case<'_>, update: &RefUpdate, mut remedy: Remedy) -> Remedy {
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
    fn is_tip(&self) -> bool {
        self.landing.is_some() && self.landing == self.update.change.new_value()
    }

    fn parents(&self) -> Vec<Oid> {
        let commit = self.landing.and_then(|id| self.case.history.commit(id));
        commit.map_or_else(Vec::new, |commit| commit.parents.clone())
    }

    /// The name of the topic branch, or a name made from the id of the landing.
    fn topic_name(&self) -> String {
        let commit = self.landing.and_then(|id| self.case.history.commit(id));
        let named = commit.and_then(|commit| commit.message.merged_branch());
        let usable = named.filter(|name| {
            RefName::branch(name).is_ok_and(|full| self.case.policy.flow.target(&full).is_none())
        });
        let id = self.landing.or(self.update.change.new_value());
        usable.map_or_else(
            || format!("topic/{}", id.map_or_else(String::new, |id| id.short())),
            quoted,
        )
    }

    /// Moves the landing to its own branch and removes it from this one.
    pub(crate) fn move_to_topic(&self) -> Vec<Remedy> {
        let Some(landing) = self.landing else { return Vec::new() };
        let parents = self.parents();
        let Some(before) = parents.first() else { return Vec::new() };
        // The topic of a merge is its second parent.
        let work = parents.get(1).copied().unwrap_or(landing);
        let branch = quoted(self.update.name.short());
        let off = if self.is_tip() {
            format!("git reset --keep {}", short_id(*before))
        } else {
            {
                let (before, landing) = (short_id(*before), short_id(landing));
                format!("git rebase --rebase-merges --onto {before} {landing} {branch}")
            }
        };
        let push = format!("git push origin {}:refs/heads/{}", short_id(work), self.topic_name());
        vec![Remedy::new("move it to its own branch:", vec![push, off])]
    }

    /// Declares the strictest class, where that class may land now.
    pub(crate) fn declare_class(&self) -> Vec<Remedy> {
        let classes = &self.case.policy.classes;
        let strictest = classes.ids().max_by_key(|id| classes.rank(*id));
        let open = |class: &ClassId| {
            let target = self.case.policy.flow.target(&self.update.name);
            target.is_some_and(|target| {
                target.is_first() && earliest(self.case, &target, *class) == When::Now
            })
        };
        let Some(class) = strictest.filter(|class| self.is_tip() && open(class)) else {
            return self.move_to_topic();
        };
        let trailer = format!("{}: {}", self.case.policy.declare.trailer, classes.name(class));
        let amend = format!("git commit --amend --no-edit --trailer {}", quoted(&trailer));
        vec![Remedy::new("declare the real class of the change:", vec![amend])]
    }

    /// Answers the question whether an unclear change is a feature, where the freeze accepts
    /// the answer that it is none.
    pub(crate) fn state_class(&self, violation: &Violation) -> Option<Remedy> {
        let Violation::Freeze(freeze) = violation else { return None };
        let landings = self.case.history.updates.iter().flat_map(|facts| &facts.landings);
        let changes = landings
            .filter(|landing| Some(landing.commit) == self.landing)
            .find_map(|landing| landing.changes.as_ref())?;
        let policy = self.case.policy;
        let fits = |name: &&str| {
            let class = policy.classes.find(name);
            freeze.lets_through.iter().any(|accepted| accepted == name)
                && class.is_some_and(|class| contradiction(policy, class, changes).is_none())
        };
        let class = ["bugfix", "chore"].into_iter().find(fits)?;
        let trailer = quoted(&format!("{}: {class}", policy.declare.trailer));
        (freeze.class.is_asked() && self.is_tip()).then(|| {
            Remedy::new(
                "state its class, if it is no feature:",
                vec![format!("git commit --amend --no-edit --trailer {trailer}")],
            )
        })
    }

    pub(crate) fn merge_again(&self) -> Vec<Remedy> {
        let (true, [first, second]) = (self.is_tip(), &*self.parents()) else {
            return self.move_to_topic();
        };
        let again = Remedy::new(
            "repeat the merge, and commit other changes separately:",
            vec![
                format!("git reset --keep {}", short_id(*first)),
                format!("git merge --no-ff --no-edit {}", short_id(*second)),
            ],
        );
        let mut all = vec![again];
        // A conflict that was resolved by hand looks the same. Its author can declare it.
        all.extend(
            self.declare_class()
                .into_iter()
                .filter(|r| r.commands.iter().any(|c| c.contains("--trailer"))),
        );
        all
    }

    pub(crate) fn merge_one_by_one(&self) -> Vec<Remedy> {
        let mut parents = self.parents();
        parents.dedup();
        let Some((first, others)) = parents.split_first().filter(|_| self.is_tip()) else {
            return self.move_to_topic();
        };
        let mut commands = vec![format!("git reset --keep {}", short_id(*first))];
        let others = others.iter().filter(|other| *other != first);
        commands.extend(
            others.map(|other| format!("git merge --no-ff --no-edit {}", short_id(*other))),
        );
        vec![Remedy::new("merge one branch after another:", commands)]
    }

    pub(crate) fn promote(&self, of: Oid) -> Vec<Remedy> {
        let Some(old) = self.update.change.old_value() else { return Vec::new() };
        vec![Remedy::new(
            "promote the original commits:",
            vec![
                format!("git reset --keep {}", short_id(old)),
                format!("git merge --no-ff --no-edit {}", short_id(of)),
            ],
        )]
    }

    pub(crate) fn bring_back(&self, from: &str) -> Vec<Remedy> {
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
            format!("bring the missing content back to `{from}` first:"),
            vec![
                format!("git reset --keep {}", short_id(old)),
                format!("git switch {from}"),
                format!("git merge --no-edit {}", short_id(old)),
                format!("git push origin {from}"),
                format!("git switch {here}"),
                format!("git merge --no-ff --no-edit {from}"),
            ],
        )]
    }

    pub(crate) fn promote_to(&self, over: &str) -> Vec<Remedy> {
        let Some(new) = self.update.change.new_value() else { return Vec::new() };
        vec![Remedy::new(
            format!("promote it to `{over}` and test it there first:"),
            vec![format!("git push origin {}:refs/heads/{}", short_id(new), quoted(over))],
        )]
    }

    pub(crate) fn next_version(&self) -> Vec<Remedy> {
        let Some(new) = self.update.change.new_value() else { return Vec::new() };
        let all = &self.case.history.releases;
        let highest = all.iter().max_by_key(|release| release.version);
        let Some((highest, pattern)) = highest.zip(self.case.policy.release.tags.first()) else {
            return Vec::new();
        };
        let next = Version { patch: highest.version.patch.saturating_add(1), ..highest.version };
        let tag = quoted(&pattern.tag(next));
        vec![Remedy::new(
            "release it as the next version:",
            vec![
                format!(
                    "git tag -a {tag} -m {} {}^{{}}",
                    quoted(&format!("Release {next}")),
                    short_id(new)
                ),
                format!("git push origin {tag}"),
            ],
        )]
    }

    pub(crate) fn tag_again(&self, title: &str, option: &str) -> Vec<Remedy> {
        let tag = quoted(self.update.name.short());
        let message = quoted(&format!("Release {}", self.update.name.short()));
        vec![Remedy::new(title, vec![format!("git tag -f {option} {tag} -m {message} {tag}^{{}}")])]
    }

    pub(crate) fn push_as_topic(&self) -> Vec<Remedy> {
        let Some(new) = self.update.change.new_value() else { return Vec::new() };
        let push = format!("git push origin {}:refs/heads/topic/{}", short_id(new), new.short());
        vec![Remedy::new(
            "push it as a topic branch, so that an allowed person can land it:",
            vec![push],
        )]
    }

    pub(crate) fn push_policy_alone(&self) -> Vec<Remedy> {
        let Some(new) = self.update.change.new_value() else { return Vec::new() };
        let push =
            format!("git push origin {}:{}", short_id(new), quoted(self.update.name.as_str()));
        vec![Remedy::new("push the policy change alone:", vec![push])]
    }

    pub(crate) fn open_at_known(&self) -> Vec<Remedy> {
        let RefChange::Create { new } = self.update.change else { return Vec::new() };
        let tips = &self.case.history.tips;
        let Some(tip) = tips.values().next_back() else { return Vec::new() };
        let name = quoted(self.update.name.as_str());
        vec![Remedy::new(
            "create it at the tip of production, and push your work as a topic branch:",
            vec![
                format!("git push origin {}:{name}", short_id(*tip)),
                format!("git push origin {}:refs/heads/topic/{}", short_id(new), new.short()),
            ],
        )]
    }

    /// Repeats a merge with its parents in the right order.
    pub(crate) fn swap_parents(&self, old: Oid, new: Oid) -> Vec<Remedy> {
        vec![Remedy::new(
            "repeat the merge with the parents in the right order:",
            vec![
                format!("git reset --keep {}", short_id(old)),
                format!("git merge --no-ff --no-edit {}", short_id(new)),
            ],
        )]
    }

    /// Rebases the branch onto the server's tip.
    pub(crate) fn rebase(&self) -> Vec<Remedy> {
        let name = quoted(self.update.name.short());
        vec![Remedy::new(
            "rebase your commits onto the server's branch:",
            vec!["git fetch origin".to_string(), format!("git rebase origin/{name}")],
        )]
    }

    /// Lands the tagged commit before the tag is pushed.
    pub(crate) fn land_before_tag(&self, production: &str) -> Vec<Remedy> {
        let name = quoted(self.update.name.short());
        vec![Remedy::new(
            "land the commit first, then push the tag:",
            vec![
                format!("git push origin {name}^{{}}:refs/heads/{}", quoted(production)),
                format!("git push origin {name}"),
            ],
        )]
    }

    /// Pushes to the branch that a symbolic ref stands for.
    pub(crate) fn push_to(&self, target: &str) -> Vec<Remedy> {
        let Some(new) = self.update.change.new_value() else { return Vec::new() };
        let push = format!("git push origin {}:{}", short_id(new), quoted(target));
        vec![Remedy::new("push to the branch itself:", vec![push])]
    }

    /// Lets Git write the tip commit again.
    pub(crate) fn write_again(&self, commit: Oid) -> Vec<Remedy> {
        if Some(commit) != self.update.change.new_value() {
            return Vec::new();
        }
        vec![Remedy::new(
            "let Git write the commit again:",
            vec!["git commit --amend --no-edit --allow-empty".to_string()],
        )]
    }
}
