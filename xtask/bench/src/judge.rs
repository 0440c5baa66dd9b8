//! Compares verdicts with labels that people gave: for each repository, whether a landing was
//! called a feature as the label says.
//!
//! A file of labels is `OWNER+NAME.tsv`, with a commit and a label in each line. The repository
//! is `OWNER+NAME.git` in the directory of repositories. It is cloned with shared objects, so
//! nothing in it changes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What was counted in one repository, or in all.
#[derive(Default, Clone, Copy)]
struct Counts {
    /// Landings with a label that could be told.
    all: u32,
    /// Answered, and right.
    right: u32,
    /// Called a feature, and labelled otherwise.
    called: u32,
    /// Labelled `feature`, and called something else.
    missed: u32,
    /// Labelled `minor-feature`, and called something else.
    missed_minor: u32,
    /// All landings labelled `minor-feature`.
    minor: u32,
    /// Asked, and labelled a feature or a minor feature.
    asked_feature: u32,
    /// Asked, and labelled otherwise.
    asked_other: u32,
}

impl Counts {
    fn add(&mut self, label: &str, class: &str) {
        let feature = |name: &str| ["feature", "minor-feature"].contains(&name);
        self.all += 1;
        self.minor += u32::from(label == "minor-feature");
        match (class, feature(label), feature(class)) {
            ("unclassified", true, _) => self.asked_feature += 1,
            ("unclassified", false, _) => self.asked_other += 1,
            (_, is, said) if is == said => self.right += 1,
            (_, false, _) => self.called += 1,
            (_, true, _) if label == "feature" => self.missed += 1,
            _ => self.missed_minor += 1,
        }
    }

    fn merge(&mut self, other: Self) {
        self.all += other.all;
        self.right += other.right;
        self.called += other.called;
        self.missed += other.missed;
        self.missed_minor += other.missed_minor;
        self.minor += other.minor;
        self.asked_feature += other.asked_feature;
        self.asked_other += other.asked_other;
    }

    fn row(&self, name: &str) -> String {
        let Self { all, right, called, missed, missed_minor, minor, .. } = self;
        let asked = self.asked_feature + self.asked_other;
        let agree = right + self.asked_feature;
        format!(
            "| {name} | {all} | {} | {} | {called} | {missed} | {missed_minor} of {minor} | {} |",
            share(agree, *all),
            share(*right, all - asked),
            share(asked, *all)
        )
    }
}

/// `163 (82.7 %, at least 76.9 %)`: the lower end is that of the 95 % interval of Wilson.
fn share(part: u32, of: u32) -> String {
    if of == 0 {
        return "none".to_string();
    }
    let (n, p, z) = (f64::from(of), f64::from(part) / f64::from(of), 1.96_f64);
    let middle = p + z * z / (2.0 * n);
    let spread = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let low = ((middle - spread) / (1.0 + z * z / n)).max(0.0);
    format!("{part} ({:.1} %, at least {:.1} %)", p * 100.0, low * 100.0)
}

/// Judges all labelled repositories. Returns a table.
pub(crate) fn run(labels: &str, repositories: &str) -> Result<String, String> {
    let failure = |why: &dyn std::fmt::Display| format!("cannot read {labels}: {why}");
    let mut rows = vec![
        "| repository | landings | agreement, asked as feature | of the answered | false features \
         | missed features | missed minor features | asked |"
            .to_string(),
        "|---|---|---|---|---|---|---|---|".to_string(),
    ];
    let (mut sum, mut files) = (Counts::default(), Vec::new());
    for entry in fs::read_dir(labels).map_err(|why| failure(&why))? {
        let path = entry.map_err(|why| failure(&why))?.path();
        if path.extension().is_some_and(|ext| ext == "tsv") {
            files.push(path);
        }
    }
    files.sort();
    for path in files {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).map_err(|why| failure(&why))?;
        let labels: BTreeMap<&str, &str> = text
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .filter(|(_, label)| *label != "unclear")
            .collect();
        let classes = classes(&Path::new(repositories).join(format!("{name}.git")), &labels)?;
        let mut counts = Counts::default();
        for (commit, label) in labels {
            if let Some(class) = classes.get(commit) {
                counts.add(label, class);
            }
        }
        rows.push(counts.row(&name.replace('+', "/")));
        sum.merge(counts);
    }
    rows.push(sum.row("all"));
    Ok(rows.join("\n"))
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut git = Command::new("git");
    let output = git.arg("-C").arg(folder).args(arguments).output();
    let output = output.map_err(|why| format!("cannot run git: {why}"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("git {}: {text}", arguments.join(" ")));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
}

/// The class of each landing of the first branch, by a replay of the policy `portal`.
fn classes(
    repository: &Path,
    labels: &BTreeMap<&str, &str>,
) -> Result<BTreeMap<String, String>, String> {
    let folder = tempfile::tempdir().map_err(|why| why.to_string())?;
    let copy = folder.path().join("copy.git");
    let (from, to) = (repository.display().to_string(), copy.display().to_string());
    git(folder.path(), &["clone", "-q", "--bare", "--shared", &from, &to])?;
    let branches = git(&copy, &["for-each-ref", "--format=%(refname)", "refs/heads"])?;
    // The first branch is the one whose first-parent chain has the labelled landings.
    let mut first = (0, String::new());
    for branch in branches.lines() {
        let chain = git(&copy, &["rev-list", "--first-parent", branch])?;
        let found = chain.lines().filter(|id| labels.contains_key(id)).count();
        if found > first.0 {
            first = (found, git(&copy, &["rev-parse", branch])?);
        }
    }
    let roots = git(&copy, &["rev-list", "--first-parent", "--max-parents=0", &first.1])?;
    let root = roots.lines().last().unwrap_or_default().to_string();
    for (branch, tip) in [("dev", &first.1), ("stg", &root), ("main", &root)] {
        git(&copy, &["update-ref", &format!("refs/heads/{branch}"), tip])?;
    }
    let refgate = std::env::current_exe().map_err(|why| why.to_string())?.with_file_name("refgate");
    let mut replay = Command::new(refgate);
    replay.args(["replay", &to, "--policy", "portal", "--stage", "dev", "--json"]);
    let output = replay.output().map_err(|why| format!("cannot run refgate: {why}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let field = |line: &str, key: &str| {
        let (_, rest) = line.split_once(&format!("\"{key}\":\""))?;
        rest.split_once('"').map(|(value, _)| value.to_string())
    };
    Ok(text
        .lines()
        .filter_map(|line| Some((field(line, "commit")?, field(line, "class")?)))
        .collect())
}
