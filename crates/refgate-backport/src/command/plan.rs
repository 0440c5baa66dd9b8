//! `git backport plan`: forecasts picks. It changes nothing.

use std::collections::BTreeSet;

use refgate_core::Oid;
use refgate_core::matrix::OriginLink;
use refgate_gate::Exit;
use refgate_report::{clean, wrap};
use serde_json::{Value, json};

use crate::args::{Plan, RepositoryArgs};
use crate::fix_index::{FixIndex, IndexOptions};
use crate::output::{Failure, VerbResult, done, say, say_json, tell};
use crate::plan::{Change, Forecast, PickReason, Planner, Step, Target};
use crate::prompts;

pub(crate) fn run(place: &RepositoryArgs, args: &Plan) -> VerbResult {
    let args = &filled(place, args)?;
    let mut known = FixIndex::read(
        place,
        IndexOptions { around: Some(args.fixes.clone()), ..IndexOptions::default() },
    )?;
    compare(&mut known, args)?;
    let targets = planned(&known, args)?;
    warn(&known, &targets);
    let clean = |forecast: &Forecast| {
        !matches!(
            forecast,
            Forecast::Conflict { .. } | Forecast::Waits | Forecast::Denied(_) | Forecast::Reverted
        )
    };
    let fine = targets.iter().flat_map(|target| &target.forecasts).all(|(_, one)| clean(one));
    for target in &targets {
        if place.json {
            say_json(&json_of(&known, target));
        } else {
            say(&text(&known, target));
        }
    }
    Ok(done(if fine { Exit::Accepted } else { Exit::Rejected }))
}

/// Completes the arguments: with the open debts, or with what the user selects.
pub(crate) fn filled(place: &RepositoryArgs, args: &Plan) -> Result<Plan, Failure> {
    let mut filled = args.clone();
    if args.debts {
        (filled.fixes, filled.to) = super::debts::debts_to_plan(place)?;
    }
    if filled.fixes.is_empty() {
        filled.fixes = prompts::fixes(place)?;
    }
    Ok(filled)
}

/// Compares the diffs of these fixes with those of their copies.
pub(crate) fn compare(known: &mut FixIndex, args: &Plan) -> Result<(), Failure> {
    let mut roots = Vec::new();
    for fix in args.fixes.iter().filter(|fix| !fix.contains("..")) {
        roots.extend(known.fix(fix)?);
    }
    known.compare(&roots)
}

/// The forecasts for each target branch.
pub(crate) fn planned(known: &FixIndex, args: &Plan) -> Result<Vec<Target>, Failure> {
    let matrix = known.matrix();
    let planner = Planner::new(known, &matrix, args.again);
    let mut changes: Vec<Change> = Vec::new();
    for fix in &args.fixes {
        for id in commits(known, fix)? {
            let change = planner.change(id, args.mainline)?;
            if !changes.contains(&change) {
                changes.push(change);
            }
        }
    }
    let places = wanted(known, &args.to)?;
    planner.targets(&places, &changes)
}

/// The follow-ups of the fixes that a branch would get: reverts (`true`), and later fixes
/// of them that are not in the plan.
fn after(known: &FixIndex, targets: &[Target]) -> Vec<(OriginLink, OriginLink, bool)> {
    let matrix = known.matrix();
    let gets = |forecast: &Forecast| {
        matches!(forecast, Forecast::Clean(_) | Forecast::Conflict { .. } | Forecast::Waits)
    };
    let all = targets.iter().flat_map(|target| &target.forecasts);
    let ids: BTreeSet<Oid> =
        all.filter(|(_, forecast)| gets(forecast)).map(|(change, _)| change.commit).collect();
    let roots = |id: &Oid| known.roots(*id).into_iter().map(|(root, _)| root);
    let carried: BTreeSet<OriginLink> = ids.iter().flat_map(roots).collect();
    let all = carried.iter().flat_map(|root| {
        matrix.after(*root).into_iter().map(|(follow, undoes)| (*root, follow, undoes))
    });
    all.filter(|(_, follow, undoes)| *undoes || !carried.contains(follow)).collect()
}

/// Prints a warning for each follow-up.
pub(crate) fn warn(known: &FixIndex, targets: &[Target]) {
    let short = |id: &str| id.get(..10).unwrap_or(id).to_string();
    for (fix, follow, undoes) in after(known, targets) {
        let ((fix, _), (id, title)) = (known.shown(fix), known.shown(follow));
        let (fix, other) = (short(&fix), format!("{} {}", short(&id), clean(&title)));
        tell(&match undoes {
            true => format!("warning: {fix} was reverted on {} by {other}", known.branches.name(0)),
            false => format!("warning: {other} is a follow-up of {fix}; pick it, too"),
        });
    }
}

/// The commit of a revision, or the commits of a range, the oldest first.
fn commits(known: &FixIndex, fix: &str) -> Result<Vec<Oid>, Failure> {
    if !fix.contains("..") {
        return Ok(vec![known.commit(fix)?]);
    }
    let listed = crate::git_command::output(
        known.reader.git_dir(),
        &["rev-list", "--reverse", "--topo-order", "--no-merges", fix, "--"],
    )?;
    let all: Vec<Oid> = listed.lines().filter_map(Oid::from_hex).collect();
    let merges = ["rev-list", "--count", "--merges", fix, "--"];
    let merges = crate::git_command::output(known.reader.git_dir(), &merges)?;
    if merges.trim() != "0" {
        tell(&format!(
            "{fix}: skipped {} merge commit{}; to pick one, name it alone with -m",
            merges.trim(),
            if merges.trim() == "1" { "" } else { "s" }
        ));
    }
    match all.is_empty() {
        true => Err(Failure::new(Exit::BadInput, format!("cannot find a commit to pick in {fix}"))),
        false => Ok(all),
    }
}

/// The indexes of the named branches. Without a name, those of the default targets.
fn wanted(known: &FixIndex, to: &[String]) -> Result<Vec<usize>, Failure> {
    if to.is_empty() {
        return Ok(known.branches.targets());
    }
    let find = |name: &String| {
        let message =
            || format!("cannot use `{name}`: it is not selected\nhint: add it with --line");
        let place = known.branches.place(name);
        place.ok_or_else(|| Failure::new(Exit::BadInput, message()))
    };
    let mut places = Vec::new();
    for name in to {
        let place = find(name)?;
        if !places.contains(&place) {
            places.push(place);
        }
    }
    Ok(places)
}

/// The keyword of a forecast, for scripts.
pub(crate) fn kind(forecast: &Forecast) -> &'static str {
    match forecast {
        Forecast::Present(_) => "present",
        Forecast::Reverted => "reverted",
        Forecast::Denied(_) => "denied",
        Forecast::Empty => "empty",
        Forecast::Waits => "waits",
        Forecast::Conflict { .. } => "conflict",
        Forecast::Clean(steps) => match steps.last().map(|step| step.why) {
            Some(PickReason::Sibling(_)) => "clean-from-sibling",
            _ if steps.len() > 1 => "clean-after",
            _ => "clean",
        },
    }
}

/// A forecast as text.
pub(crate) fn words(known: &FixIndex, forecast: &Forecast) -> String {
    match forecast {
        Forecast::Present(by) => format!("present ({})", by.short()),
        Forecast::Reverted => "reverted there; --again picks it again".to_string(),
        Forecast::Denied(why) => format!("denied by policy: {why}"),
        Forecast::Empty => "empty: the pick would change nothing".to_string(),
        Forecast::Waits => "waits for an earlier conflict".to_string(),
        Forecast::Conflict { paths, .. } => format!("conflict in {}", paths.join(", ")),
        Forecast::Clean(steps) => {
            let before: Vec<String> = steps
                .iter()
                .filter(|step| step.why == PickReason::Prerequisite)
                .map(|step| titled(known, step.change.commit))
                .collect();
            match steps.last().map(|step| step.why) {
                Some(PickReason::Sibling(place)) => {
                    let by =
                        steps.last().map(|step| step.change.commit.short()).unwrap_or_default();
                    let name = known.branches.name(place);
                    format!("clean from the copy on {name} ({by})")
                }
                _ if before.is_empty() => "clean".to_string(),
                _ => format!("clean after {}", before.join(", then ")),
            }
        }
    }
}

fn titled(known: &FixIndex, id: Oid) -> String {
    format!("{} {}", id.short(), known.title(id)).trim_end().to_string()
}

fn text(known: &FixIndex, target: &Target) -> String {
    let mut lines = vec![known.branches.name(target.place).to_string()];
    for (change, forecast) in &target.forecasts {
        lines.push(wrap("  ", "    ", &clean(&titled(known, change.commit))));
        lines.push(wrap("    ", "      ", &clean(&words(known, forecast))));
        if let Forecast::Conflict { said, .. } = forecast {
            lines.extend(said.iter().map(|line| wrap("      ", "        ", &clean(line))));
        }
    }
    lines.extend(target.needs.iter().map(|what| wrap("  needs ", "    ", what)));
    lines.join("\n")
}

fn json_of(known: &FixIndex, target: &Target) -> Value {
    let one = |(change, forecast): &(Change, Forecast)| {
        let paths = match forecast {
            Forecast::Conflict { paths, .. } => paths.clone(),
            _ => Vec::new(),
        };
        let step = |step: &Step| {
            let why = match step.why {
                PickReason::Asked => "asked",
                PickReason::Sibling(_) => "sibling",
                PickReason::Prerequisite => "prerequisite",
            };
            let (pick, tree) = (step.change.commit.to_string(), step.tree.to_string());
            json!({ "pick": pick, "why": why, "tree": tree })
        };
        let trees: Vec<Value> = match forecast {
            Forecast::Clean(steps) => steps.iter().map(step).collect(),
            _ => Vec::new(),
        };
        json!({
            "fix": change.commit.to_string(), "forecast": kind(forecast), "words": words(known, forecast),
            "paths": paths, "steps": trees,
        })
    };
    let all: Vec<Value> = target.forecasts.iter().map(one).collect();
    let after: Vec<Value> = after(known, std::slice::from_ref(target))
        .into_iter()
        .map(|(fix, follow, undoes)| {
            let ((fix, _), (id, title)) = (known.shown(fix), known.shown(follow));
            json!({ "fix": fix, "by": id, "subject": title, "undoes": undoes })
        })
        .collect();
    json!({
        "branch": known.branches.name(target.place), "forecasts": all, "needs": target.needs,
        "after": after,
    })
}
