//! `refgate replay`: applies a policy to the history of a repository.

use std::collections::BTreeMap;

use indicatif::{ProgressBar, ProgressStyle};
use refgate_core::{FreezeState, Instant, Interval, LedgerView, Policy, RuleId, RuleMode, Verdict};
use refgate_format::{Limits, parse_instant};
use refgate_gate::{Exit, Replay, ReplayError, Row, assume_exits, bounds, replay};
use refgate_git::{Bounds, Reader, releases};
use refgate_report::{render_class_reason, shorten, show};
use serde_json::json;

use crate::args::{EvidenceArg, Replay as ReplayArgs};
use crate::output::{Failure, VerbResult, done, say, say_json, stderr_is_terminal, tell};
use crate::policy_lookup::find;

pub(crate) fn run(args: &ReplayArgs) -> VerbResult {
    // The limits protect pushes to a server. A replay blocks no push.
    let bounds = Bounds {
        max_commits: usize::MAX,
        max_merged_bytes: usize::MAX,
        max_changes: usize::MAX,
        max_seconds: u64::MAX,
        ..bounds(&Limits::default())
    };
    let reader = Reader::open(&args.repository, bounds)?;
    let since = args.since.as_deref().map(moment).transpose()?;
    let mut one = Replay::new(&reader);
    let policy = policy(&args.policy, &reader)?;
    let rows = rows(&mut one, &reader, &policy, args, since)?;
    if let Some(other) = &args.against {
        let other_policy = self::policy(other, &reader)?;
        let others = self::rows(&mut one, &reader, &other_policy, args, since)?;
        return difference(args, (&policy, &rows), (&other_policy, &others));
    }
    if args.json {
        rows.iter().for_each(|row| say_json(&object(&policy, row)));
    } else {
        table(&policy, &rows, args);
    }
    Ok(done(Exit::Accepted))
}

fn moment(text: &str) -> Result<Instant, Failure> {
    parse_instant(text)
        .ok_or_else(|| Failure::new(Exit::Usage, format!("cannot parse time `{text}`")))
}

/// The policy with its recurring windows from 2005, when Git began, to 2045.
fn policy(name: &str, reader: &Reader) -> Result<Policy, Failure> {
    let (start, end) = (moment("2005-01-01")?, moment("2045-01-01")?);
    let time = Interval::new(start, end).unwrap_or(Interval { start, end });
    let mut policy = find(name, Some(reader))?.read(Some(reader), time)?;
    // These rules need the pusher or records, which a history does not contain.
    for rule in [RuleId::Pusher, RuleId::Candidate, RuleId::ReleaseGate, RuleId::Debts] {
        policy.modes.insert(rule, RuleMode::Off);
    }
    Ok(policy)
}

fn rows(
    one: &mut Replay<'_>,
    reader: &Reader,
    policy: &Policy,
    args: &ReplayArgs,
    since: Option<Instant>,
) -> Result<Vec<Row>, Failure> {
    let bar = if stderr_is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("replay {bar:40} {pos}/{len} {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let ledger = match args.evidence {
        EvidenceArg::Assume => assume_exits(policy, &releases(reader, &policy.release)?),
        EvidenceArg::None => LedgerView::default(),
    };
    let mut tick = |at: usize, of: usize| {
        bar.set_length(of as u64);
        bar.set_position(at as u64);
    };
    let rows = replay(one, policy, &ledger, args.stage.as_deref(), since, &mut tick);
    bar.finish_and_clear();
    rows.map_err(|error| match error {
        ReplayError::Git(error) => error.into(),
        other => Failure::new(Exit::BadInput, other.to_string()),
    })
}

fn object(policy: &Policy, row: &Row) -> serde_json::Value {
    let seen = row.decision.landings.first();
    let rules: Vec<&str> = row.decision.findings.iter().map(|f| f.rule.name()).collect();
    json!({
        "commit": row.commit.to_string(),
        "stage": row.stage,
        "at": row.at.to_rfc3339(),
        "class": seen.map_or_else(String::new, |seen| policy.classes.name(seen.class.class)),
        "because": seen.map_or_else(String::new, |seen| render_class_reason(&policy.classes, &seen.class.reason)),
        "route": seen.map_or("", |seen| seen.route.name()),
        "verdict": row.decision.verdict.name(),
        "rules": rules,
        "freeze": row.freeze.name(),
        "subject": row.subject,
        "contradicted": seen.is_some_and(|seen| seen.class.contradiction.is_some()),
    })
}

/// The counts for one class of one stage.
#[derive(Default)]
struct Count {
    all: usize,
    rejected: usize,
    frozen: usize,
    frozen_rejected: usize,
}

fn table(policy: &Policy, rows: &[Row], args: &ReplayArgs) {
    let mut stages: Vec<&str> = Vec::new();
    for row in rows {
        if stages.last() != Some(&row.stage.as_str()) {
            stages.push(&row.stage);
        }
    }
    for stage in stages {
        let own: Vec<&Row> = rows.iter().filter(|row| row.stage == stage).collect();
        let rejected = own.iter().filter(|row| row.decision.verdict != Verdict::Accept).count();
        say(&format!(
            "{stage}: {rejected} of {} landing{} rejected",
            own.len(),
            if own.len() == 1 { "" } else { "s" }
        ));
        let mut classes: BTreeMap<(u8, String), Count> = BTreeMap::new();
        for row in &own {
            let Some(seen) = row.decision.landings.first() else { continue };
            let key =
                (policy.classes.rank(seen.class.class), policy.classes.name(seen.class.class));
            let count = classes.entry(key).or_default();
            let no = usize::from(row.decision.verdict != Verdict::Accept);
            let closed = usize::from(row.freeze.closed());
            count.all += 1;
            count.rejected += no;
            count.frozen += closed;
            count.frozen_rejected += closed * no;
        }
        say("  class            landings  rejected  in freeze  rejected in freeze");
        for ((_, name), count) in classes {
            say(&format!(
                "  {name:<16} {:>8} {:>9} {:>10} {:>19}",
                count.all, count.rejected, count.frozen, count.frozen_rejected
            ));
        }
        for row in own.iter().filter(|row| args.all || row.decision.verdict != Verdict::Accept) {
            line(policy, row);
        }
        say("");
    }
    if args.evidence == EvidenceArg::Assume && policy.windows.iter().any(is_derived) {
        tell(
            "note: without a ledger there is no evidence for the end of a freeze. Each freeze\n\
             is assumed to end after its minimum duration; see --evidence.",
        );
    }
}

const fn is_derived(window: &refgate_core::Window) -> bool {
    matches!(window.span, refgate_core::WindowSpan::AfterMajorRelease { .. })
}

fn line(policy: &Policy, row: &Row) {
    let Some(seen) = row.decision.landings.first() else { return };
    let rules: Vec<&str> = row.decision.findings.iter().map(|f| f.rule.name()).collect();
    let freeze = if row.freeze == FreezeState::Open { "" } else { row.freeze.name() };
    say(&format!(
        "  {} {} {:<8} {:<9} {:<13} {}",
        row.commit.short(),
        row.at.format("%Y-%m-%d"),
        row.decision.verdict.name(),
        freeze,
        policy.classes.name(seen.class.class),
        shorten(&row.subject, 60)
    ));
    let rules = if rules.is_empty() { String::new() } else { format!("{}: ", rules.join(", ")) };
    say(&format!(
        "             {rules}{}",
        render_class_reason(&policy.classes, &seen.class.reason)
    ));
}

fn difference(
    args: &ReplayArgs,
    (policy, rows): (&Policy, &[Row]),
    (other, others): (&Policy, &[Row]),
) -> VerbResult {
    let key = |row: &Row| (row.stage.clone(), row.commit);
    let known: BTreeMap<_, _> = others.iter().map(|row| (key(row), row)).collect();
    let changed: Vec<(&Row, &Row)> = rows
        .iter()
        .filter_map(|row| Some((row, *known.get(&key(row))?)))
        .filter(|(a, b)| a.decision.verdict != b.decision.verdict)
        .collect();
    if args.json {
        for (a, b) in &changed {
            let both = json!({ "with": object(policy, a), "against": object(other, b) });
            say(&both.to_string());
        }
        return Ok(done(Exit::Accepted));
    }
    let stricter = changed.iter().filter(|(a, _)| a.decision.verdict != Verdict::Accept).count();
    say(&format!(
        "different verdicts: {} ({stricter} rejected only by {}, {} rejected only by {})",
        changed.len(),
        policy.name,
        changed.len() - stricter,
        other.name
    ));
    for (a, b) in changed {
        say(&format!(
            "  {} on {} at {}: {} -> {}",
            a.commit.short(),
            a.stage,
            show(a.at),
            a.decision.verdict.name(),
            b.decision.verdict.name()
        ));
        line(policy, a);
    }
    Ok(done(Exit::Accepted))
}
