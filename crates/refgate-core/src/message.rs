//! What does a commit message say? Subject, trailers, merge and squash conventions.

use alloc::string::String;
use alloc::vec::Vec;

/// A commit message, as text; bytes that are no UTF-8 have been replaced.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message(String);

impl Message {
    /// The message. Carriage returns count as line ends, so that no tool sees
    /// one line where another sees two (docs/design/threats.md, "Parser differences").
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.replace("\r\n", "\n").replace('\r', "\n"))
    }

    /// The first non-blank line without surrounding blanks.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.0.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("")
    }

    /// The values of all trailers with this key (any case), in order. Trailers
    /// are a last paragraph of nothing but trailers, as Git reads them, and
    /// never the subject's own paragraph. What GitHub's squash adds below a line
    /// of dashes is passed over.
    #[must_use]
    pub fn trailers(&self, key: &str) -> Vec<String> {
        // Most messages have one line, or never name the key.
        let mut named = self.0.as_bytes().windows(key.len().max(1));
        if !named.any(|part| part.eq_ignore_ascii_case(key.as_bytes())) {
            return Vec::new();
        }
        let mut paragraphs: Vec<Vec<&str>> = Vec::from([Vec::new()]);
        for line in self.0.lines() {
            match (line.trim().is_empty(), paragraphs.last_mut()) {
                (false, Some(last)) => last.push(line),
                _ => paragraphs.push(Vec::new()),
            }
        }
        paragraphs.retain(|lines| !lines.is_empty());
        let co_author = |line: &&str| line.to_ascii_lowercase().starts_with("co-authored-by:");
        let dashes = |line: &&str| line.len() > 2 && line.chars().all(|c| c == '-');
        if let [.., rule, last] = paragraphs.as_slice()
            && rule.iter().all(dashes)
            && last.iter().all(co_author)
        {
            paragraphs.truncate(paragraphs.len() - 2);
        }
        let [_, .., last] = paragraphs.as_slice() else { return Vec::new() };
        block(last)
            .into_iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(key))
            .map(|(_, v)| v)
            .collect()
    }

    /// The value of the only trailer with this key; two that differ say
    /// nothing that could be relied on, and come back as both.
    #[must_use]
    pub fn trailer(&self, key: &str) -> Option<String> {
        let mut all = self.trailers(key);
        all.dedup();
        (!all.is_empty()).then(|| all.join(", "))
    }

    /// The branch that a merge commit says it merged, as GitHub, GitLab,
    /// Gitea, Bitbucket and plain Git write it.
    #[must_use]
    pub fn merged_branch(&self) -> Option<&str> {
        let subject = self.subject();
        if let Some(rest) = subject.strip_prefix("Merge pull request ") {
            return pull_request_branch(rest);
        }
        if let Some(rest) = subject.strip_prefix("Merged in ") {
            return rest.split(' ').next();
        }
        let rest = ["Merge remote-tracking branch ", "Merge branch ", "merge branch "]
            .iter()
            .find_map(|prefix| subject.strip_prefix(prefix))?;
        let name = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split('\'').next()?,
            None => rest.split(' ').next()?,
        };
        Some(name.strip_prefix("origin/").unwrap_or(name))
    }

    /// Whether the subject is one that a tool writes for a merge. It says
    /// nothing by itself; what was merged does.
    #[must_use]
    pub fn is_merge_subject(&self) -> bool {
        let subject = self.subject();
        let starts = |prefix: &str| {
            subject.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix))
        };
        ["merge ", "merged pr ", "merged in ", "auto merge of ", "rollup merge of ", "merges "]
            .iter()
            .any(|prefix| starts(prefix))
    }

    /// The title that a forge's merge commit carries in its body (GitHub and
    /// Gitea put the pull request's title there).
    #[must_use]
    pub fn merged_title(&self) -> Option<&str> {
        if !self.is_merge_subject() {
            return None;
        }
        let (_, body) = self.0.trim().split_once('\n')?;
        body.lines().map(str::trim).find(|line| !line.is_empty())
    }

    /// The Conventional-Commits type of the subject, with its scope and
    /// breaking mark cut off: `feat(api)!: x` is `feat`.
    #[must_use]
    pub fn conventional_type(&self) -> Option<&str> {
        conventional_type(self.subject())
    }

    /// The commits that this one says it reverts ("This reverts commit X").
    #[must_use]
    pub fn is_revert(&self) -> bool {
        self.subject().starts_with("Revert \"") || self.0.contains("This reverts commit ")
    }

    /// All of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What `git cherry-pick -x` writes among trailers.
const PICKED: &str = "(cherry picked from commit ";

/// The trailers of a paragraph, if it holds nothing else. A line that begins
/// with a blank continues the one before.
fn block(lines: &[&str]) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for line in lines {
        if line.starts_with([' ', '\t']) {
            let Some((_, value)) = all.last_mut() else { return Vec::new() };
            value.push(' ');
            value.push_str(line.trim());
            continue;
        }
        let picked = line.get(..PICKED.len());
        if picked.is_some_and(|begins| begins.eq_ignore_ascii_case(PICKED)) {
            continue;
        }
        let named = line.split_once(':').filter(|(name, _)| {
            let word = |c: char| c.is_ascii_alphanumeric() || c == '-';
            !name.trim_end().is_empty() && name.trim_end().chars().all(word)
        });
        let Some((name, value)) = named else { return Vec::new() };
        all.push((String::from(name.trim_end()), String::from(value.trim())));
    }
    all
}

/// The type of one subject line.
pub(crate) fn conventional_type(subject: &str) -> Option<&str> {
    let (head, rest) = subject.split_once(':')?;
    let head = head.strip_suffix('!').unwrap_or(head);
    let kind = head.split_once('(').map_or(
        head,
        |(kind, scope)| {
            if scope.ends_with(')') { kind } else { "" }
        },
    );
    let word = !kind.is_empty() && kind.chars().all(|c| c.is_ascii_alphabetic() || c == '-');
    (word && rest.starts_with([' ', '\t'])).then_some(kind)
}

/// `#12 from owner/branch` (GitHub), `'title' (#12) from branch into dev` (Gitea),
/// `#12 in X from branch to dev` (Bitbucket server).
fn pull_request_branch(rest: &str) -> Option<&str> {
    let (before, after) = rest.rsplit_once(" from ")?;
    let branch = after.split(' ').next()?;
    let github = before.starts_with('#') && !before.contains(' ');
    match branch.split_once('/') {
        // GitHub writes the owner before the branch; the others do not.
        Some((_, name)) if github => Some(name),
        _ => Some(branch),
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_branches_of_every_forge() {
        for (subject, branch) in [
            ("Merge pull request #739 from umccr/fix-codebuild", Some("fix-codebuild")),
            ("Merge pull request #7 from umccr/feature/377-iam", Some("feature/377-iam")),
            ("Merge pull request 'Add x' (#12) from feature/x into dev", Some("feature/x")),
            ("Merge pull request #12 in ABC/repo from feature/x to dev", Some("feature/x")),
            ("Merged in feature/x (pull request #3)", Some("feature/x")),
            ("Merge branch 'feature/x' into 'main'", Some("feature/x")),
            ("Merge branch 'fix/y'", Some("fix/y")),
            ("Merge remote-tracking branch 'origin/fix/y' into dev", Some("fix/y")),
            ("Merge made by hand", None),
        ] {
            assert_eq!(Message::new(subject).merged_branch(), branch, "{subject}");
        }
        let github = Message::new("Merge pull request #1 from a/b\n\nFix: the title\n");
        assert_eq!(github.merged_title(), Some("Fix: the title"));
    }

    #[test]
    fn conventional_types() {
        for (subject, kind) in [
            ("feat: x", Some("feat")),
            ("  feat(api)!: x", Some("feat")),
            ("Fix: x", Some("Fix")),
            ("feat:x", None),
            ("Merge: a thing", Some("Merge")),
            ("two words: x", None),
            ("x", None),
        ] {
            assert_eq!(Message::new(subject).conventional_type(), kind, "{subject}");
        }
    }

    #[test]
    fn trailers_come_from_the_last_paragraph() {
        let text =
            "fix: a\n\nChange-Class: feature\n\nwhy\n\nchange-class: docs\nSigned-off-by: x\n";
        for (text, class) in [
            (text, Some("docs")),
            ("Change-Class: docs", None),
            ("a\r\rChange-Class: docs\r", Some("docs")),
            ("a\n\nChange-Class: feature\nChange-Class: docs\n", Some("feature, docs")),
            ("a\n\nsome prose\nChange-Class: docs\n", None),
            ("a\n\nChange-Class: docs\n feature\n", Some("docs feature")),
            ("a\n\nChange-Class: docs\n \t\nSigned-off-by: x\n", None),
            ("a\n\nChange-Class: docs\n\n---------\n\nCo-authored-by: x\n", Some("docs")),
            ("a\n\nChange-Class: docs\n(cherry picked from commit 12)\n", Some("docs")),
        ] {
            let found = Message::new(text).trailer("Change-Class");
            assert_eq!(found.as_deref(), class, "{text}");
        }
    }
}
