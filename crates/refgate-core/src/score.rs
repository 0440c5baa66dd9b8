//! Scores the diff of a change that declares no class: facts of the diff and a few words, each
//! with an integer weight (docs/design/model.md, "Evidence before words").

use alloc::vec::Vec;

use crate::classify::contradiction;
use crate::moved_file::{growth, moves};
use crate::path_kind::PathKind;
use crate::{Change, ChangeMode, ClassId, ClassReason, Classification, Policy};

macro_rules! facts {
    ($($id:ident = $name:literal, $doc:literal;)*) => {
        /// A fact that counts in a score.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum ScoreFact {
            $(#[doc = $doc] $id,)*
        }

        impl ScoreFact {
            /// All of them, in the order of the weights.
            pub const ALL: &'static [Self] = &[$(Self::$id,)*];

            /// The name of its weight in policies.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$id => $name,)* }
            }
        }
    };
}

facts! {
    WordsOfFeature = "words-of-feature", "The words are those of a feature.";
    WordsOfMinorFeature = "words-of-minor-feature", "The words are those of a minor feature.";
    WordsOfFix = "words-of-fix", "The words are those of a fix.";
    WordsOfChore = "words-of-chore", "The words are those of maintenance.";
    WordsOfDocs = "words-of-docs", "The words are those of documentation.";
    AddsSource = "adds-source", "One source file more than before.";
    AddsSources = "adds-sources", "At least two source files more than before.";
    Grows = "grows", "Source files grow by 40 to 399 bytes.";
    GrowsMore = "grows-more", "Source files grow by 400 to 1,499 bytes.";
    GrowsMuch = "grows-much", "Source files grow by 1,500 bytes or more, or by an unknown number.";
    Shrinks = "shrinks", "The source as a whole loses up to 500 bytes.";
    ShrinksMuch = "shrinks-much", "The source as a whole loses more than 500 bytes.";
    NoSource = "no-source", "It changes no source file.";
    SeveralSources = "several-sources", "It changes at least two source files.";
    WithDocuments = "with-documents", "It changes source and documentation together.";
}

/// The number of facts.
pub const FACTS: usize = ScoreFact::ALL.len();

/// The weights of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScoreWeights {
    /// The version of the weights, for reports.
    pub version: u32,
    /// One weight for each fact, in the order of [`ScoreFact::ALL`].
    pub weights: [i32; FACTS],
    /// From this sum on, the change is a feature or a minor feature.
    pub feature_from: i32,
    /// Up to this sum, the change is no feature. Between the two, the class must be asked for.
    pub other_up_to: i32,
}

/// What the score of a change consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    /// The facts that hold, with their weights.
    pub points: Vec<(ScoreFact, i32)>,
    /// The sum of the weights.
    pub sum: i32,
    /// The version of the weights.
    pub version: u32,
    /// The words that counted, and the commit that they are from if it is a side commit.
    pub words: Option<alloc::boxed::Box<ClassReason>>,
    /// The numbers that the facts rest on.
    pub diff: DiffFacts,
}

/// The numbers of a diff that a score uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DiffFacts {
    /// The number of changed source files.
    pub sources: usize,
    /// The number of new source files. A file that moves is not new.
    pub new_sources: usize,
    /// The number of bytes by which source files grow. Files that shrink do not count, so that
    /// a deletion hides nothing. `None` if it is not known.
    pub growth: Option<i64>,
    /// The number of bytes by which the source as a whole grows. `None` if it is not known.
    pub total: Option<i64>,
    /// Whether documentation changes.
    pub documents: bool,
}

impl DiffFacts {
    /// Reads the changes of a landing. Everything that is not known to be something else is
    /// source.
    #[must_use]
    pub fn read(changes: &[Change]) -> Self {
        let sources: Vec<&Change> =
            changes.iter().filter(|change| PathKind::of(change).is_none()).collect();
        let modified = sources.iter().filter(|one| one.mode == ChangeMode::Modified);
        let mut grown: Vec<Option<i64>> = modified.map(|change| growth(change)).collect();
        let mut new_sources = 0;
        for (added, gone) in moves(sources.iter().copied()) {
            match gone.map(growth) {
                Some(before) => grown.push(
                    growth(added).zip(before).and_then(|(own, before)| own.checked_add(before)),
                ),
                None => {
                    new_sources += 1;
                    grown.push(growth(added));
                }
            }
        }
        let sum = |all: Vec<Option<i64>>| {
            all.into_iter().try_fold(0_i64, |sum, one| sum.checked_add(one?))
        };
        Self {
            sources: sources.len(),
            new_sources,
            growth: sum(grown.into_iter().map(|one| one.map(|bytes| bytes.max(0))).collect()),
            total: sum(sources.iter().map(|change| growth(change)).collect()),
            documents: changes
                .iter()
                .any(|change| PathKind::of(change) == Some(PathKind::Documentation)),
        }
    }

    fn facts(self) -> impl Iterator<Item = ScoreFact> {
        let added = match self.new_sources {
            0 => None,
            1 => Some(ScoreFact::AddsSource),
            _ => Some(ScoreFact::AddsSources),
        };
        let growth = match self.growth {
            None | Some(1_500..) => Some(ScoreFact::GrowsMuch),
            Some(..40) => None,
            Some(40..400) => Some(ScoreFact::Grows),
            Some(400..1_500) => Some(ScoreFact::GrowsMore),
        };
        let total = match self.total {
            Some(..-500) => Some(ScoreFact::ShrinksMuch),
            Some(-500..0) => Some(ScoreFact::Shrinks),
            None | Some(0..) => None,
        };
        let sources = match self.sources {
            0 => Some(ScoreFact::NoSource),
            1 => None,
            _ => Some(ScoreFact::SeveralSources),
        };
        let documents = (self.documents && self.sources > 0).then_some(ScoreFact::WithDocuments);
        [added, growth, total, sources, documents].into_iter().flatten()
    }
}

/// The class of a change that declares nothing, by its score. `words` is a guess from words.
pub(crate) fn classify_by_score(
    policy: &Policy,
    words: Option<Classification>,
    changes: &[Change],
) -> Classification {
    let diff = DiffFacts::read(changes);
    let word = words.as_ref().map(|words| fact_of_words(policy, words.class));
    let weights = &policy.score;
    let weight = |fact: ScoreFact| weights.weights.get(fact as usize).copied().unwrap_or(0);
    let points: Vec<(ScoreFact, i32)> =
        word.into_iter().chain(diff.facts()).map(|fact| (fact, weight(fact))).collect();
    let sum = points.iter().fold(0_i32, |sum, (_, weight)| sum.saturating_add(*weight));
    let class = if sum >= weights.feature_from {
        feature_class(policy, words.as_ref(), diff)
    } else if sum <= weights.other_up_to {
        other_class(policy, words.as_ref(), changes)
    } else {
        ClassId::UNCLASSIFIED
    };
    let words = words.map(|words| alloc::boxed::Box::new(words.reason));
    let score = Score { points, sum, version: weights.version, words, diff };
    Classification { class, reason: ClassReason::Scored(score), contradiction: None }
}

/// Whether a class is one of features: at least a minor feature, or the highest class.
fn is_feature(policy: &Policy, class: ClassId) -> bool {
    let classes = &policy.classes;
    let least = classes.find("minor-feature").or_else(|| classes.find("feature"));
    let highest = || classes.ids().map(|id| classes.rank(id)).max().unwrap_or(0);
    classes.rank(class) >= least.map_or_else(highest, |least| classes.rank(least))
}

fn fact_of_words(policy: &Policy, class: ClassId) -> ScoreFact {
    match policy.classes.name(class).as_str() {
        "docs" => ScoreFact::WordsOfDocs,
        "bugfix" | "hotfix" | "security" => ScoreFact::WordsOfFix,
        "minor-feature" => ScoreFact::WordsOfMinorFeature,
        _ if is_feature(policy, class) => ScoreFact::WordsOfFeature,
        _ => ScoreFact::WordsOfChore,
    }
}

/// The class of a feature: what its words state, or what its size suggests.
fn feature_class(policy: &Policy, words: Option<&Classification>, diff: DiffFacts) -> ClassId {
    let stated = words.map(|words| words.class).filter(|class| is_feature(policy, *class));
    let large = diff.new_sources > 0 || diff.growth.is_none_or(|growth| growth >= 1_500);
    let classes = &policy.classes;
    let highest = || classes.ids().max_by_key(|id| classes.rank(*id));
    let by_size = if large { "feature" } else { "minor-feature" };
    stated.or_else(|| classes.find(by_size)).or_else(highest).unwrap_or(ClassId::UNCLASSIFIED)
}

/// The class of a change that is no feature: what its words state, else a fix, else
/// maintenance; the first whose limits allow the diff.
fn other_class(policy: &Policy, words: Option<&Classification>, changes: &[Change]) -> ClassId {
    let classes = &policy.classes;
    let stated = words.map(|words| words.class).filter(|class| !is_feature(policy, *class));
    let usual = ["bugfix", "chore"].into_iter().filter_map(|name| classes.find(name));
    let mut fitting = stated
        .into_iter()
        .chain(usual)
        .filter(|class| contradiction(policy, *class, changes).is_none());
    fitting.next().unwrap_or(ClassId::UNCLASSIFIED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EntryKind;
    use alloc::string::ToString;

    fn change(path: &str, mode: ChangeMode, growth: i64) -> Change {
        let kind = EntryKind::File;
        Change { path: path.to_string(), mode, kind, growth: Some(growth) }
    }

    #[test]
    fn a_file_that_moves_is_not_new() {
        let moved = [
            change("src/a.ts", ChangeMode::Deleted, -900),
            change("src/b.ts", ChangeMode::Added, 905),
            change("src/a.test.ts", ChangeMode::Modified, 4_000),
        ];
        let facts = DiffFacts::read(&moved);
        assert_eq!((facts.sources, facts.new_sources), (2, 1));
        let renamed = [
            change("src/a.js", ChangeMode::Deleted, -900),
            change("lib/A.ts", ChangeMode::Added, 905),
            change("src/x.ts", ChangeMode::Deleted, -70),
            change("src/y.ts", ChangeMode::Added, 70),
        ];
        let facts = DiffFacts::read(&renamed);
        assert_eq!((facts.new_sources, facts.growth, facts.total), (0, Some(5), Some(5)));
    }

    #[test]
    fn a_deletion_hides_no_growth() {
        let hidden = [
            change("src/old.ts", ChangeMode::Modified, -9_000),
            change("src/new.ts", ChangeMode::Modified, 2_000),
        ];
        let facts: Vec<_> = DiffFacts::read(&hidden).facts().collect();
        let wanted = [ScoreFact::GrowsMuch, ScoreFact::ShrinksMuch, ScoreFact::SeveralSources];
        assert_eq!(facts, wanted);
    }

    #[test]
    fn a_link_and_a_missing_size_grow_much() {
        let mut link = change("src/a.ts", ChangeMode::Modified, 0);
        link.kind = EntryKind::Link;
        let mut absent = change("src/a.ts", ChangeMode::Modified, 0);
        absent.growth = None;
        for one in [link, absent] {
            let facts: Vec<_> = DiffFacts::read(&[one]).facts().collect();
            assert_eq!(facts, [ScoreFact::GrowsMuch]);
        }
    }

    #[test]
    fn sums_that_overflow_stay_at_the_limit() {
        let huge =
            [change("a.rs", ChangeMode::Added, i64::MAX), change("b.rs", ChangeMode::Added, 1)];
        assert_eq!(DiffFacts::read(&huge).growth, None);
    }
}
