//! Reads commit messages: subject, trailers, and the conventions of merges and squashes.

use alloc::string::String;
use alloc::vec::Vec;

/// A commit message, as text. Invalid UTF-8 is replaced.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message(String);

impl Message {
    /// The message. Carriage returns count as line ends, so that no tool sees one line where
    /// another sees two (docs/design/threats.md, "Parser differences").
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.replace("\r\n", "\n").replace('\r', "\n"))
    }

    /// The first line that is not blank, trimmed.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.0.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("")
    }

    /// The values of all trailers with this key, in order and without regard to case. Trailers
    /// are the last paragraph, if it contains only trailers, as in Git. The paragraph of the
    /// subject does not count. `Co-authored-by` lines that GitHub adds below a line of dashes
    /// are skipped.
    #[must_use]
    pub fn trailers(&self, key: &str) -> Vec<String> {
        // Most messages have one line, or do not contain the key.
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

    /// The value of the only trailer with this key. If two trailers differ, the result is both
    /// values, joined, which names no class.
    #[must_use]
    pub fn trailer(&self, key: &str) -> Option<String> {
        let mut all = self.trailers(key);
        all.dedup();
        (!all.is_empty()).then(|| all.join(", "))
    }

    /// The branch that the subject of a merge names, in the forms of GitHub, GitLab, Gitea,
    /// Bitbucket and Git.
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

    /// Whether a tool wrote the subject for a merge. Such a subject declares nothing itself.
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

    /// The title in the body of a merge commit. GitHub and Gitea write the title of the pull
    /// request there.
    #[must_use]
    pub fn merged_title(&self) -> Option<&str> {
        if !self.is_merge_subject() {
            return None;
        }
        let (_, body) = self.0.trim().split_once('\n')?;
        body.lines().map(str::trim).find(|line| !line.is_empty())
    }

    /// The Conventional-Commits type of the subject, without scope and breaking mark: `feat` in
    /// `feat(api)!: x`.
    #[must_use]
    pub fn conventional_type(&self) -> Option<&str> {
        conventional_type(self.subject())
    }

    /// Whether the message says that the commit is a revert.
    #[must_use]
    pub fn is_revert(&self) -> bool {
        self.subject().starts_with("Revert \"") || self.0.contains("This reverts commit ")
    }

    /// The whole message.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The line that `git cherry-pick -x` writes among trailers.
const PICKED: &str = "(cherry picked from commit ";

/// The trailers of a paragraph; none if it contains other lines. A line that begins with a
/// blank continues the previous line.
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

/// The Conventional-Commits type of one subject line.
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

/// The branch in the rest of a pull request's merge subject: `#12 from owner/branch` (GitHub),
/// `'title' (#12) from branch into dev` (Gitea), `#12 in X from branch to dev` (Bitbucket).
fn pull_request_branch(rest: &str) -> Option<&str> {
    let (before, after) = rest.rsplit_once(" from ")?;
    let branch = after.split(' ').next()?;
    let github = before.starts_with('#') && !before.contains(' ');
    match branch.split_once('/') {
        // Only GitHub writes the owner before the branch.
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
    fn reads_the_merged_branch_of_every_forge() {
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
    fn reads_conventional_types() {
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
    fn reads_trailers_of_the_last_paragraph() {
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
