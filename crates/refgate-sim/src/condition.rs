//! Conditions of a lesson on the server and its records. Never checks the commands of the learner.

use refgate_core::{Duration, Instant, Oid, Policy, Record, RefName};
use refgate_format::parse_duration;
use refgate_git::{GitError, Graph, Reader, debts, stage_tips};
use refgate_report::length;

/// A condition on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    /// `dev and stg have "TITLE"`, `main lacks "TITLE"`
    Has { branch: Vec<String>, title: String, has: bool },
    /// `feature/x exists`, `feature/x is gone`
    Exists { name: String, there: bool },
    /// `dev contains main`
    Contains { branch: String, other: String },
    /// `stg equals dev`: their tips have the same tree
    Equals { branch: String, other: String },
    /// `tag v2.0.0 is on main`
    Tagged { tag: String, on: String },
    /// `no debt is open`
    NoOpenDebt,
    /// `no debt is overdue`
    NoOverdueDebt,
    /// `a waiver is on record`, `2 sign-offs are on record`
    Recorded { kind: String, count: usize },
    /// `3 days have passed`, or `3 to 6 days have passed`: the seed of the world
    /// selects the number
    Passed(Duration, Duration),
}

/// The facts that decide conditions.
pub(crate) struct Facts<'w> {
    pub(crate) reader: &'w Reader,
    pub(crate) policy: &'w Policy,
    pub(crate) records: &'w [Record],
    pub(crate) began: Instant,
    pub(crate) now: Instant,
    /// Selects the number of days where a condition has a range.
    pub(crate) seed: u64,
}

const KNOWN: &str = "`dev has \"TITLE\"`, `dev and stg have \"TITLE\"`, `main lacks \"TITLE\"`, \
                     `NAME exists`, `NAME is gone`, `dev contains main`, `stg equals dev`, `tag T \
                     is on main`, `no debt is open`, `no debt is overdue`, `a waiver is on \
                     record`, `3 days have passed`, `3 to 6 days have passed`";

impl Condition {
    /// Parses a condition.
    ///
    /// # Errors
    /// A message for the author of the lesson, if the text is not a condition.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (plain, title) = match text.split_once('"') {
            Some((head, rest)) => (head.trim(), rest.strip_suffix('"')),
            None => (text.trim(), None),
        };
        let words: Vec<&str> = plain.split_whitespace().collect();
        let own = |word: &&str| (*word).to_string();
        match (words.as_slice(), title) {
            ([names @ .., verb], Some(title))
                if ["has", "have", "lacks", "lack"].contains(verb) =>
            {
                let branch: Vec<String> =
                    names.iter().filter(|name| **name != "and").map(own).collect();
                let has = verb.starts_with("ha");
                Ok(Self::Has { branch, title: title.to_string(), has })
            }
            ([name, "exists"], None) => Ok(Self::Exists { name: own(name), there: true }),
            ([name, "is", "gone"], None) => Ok(Self::Exists { name: own(name), there: false }),
            ([branch, "contains", other], None) => {
                Ok(Self::Contains { branch: own(branch), other: own(other) })
            }
            ([branch, "equals", other], None) => {
                Ok(Self::Equals { branch: own(branch), other: own(other) })
            }
            (["tag", tag, "is", "on", on], None) => Ok(Self::Tagged { tag: own(tag), on: own(on) }),
            (["no", "debt", "is", "open"], None) => Ok(Self::NoOpenDebt),
            (["no", "debt", "is", "overdue"], None) => Ok(Self::NoOverdueDebt),
            (["a" | "an", kind, "is", "on", "record"], None) => {
                Ok(Self::Recorded { kind: own(kind), count: 1 })
            }
            ([count, kind, "are", "on", "record"], None) => {
                let count = count.parse().map_err(|_| format!("`{count}` is not a number"))?;
                let kind = kind.strip_suffix('s').unwrap_or(kind).to_string();
                Ok(Self::Recorded { kind, count })
            }
            ([number, unit, "have" | "has", "passed"], None) => {
                let length = span(number, unit)?;
                Ok(Self::Passed(length, length))
            }
            ([from, "to", number, unit, "have", "passed"], None) => {
                Ok(Self::Passed(span(from, unit)?, span(number, unit)?))
            }
            _ => Err(format!("this is not a condition; the conditions are: {KNOWN}")),
        }
    }

    /// Lists what is missing, in words. The list is empty if the condition holds.
    ///
    /// # Errors
    /// If the repository of the server cannot be read.
    pub(crate) fn missing(&self, facts: &Facts<'_>) -> Result<Vec<String>, GitError> {
        let graph = Graph::new(facts.reader);
        let none = |name: &str| vec![format!("the branch {name} does not exist")];
        let one = |holds: bool, what: String| if holds { Vec::new() } else { vec![what] };
        Ok(match self {
            Self::Has { branch, title, has } => {
                let mut all = Vec::new();
                for name in branch {
                    let found = match facts.tip(name)? {
                        Some(tip) => facts.contains_title(&graph, tip, title)?,
                        None => false,
                    };
                    let verb = if *has { "lacks" } else { "still has" };
                    all.extend(one(found == *has, format!("{name} {verb} \"{title}\"")));
                }
                all
            }
            Self::Exists { name, there } => {
                let is = facts.tip(name)?.is_some();
                let what = if *there { "is not on the server" } else { "still exists" };
                one(is == *there, format!("{name} {what}"))
            }
            Self::Contains { branch, other } => match (facts.tip(branch)?, facts.tip(other)?) {
                (Some(tip), Some(of)) => {
                    let holds = graph.is_ancestor(of, tip)?;
                    one(holds, format!("{branch} does not contain all commits of {other}"))
                }
                (None, _) => none(branch),
                (_, None) => none(other),
            },
            Self::Equals { branch, other } => match (facts.tip(branch)?, facts.tip(other)?) {
                (Some(tip), Some(of)) => {
                    let (one_tree, of) =
                        (facts.reader.commit(tip)?.tree, facts.reader.commit(of)?.tree);
                    one(one_tree == of, format!("the content of {branch} differs from {other}"))
                }
                (None, _) => none(branch),
                (_, None) => none(other),
            },
            Self::Tagged { tag, on } => {
                let of = facts.reader.resolve(&format!("refs/tags/{tag}")).ok();
                match (of, facts.tip(on)?) {
                    (Some(of), Some(tip)) => {
                        one(graph.is_ancestor(of, tip)?, format!("the tag {tag} is not on {on}"))
                    }
                    _ => vec![format!("there is no tag {tag} on {on}")],
                }
            }
            Self::NoOpenDebt => facts.list_debts(&graph, false)?,
            Self::Recorded { kind, count } => {
                let found = facts.records.iter().filter(|r| r.body.kind() == kind).count();
                let what = format!("{kind} records: {found} of {count}");
                one(found >= *count, what)
            }
            Self::NoOverdueDebt => facts.list_debts(&graph, true)?,
            Self::Passed(from, to) => {
                let days = to.num_days().saturating_sub(from.num_days()).unsigned_abs();
                let more = facts.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
                let more = more.checked_rem(days + 1).unwrap_or(0);
                let lasts = *from + Duration::days(i64::try_from(more).unwrap_or(0));
                let passed = facts.now.signed_duration_since(facts.began);
                let what =
                    format!("{} must pass since the start (`refgate-sim tick`)", length(lasts));
                one(passed >= lasts, what)
            }
        })
    }
}

impl Facts<'_> {
    fn tip(&self, name: &str) -> Result<Option<Oid>, GitError> {
        let Ok(name) = RefName::branch(name) else { return Ok(None) };
        Ok(self.reader.reference(&name)?.map(|(tip, _)| tip))
    }

    fn contains_title(&self, graph: &Graph<'_>, tip: Oid, title: &str) -> Result<bool, GitError> {
        for id in graph.ancestors(tip)? {
            if self.reader.commit(id)?.message.subject() == title {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn list_debts(&self, graph: &Graph<'_>, overdue: bool) -> Result<Vec<String>, GitError> {
        let flow = &self.policy.flow;
        let tips = stage_tips(self.reader, flow)?;
        let name = |place: usize| {
            flow.stages.get(place).map(|stage| stage.branch.short()).unwrap_or_default()
        };
        let debts = debts(self.reader, graph, flow, &tips, None, self.now)?;
        let late = |debt: &refgate_core::Debt| {
            // A debt without a time could be overdue.
            debt.is_overdue(self.policy.debts.due, self.now).unwrap_or(true)
        };
        let told = |debt: refgate_core::Debt| {
            let late = late(&debt);
            let when = if late { " (overdue)" } else { "" };
            format!(
                "{} lacks \"{}\", which {} has{when}",
                name(debt.to),
                debt.subject,
                name(debt.from)
            )
        };
        let selected = debts.into_iter().filter(|debt| !overdue || late(debt));
        Ok(selected.map(told).collect())
    }
}

fn span(number: &str, unit: &str) -> Result<Duration, String> {
    let text = format!("{number} {unit}");
    parse_duration(&text).ok_or_else(|| format!("`{text}` is not a length of time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_conditions_and_rejects_other_text() {
        let has = Condition::parse("dev and stg have \"fix: two\"").unwrap();
        let branch = ["dev".to_string(), "stg".to_string()].into();
        assert_eq!(has, Condition::Has { branch, title: "fix: two".to_string(), has: true });
        assert!(matches!(
            Condition::parse("main lacks \"x\""),
            Ok(Condition::Has { has: false, .. })
        ));
        assert!(matches!(Condition::parse("3 days have passed"), Ok(Condition::Passed(..))));
        let two = Condition::parse("2 sign-offs are on record").unwrap();
        assert_eq!(two, Condition::Recorded { kind: "sign-off".to_string(), count: 2 });
        assert!(Condition::parse("dev is nice").unwrap_err().contains("this is not a condition"));
    }
}
