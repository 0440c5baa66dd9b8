//! `git backport hotfix finish`: brings a hotfix to production, earlier stages and lines.

use refgate_core::{Oid, Policy};
use refgate_gate::Exit;
use refgate_git::{Graph, missing_fixes};
use refgate_report::{quoted, wrap};
use serde_json::json;

use super::hotfix::{Fix, rules};
use crate::args::{Finish, RepositoryArgs};
use crate::branches::Branch;
use crate::command::apply::{RefPlacement, blocked, ensure_no_open_run, line};
use crate::fix_index::{FixIndex, IndexOptions, open};
use crate::merge_tree::{Merged, PickQuery};
use crate::output::{Failure, VerbResult, done, say};
use crate::pick_writer::PickWriter;
use crate::plan::{Change, Forecast, Planner, Target};
use crate::policy_answer::Answer;
use crate::recipes::merge_one_with_recipes;
use crate::run_loop::{advance_run, report_skipped_targets};
use crate::run_state::{Journal, Line, SkippedTarget, State};

pub(crate) fn run(place: &RepositoryArgs, args: &Finish) -> VerbResult {
    let pick_writer = PickWriter::open(place)?;
    ensure_no_open_run(&pick_writer)?;
    let reader = open(place)?;
    let policy = rules(&reader, place)?.policy;
    let fix = Fix::find(&reader, place, &policy, args)?;
    let known = FixIndex::read(place, around(&fix))?;
    let carried = HotfixProgress {
        known: &known,
        pick_writer: &pick_writer,
        fix: &fix,
        policy: &policy,
        args,
    };
    let then = again(&fix, args);
    let mut journal = Journal { format: 1, then, ..Journal::default() };
    // A hotfix that production does not allow is brought to no branch.
    let production = carried.production().map(|place| known.branches.name(place));
    let denial = production.map(|name| carried.denied(name)).transpose()?.flatten();
    if let Some(why) = denial {
        pick_writer.report(
            production.unwrap_or_default(),
            "denied",
            &format!("denied by policy: {why}"),
        );
    } else {
        for stage in carried.stages() {
            let line = carried.plan_stage(stage, &mut journal.left)?;
            journal.lines.extend(line);
        }
        let targets = carried.planned(&known.branches.lines())?;
        let lines = carried.picks(targets, &mut journal.left)?;
        journal.lines.extend(lines);
    }
    if args.push {
        journal.pushed.clone_from(&place.remote);
    }
    let waits = if journal.lines.is_empty() {
        report_skipped_targets(&pick_writer, &journal);
        false
    } else {
        let lines = journal.lines.len();
        advance_run(&pick_writer, journal, known.recipes())?;
        let now = Journal::load(&pick_writer.git_dir)?;
        lines > 0 && now.is_some_and(|journal| journal.is_open())
    };
    verdict(place, &fix, args, waits)
}

/// The command that repeats this one.
fn again(fix: &Fix, args: &Finish) -> String {
    let options = [(args.pick, " --pick"), (args.straight, " --straight"), (args.push, " --push")];
    let options = options.into_iter().filter(|(given, _)| *given).map(|(_, option)| option);
    let base = args.base.as_ref().map(|_| format!(" --base {}", fix.base)).unwrap_or_default();
    format!(
        "git backport hotfix finish {}{}{base}",
        quoted(&fix.branch),
        options.collect::<String>()
    )
}

/// Selects the hotfix branch and everything that is related to its commits.
fn around(fix: &Fix) -> IndexOptions {
    let around = fix.commits.iter().map(ToString::to_string).collect();
    let also = Some((fix.branch.clone(), fix.tip));
    IndexOptions { also, around: Some(around), ..IndexOptions::default() }
}

/// A hotfix that is being finished.
struct HotfixProgress<'a> {
    known: &'a FixIndex,
    pick_writer: &'a PickWriter,
    fix: &'a Fix,
    policy: &'a Policy,
    args: &'a Finish,
}

impl HotfixProgress<'_> {
    fn way(&self) -> RefPlacement<'_> {
        RefPlacement {
            straight: self.args.straight,
            prerequisites: false,
            by_hand: true,
            name: &self.fix.branch,
        }
    }

    /// The indexes of production and the earlier stages, production first.
    fn stages(&self) -> Vec<usize> {
        let named = |name: &str| self.known.branches.all.iter().position(|one| one.name == name);
        let last = self.policy.flow.production().map_or(0, |(place, _)| place);
        let stages = self.policy.flow.stages.iter().take(last + 1).rev();
        stages.filter_map(|stage| named(stage.branch.short())).collect()
    }

    fn production(&self) -> Option<usize> {
        self.stages().first().copied()
    }

    /// Plans the work for a stage. Reports a stage that needs no work.
    fn plan_stage(
        &self,
        place: usize,
        out: &mut Vec<SkippedTarget>,
    ) -> Result<Option<Line>, Failure> {
        let Some(branch) = self.known.branches.all.get(place) else { return Ok(None) };
        let reader = &self.known.reader;
        let graph = Graph::new(reader);
        let tell = |state: &str, words: &str| {
            self.pick_writer.report(&branch.name, state, words);
            Ok(None)
        };
        if missing_fixes(reader, &graph, [self.fix.tip, branch.tip], Some(self.fix.base))?
            .is_empty()
        {
            return tell("present", "already contains the fix");
        }
        if let Some(why) = self.denied(&branch.name)? {
            return tell("denied", &format!("denied by policy: {why}"));
        }
        let reference = self.way().reference(&branch.name);
        let old = self.pick_writer.value(&reference)?;
        if let Some(made) = self.made(&reference, &old, branch.tip)? {
            return match self.args.push {
                true => Ok(Some(line_to_push(branch, reference, old))),
                false => tell("made", &made),
            };
        }
        if self.args.pick && Some(place) != self.production() {
            let planned = self.planned(&[place])?;
            let picks = |target: &Target| {
                target.forecasts.iter().any(|(_, one)| !matches!(one, Forecast::Empty))
            };
            // If the pick is empty, an ancestry-only merge follows instead.
            if planned.iter().any(picks) {
                return Ok(self.picks(planned, out)?.pop());
            }
        }
        let to = (branch.name.as_str(), branch.tip);
        if let Some(left) = blocked(self.pick_writer, &self.way(), to, (&reference, &old))? {
            out.push(left);
            return Ok(None);
        }
        // In production itself, the hotfix decides all files, also its version number.
        let whole =
            graph.is_ancestor(self.fix.base, branch.tip)? && Some(place) == self.production();
        let recipes = if whole { &[] } else { self.known.recipes() };
        let ask = PickQuery { base: None, ours: branch.tip, theirs: self.fix.tip };
        let trailer = self.fix.trailer(reader, self.policy)?;
        let message = format!("Merge branch '{}' into {}\n{trailer}", self.fix.branch, branch.name);
        let (new, state) = match merge_one_with_recipes(reader.git_dir(), recipes, ask)? {
            Merged::Clean(tree) => {
                let parents = [branch.tip, self.fix.tip];
                (self.pick_writer.merge(tree, &parents, &message)?.to_string(), State::Written)
            }
            Merged::Conflict { .. } => {
                let (base, theirs) = (branch.tip.to_string(), self.fix.tip.to_string());
                (String::new(), State::Merging { base, theirs, message, whole })
            }
        };
        let (name, began) = (branch.name.clone(), branch.tip.to_string());
        let (needs, resolved) = (Vec::new(), false);
        Ok(Some(Line { branch: name, began, reference, old, new, resolved, needs, state }))
    }

    /// Describes a branch that an earlier run made, and that must still be merged or
    /// pushed.
    fn made(&self, reference: &str, old: &str, tip: Oid) -> Result<Option<String>, Failure> {
        let Some(there) = Oid::from_hex(old).filter(|there| *there != tip) else {
            return Ok(None);
        };
        let reader = &self.known.reader;
        let graph = Graph::new(reader);
        let short = reference.strip_prefix("refs/heads/").unwrap_or(reference);
        let holds =
            missing_fixes(reader, &graph, [self.fix.tip, there], Some(self.fix.base))?.is_empty();
        if holds && graph.is_ancestor(tip, there)? {
            let remote = if self.args.straight { "pushed" } else { "merged" };
            return Ok(Some(format!("{short} contains the fix, and must still be {remote}")));
        }
        Ok(None)
    }

    /// Forecasts the picks of the hotfix to some branches.
    fn planned(&self, places: &[usize]) -> Result<Vec<Target>, Failure> {
        let matrix = self.known.matrix();
        let planner = Planner::new(self.known, &matrix, false);
        let changes: Result<Vec<Change>, Failure> =
            self.fix.commits.iter().map(|id| planner.change(*id, None)).collect();
        planner.targets(places, &changes?)
    }

    fn picks(
        &self,
        targets: Vec<Target>,
        out: &mut Vec<SkippedTarget>,
    ) -> Result<Vec<Line>, Failure> {
        let known = self.known;
        let mut lines = Vec::new();
        for mut target in targets {
            let Some(branch) = known.branches.all.get(target.place) else { continue };
            let name = &branch.name;
            let reference = self.way().reference(name);
            let old = self.pick_writer.value(&reference)?;
            let open = target.forecasts.iter().any(|(_, one)| !matches!(one, Forecast::Present(_)));
            if open && let Some(made) = self.made(&reference, &old, branch.tip)? {
                match self.args.push {
                    true => lines.push(line_to_push(branch, reference, old)),
                    false => self.pick_writer.report(name, "made", &made),
                }
                continue;
            }
            if !open {
                self.pick_writer.report(name, "present", "already contains the fix");
                target.forecasts.clear();
            }
            lines.extend(line(known, self.pick_writer, &self.way(), &target, out)?);
        }
        Ok(lines)
    }

    /// The reason if the policy does not allow the hotfix on a branch.
    fn denied(&self, branch: &str) -> Result<Option<String>, Failure> {
        let Some(rules) = &self.known.rules else { return Ok(None) };
        for id in &self.fix.commits {
            match rules.answer(&self.known.reader, *id, branch)? {
                Answer::Denied(why) => return Ok(Some(format!("{why} ({})", id.short()))),
                Answer::Needs(what) => {
                    self.pick_writer.report(branch, "needs", &format!("needs {what}"));
                }
                Answer::Free => {}
            }
        }
        Ok(None)
    }
}

/// A finished line for a branch that an earlier run made, and that is not pushed yet.
fn line_to_push(branch: &Branch, reference: String, made: String) -> Line {
    let (name, began) = (branch.name.clone(), branch.tip.to_string());
    let (needs, resolved, state) = (Vec::new(), false, State::Done);
    Line { branch: name, began, reference, old: made.clone(), new: made, resolved, needs, state }
}

/// Reports whether all branches of the remote, as last fetched, contain the hotfix.
fn verdict(place: &RepositoryArgs, fix: &Fix, args: &Finish, waits: bool) -> VerbResult {
    let known = FixIndex::read(place, around(fix))?;
    let graph = Graph::new(&known.reader);
    let Some(rules) = &known.rules else { return Ok(done(Exit::Rejected)) };
    let mut lacking = Vec::new();
    for (number, branch) in known.branches.all.iter().enumerate() {
        if branch.name == fix.branch {
            continue;
        }
        let mut open = missing_fixes(&known.reader, &graph, [fix.tip, branch.tip], Some(fix.base))?;
        open.retain(|(id, _)| !rules.excuses(&known.reader, *id, &branch.name));
        let mut reaches = true;
        if known.branches.lines().contains(&number) {
            for id in &fix.commits {
                let answer = rules.answer(&known.reader, *id, &branch.name)?;
                reaches &= !matches!(answer, Answer::Denied(_));
            }
        }
        if !open.is_empty() && reaches {
            lacking.push(branch.name.clone());
        }
    }
    let finished = lacking.is_empty();
    if place.json {
        let told = json!({ "hotfix": fix.branch, "finished": finished, "lacking": lacking });
        say(&told.to_string());
        return Ok(done(if finished { Exit::Accepted } else { Exit::Rejected }));
    }
    if finished {
        say(&format!("{} is finished: every branch contains it", fix.branch));
        return Ok(done(Exit::Accepted));
    }
    let all = lacking.join(", ");
    say(&wrap(
        "",
        "  ",
        &format!("not finished: as the remote was last fetched, the fix is missing on {all}"),
    ));
    if waits {
        say("  resolve the conflicts, run `git backport continue`, then");
    } else if !known.reader.is_bare() {
        say("  push the new branches, get them merged, run `git fetch`, then");
    }
    say(&format!("  {}", again(fix, args)));
    Ok(done(Exit::Rejected))
}
