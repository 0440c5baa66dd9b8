//! Finds the branches to look at and orders them: stages first, then lines by version.

use refgate_core::matrix::MAX_BRANCHES;
use refgate_core::{Flow, Glob, Oid, Policy};
use refgate_gate::Exit;
use refgate_git::Reader;

use crate::args::RepositoryArgs;
use crate::git_command;
use crate::output::Failure;

/// A branch with its short name and its tip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Branch {
    pub(crate) name: String,
    pub(crate) tip: Oid,
}

/// The selected branches: the upstream branch first, then the other stages, then the
/// lines from the oldest to the newest.
#[derive(Debug)]
pub(crate) struct Branches {
    pub(crate) all: Vec<Branch>,
    /// The number of branches in `all` that are not lines. They come first.
    stages: usize,
    /// The remote that the branches belong to.
    remote: String,
}

impl Branches {
    /// Selects branches by the arguments. Without arguments, the policy selects them,
    /// and without a policy the branch names.
    pub(crate) fn find(
        reader: &Reader,
        place: &RepositoryArgs,
        policy: Option<&Policy>,
    ) -> Result<Self, Failure> {
        let (prefix, every) = listed(reader, &place.remote)?;
        let flow = policy.map(|policy| &policy.flow);
        let mut all = stages(flow, &every);
        if all.is_empty() || place.upstream.is_some() {
            all = vec![upstream(reader, place, &prefix, &every)?];
        }
        let stages = all.len();
        let patterns = patterns(place, &every)?;
        let governed = |branch: &Branch| {
            let flow = flow?;
            Some(flow.lines.iter().any(|line| line.branches.matches(&branch.name)))
        };
        let wanted = |branch: &&Branch| match patterns.as_slice() {
            [] => governed(branch).unwrap_or_else(|| version(&branch.name).is_some()),
            some => some.iter().any(|pattern| pattern.matches(&branch.name)),
        };
        let others = every.iter().filter(|branch| !all.contains(branch));
        let mut lines: Vec<Branch> = others.filter(wanted).cloned().collect();
        lines.sort_by_key(|branch| (version(&branch.name), branch.name.clone()));
        if lines.len() + stages > MAX_BRANCHES {
            let message = format!(
                "cannot compare more than {MAX_BRANCHES} branches\nhint: select fewer branches \
                 with --line"
            );
            return Err(Failure::new(Exit::TooMuch, message));
        }
        if lines.is_empty() && stages < 2 {
            let mut message = "cannot find a release line: no branch has a name such as \
                               release/1.2, 1.2 or v250-stable\nhint: name the lines with --line"
                .to_string();
            if !prefix.starts_with("refs/remotes/") && !reader.is_bare() {
                let remotes =
                    git_command::output(reader.git_dir(), &["remote"]).unwrap_or_default();
                let remotes: Vec<&str> = remotes.lines().collect();
                message.push_str(&match remotes.contains(&place.remote.as_str()) {
                    true => format!(", or run `git fetch {}`", place.remote),
                    false => format!(
                        "\nhint: there is no remote `{}`; use --remote with another one ({})",
                        place.remote,
                        remotes.join(", ")
                    ),
                });
            }
            return Err(Failure::new(Exit::BadInput, message));
        }
        all.extend(lines);
        Ok(Self { all, stages, remote: place.remote.clone() })
    }

    /// Adds a branch that is not a line.
    pub(crate) fn also(&mut self, branch: Branch) {
        self.all.insert(self.stages, branch);
        self.stages += 1;
    }

    pub(crate) fn tips(&self) -> Vec<Oid> {
        self.all.iter().map(|branch| branch.tip).collect()
    }

    /// The indexes of the lines, oldest first.
    pub(crate) fn lines(&self) -> Vec<usize> {
        (self.stages..self.all.len()).collect()
    }

    /// The indexes of the default targets of a backport: the lines, or the later stages
    /// if there is no line.
    pub(crate) fn targets(&self) -> Vec<usize> {
        let lines = self.lines();
        if lines.is_empty() { (1..self.all.len()).collect() } else { lines }
    }

    /// The index of a branch. Accepts a branch name, and a remote-tracking name such as
    /// `origin/dev`.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        let name = name.strip_prefix("refs/heads/").unwrap_or(name);
        let name = name.strip_prefix("refs/remotes/").unwrap_or(name);
        let named = |short: &str| self.all.iter().position(|one| one.name == short);
        let fetched = name.strip_prefix(&self.remote).and_then(|rest| rest.strip_prefix('/'));
        named(name).or_else(|| fetched.and_then(named))
    }

    pub(crate) fn name(&self, place: usize) -> &str {
        self.all.get(place).map_or("", |branch| &branch.name)
    }
}

/// The stages of a policy whose branches exist, in the order of the flow.
fn stages(flow: Option<&Flow>, every: &[Branch]) -> Vec<Branch> {
    let stages = flow.map(|flow| flow.stages.as_slice()).unwrap_or_default();
    let named = |name: &str| every.iter().find(|branch| branch.name == name).cloned();
    stages.iter().filter_map(|stage| named(stage.branch.short())).collect()
}

/// The name and the tip of the policy's production branch.
pub(crate) fn production(
    reader: &Reader,
    place: &RepositoryArgs,
    policy: &Policy,
) -> Result<(String, Oid), Failure> {
    let missing = |what: String| Failure::new(Exit::BadInput, what);
    let (_, stage) = policy
        .flow
        .production()
        .ok_or_else(|| missing("the policy has no production stage".to_string()))?;
    let name = stage.branch.short();
    let every = listed(reader, &place.remote)?.1;
    let branch = every.into_iter().find(|branch| branch.name == name);
    let branch = branch.ok_or_else(|| missing(format!("cannot find branch `{name}`")))?;
    Ok((branch.name, branch.tip))
}

/// Whether [`listed`] reads the remote-tracking branches, not the local branches.
pub(crate) fn uses_remote_branches(reader: &Reader, remote: &str) -> Result<bool, Failure> {
    Ok(listed(reader, remote)?.0.starts_with("refs/remotes/"))
}

/// All branches of the remote, as last fetched. In a bare repository, or without
/// remote-tracking branches, the local branches. The text is their ref prefix.
pub(crate) fn listed(reader: &Reader, remote: &str) -> Result<(String, Vec<Branch>), Failure> {
    let references = reader.references()?;
    for prefix in [format!("refs/remotes/{remote}/"), "refs/heads/".to_string()] {
        let under = |(name, tip): &(String, Oid)| {
            let name = name.strip_prefix(&prefix)?.to_string();
            (name != "HEAD").then_some(Branch { name, tip: *tip })
        };
        let all: Vec<Branch> = references.iter().filter_map(under).collect();
        let foreign = reader.is_bare() && prefix.starts_with("refs/remotes/");
        if !all.is_empty() && !foreign {
            return Ok((prefix, all));
        }
    }
    Err(Failure::new(Exit::BadInput, "cannot find a branch: there is none"))
}

fn upstream(
    reader: &Reader,
    place: &RepositoryArgs,
    prefix: &str,
    every: &[Branch],
) -> Result<Branch, Failure> {
    let named = |name: &str| every.iter().find(|branch| branch.name == name).cloned();
    if let Some(name) = &place.upstream {
        let missing = || Failure::new(Exit::BadInput, format!("cannot find branch `{name}`"));
        return named(name).ok_or_else(missing);
    }
    let head = reader.symbolic(&if prefix == "refs/heads/" {
        "HEAD".to_string()
    } else {
        format!("{prefix}HEAD")
    })?;
    let head = head.and_then(|full| full.strip_prefix(prefix).map(ToString::to_string));
    let default = head.as_deref().and_then(named).filter(|branch| version(&branch.name).is_none());
    default
        .or_else(|| ["dev", "main", "master", "trunk", "develop"].iter().find_map(|n| named(n)))
        .ok_or_else(|| {
            let message = "cannot find the upstream branch\nhint: name it with --upstream";
            Failure::new(Exit::BadInput, message)
        })
}

/// The patterns of `--line`. Each of them must match a branch.
fn patterns(place: &RepositoryArgs, every: &[Branch]) -> Result<Vec<Glob>, Failure> {
    let read = |pattern: &String| {
        let glob = Glob::new(pattern)
            .ok_or_else(|| Failure::new(Exit::Usage, format!("invalid pattern `{pattern}`")))?;
        if every.iter().any(|branch| glob.matches(&branch.name)) {
            return Ok(glob);
        }
        Err(Failure::new(Exit::BadInput, format!("cannot find a branch: none matches `{pattern}`")))
    };
    place.lines.iter().map(read).collect()
}

/// The numbers in a branch name that is a version, such as `release/1.2`,
/// `v250-stable`, `1.x` or `release-1.1`.
fn version(name: &str) -> Option<Vec<u32>> {
    let words = ["release", "stable", "maintenance", "maint", "patch", "branch", "line", "support"];
    let lower = name.to_ascii_lowercase();
    let mut text = lower.as_str();
    let punctuation = |c: char| matches!(c, '/' | '-' | '_' | '.');
    for word in words {
        let bare = text.strip_prefix(word).filter(|rest| rest.starts_with(punctuation));
        text = bare.unwrap_or(text).trim_start_matches(punctuation);
        let bare = text.strip_suffix(word).filter(|rest| rest.ends_with(punctuation));
        text = bare.unwrap_or(text).trim_end_matches(punctuation);
    }
    let text = text.strip_prefix('v').unwrap_or(text);
    let text = text.strip_suffix(".x").unwrap_or(text);
    let parts: Option<Vec<u32>> = text.split(['.', '_']).map(|part| part.parse().ok()).collect();
    parts.filter(|parts| !parts.is_empty())
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn reads_the_version_of_a_branch_name() {
        for (name, numbers) in [
            ("release/1.2", Some(vec![1, 2])),
            ("release-1.10", Some(vec![1, 10])),
            ("v250-stable", Some(vec![250])),
            ("stable/2.x", Some(vec![2])),
            ("3.11", Some(vec![3, 11])),
            ("patch/3.8", Some(vec![3, 8])),
            ("v0.2.x", Some(vec![0, 2])),
            ("main", None),
            ("release", None),
            ("dependabot/3.15/x-4.37.7", None),
            ("mikebrow-patch-1", None),
        ] {
            assert_eq!(version(name), numbers, "{name}");
        }
    }
}
