//! `git backport hotfix start`: creates a hotfix branch. Also finds one for `finish`.

use refgate_core::{ClassId, Oid, Policy, RefName, classify_commit};
use refgate_gate::Exit;
use refgate_git::{Graph, Reader, Writer};
use serde_json::json;

use crate::args::{Finish, RepositoryArgs};
use crate::branches::production;
use crate::fix_index::open;
use crate::git_command;
use crate::output::{Failure, VerbResult, done, say};
use crate::policy_answer::PolicyAnswers;

/// The prefix of hotfix branches.
const PREFIX: &str = "hotfix/";

fn wrong(message: impl Into<String>) -> Failure {
    Failure::new(Exit::BadInput, message)
}

/// The policy, which names the production branch.
pub(super) fn rules(reader: &Reader, place: &RepositoryArgs) -> Result<PolicyAnswers, Failure> {
    let missing = || {
        let message = "cannot find production: there is no policy\nhint: name one with --policy";
        Failure::new(Exit::BadPolicy, message)
    };
    PolicyAnswers::find(reader, place)?.ok_or_else(missing)
}

/// The Git setting in which `start` records where a branch began.
fn note(branch: &str) -> String {
    format!("branch.{branch}.refgate-base")
}

/// Creates a branch at the tip of production and checks it out. If the worktree has local
/// changes, the checkout stays as it is.
pub(crate) fn start(place: &RepositoryArgs, name: &str) -> VerbResult {
    let reader = open(place)?;
    let rules = rules(&reader, place)?;
    let (stage, tip) = production(&reader, place, &rules.policy)?;
    let name = name.strip_prefix(PREFIX).unwrap_or(name);
    let branch = format!("{PREFIX}{name}");
    RefName::branch(&branch)
        .map_err(|why| wrong(format!("cannot create branch `{branch}`: {why}")))?;
    if reader.resolve(&format!("refs/heads/{branch}")).is_ok() {
        return Err(wrong(format!(
            "cannot create {branch}: it exists\nhint: `git switch {branch}`, or choose another name"
        )));
    }
    let folder = place.repository.as_path();
    git_command::output(folder, &["branch", "--no-track", &branch, &tip.to_string()])?;
    Writer::open(folder, false)?.set(&note(&branch), &tip.to_string())?;
    let changed =
        || git_command::output(folder, &["status", "--porcelain", "--untracked-files=no"]);
    let stays = reader.is_bare() || !changed()?.is_empty();
    if !stays {
        git_command::output(folder, &["switch", "-q", &branch])?;
    }
    let policy = &rules.policy;
    let straight = policy.hotfix.classes.iter().map(|class| policy.classes.name(*class));
    let straight: Vec<String> = straight.collect();
    if place.json {
        let told = json!({
            "hotfix": branch, "from": stage, "base": tip.to_string(), "checked-out": !stays,
            "straight": straight,
        });
        say(&told.to_string());
        return Ok(done(Exit::Accepted));
    }
    say(&format!("created {branch} at the tip of {stage} ({})", tip.short()));
    if stays {
        say(&format!("the checkout is unchanged; when you are ready, run `git switch {branch}`"));
    }
    if !straight.is_empty() {
        say(&format!("classes that may go directly to {stage}: {}", straight.join(", ")));
    }
    say("commit the fix there, then run `git backport hotfix finish`");
    Ok(done(Exit::Accepted))
}

/// A hotfix: its branch, where the branch began, and its commits.
#[derive(Debug)]
pub(super) struct Fix {
    pub(super) branch: String,
    pub(super) tip: Oid,
    pub(super) base: Oid,
    /// The commits of the branch without merges, the oldest first.
    pub(super) commits: Vec<Oid>,
}

impl Fix {
    pub(super) fn find(
        reader: &Reader,
        place: &RepositoryArgs,
        policy: &Policy,
        args: &Finish,
    ) -> Result<Self, Failure> {
        let branch = match &args.branch {
            Some(name) => name.clone(),
            None => reader.current_branch()?.filter(|name| name.starts_with(PREFIX)).ok_or_else(
                || wrong("cannot finish: no hotfix/... branch is checked out\nhint: name it"),
            )?,
        };
        let tip = reader.resolve(&format!("refs/heads/{branch}")).map_err(|_| {
            wrong(format!("cannot find branch `{branch}`\nhint: run `git backport hotfix start`"))
        })?;
        let base = match (&args.base, reader.setting(&note(&branch))?) {
            (Some(named), _) => reader.resolve(named)?,
            (None, Some(noted)) => reader.resolve(&noted)?,
            (None, None) => {
                let (stage, production) = production(reader, place, policy)?;
                let base = Graph::new(reader).merge_base([production, tip])?;
                base.filter(|base| *base != tip).ok_or_else(|| {
                    let message = format!(
                        "cannot find the start of {branch}: {stage} contains it\nhint: use --base"
                    );
                    wrong(message)
                })?
            }
        };
        let range = format!("{base}..{tip}");
        let listed = git_command::output(
            reader.git_dir(),
            &["rev-list", "--reverse", "--topo-order", "--no-merges", &range, "--"],
        )?;
        let commits: Vec<Oid> = listed.lines().filter_map(Oid::from_hex).collect();
        if commits.is_empty() {
            return Err(wrong(format!("cannot finish: there are no commits on {branch} yet")));
        }
        Ok(Self { branch, tip, base, commits })
    }

    /// The `Change-Class:` trailer for the merges of the hotfix. The server then checks a
    /// resolved conflict or a recipe against the limits of this class.
    pub(super) fn trailer(&self, reader: &Reader, policy: &Policy) -> Result<String, Failure> {
        let mut highest: Option<ClassId> = None;
        for id in &self.commits {
            let class = classify_commit(policy, None, &reader.commit(*id)?.commit(*id)).class;
            let higher = |old: &ClassId| policy.classes.rank(*old) >= policy.classes.rank(class);
            highest = highest.filter(higher).or(Some(class));
        }
        let named = highest.filter(|class| *class != ClassId::UNCLASSIFIED);
        Ok(named.map_or_else(String::new, |class| {
            format!("\nChange-Class: {}\n", policy.classes.name(class))
        }))
    }
}
