//! The rules once more, as plainly as they can be said: sets, loops, and nothing shared with the engine.
//!
//! A test compares it with the engine on pushes that nobody thought of. It
//! knows the world of maps only, takes the policy's data as given, and makes
//! every judgement itself. What it leaves out is listed where it is left out.

use std::collections::BTreeSet;

use refgate_core::{ClassId, Instant, Mode, Oid, Policy, RuleId, Span, Window};

use crate::act::Spec;
use crate::memory::Memory;

type Objections = BTreeSet<&'static str>;

/// Judges a push: whether it lands, and which rules object. Names are assumed to be valid; look-alikes, malformed
/// objects and changes of the policy have tests of their own.
#[must_use]
pub fn judge_naively(
    world: &Memory,
    who: &str,
    specs: &[Spec],
    options: &[String],
) -> (bool, BTreeSet<&'static str>) {
    let mut no = Objections::new();
    for spec in specs {
        let new = spec.from.as_ref().and_then(|from| world.revision(from));
        let old = world.server.get(&spec.to).copied();
        if new != old {
            let view = View { world, who, options };
            view.update(&spec.to, old, new, &mut no);
        }
    }
    no.retain(|rule| RuleId::find(rule).is_some_and(|id| world.policy.mode(id) == Mode::Enforce));
    (no.is_empty(), no)
}

struct View<'w> {
    world: &'w Memory,
    who: &'w str,
    options: &'w [String],
}

/// A governed branch: its place in the flow, or a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Stage(usize),
    Line,
}

impl View<'_> {
    fn policy(&self) -> &Policy {
        &self.world.policy
    }

    fn past(&self, id: Oid) -> BTreeSet<Oid> {
        let mut all = BTreeSet::new();
        let mut todo = vec![id];
        while let Some(id) = todo.pop() {
            if all.insert(id) {
                todo.extend(self.parents(id));
            }
        }
        all
    }

    fn parents(&self, id: Oid) -> Vec<Oid> {
        self.world.nodes.get(&id).map(|node| node.parents.clone()).unwrap_or_default()
    }

    fn tip(&self, stage: usize) -> Option<Oid> {
        let branch = self.policy().flow.stages.get(stage)?.branch.as_str().to_string();
        self.world.server.get(&branch).copied()
    }

    fn place(&self, name: &str) -> Option<Place> {
        let stages = &self.policy().flow.stages;
        if let Some(at) = stages.iter().position(|stage| stage.branch.as_str() == name) {
            return Some(Place::Stage(at));
        }
        let branch = name.strip_prefix("refs/heads/")?;
        let line = |glob: &str| {
            // Lines are written `prefix/*` in the policies that this model knows.
            glob.strip_suffix('*').is_some_and(|prefix| {
                branch
                    .strip_prefix(prefix)
                    .is_some_and(|rest| !rest.is_empty() && !rest.contains('/'))
            })
        };
        self.policy().flow.lines.iter().any(|l| line(l.branches.as_str())).then_some(Place::Line)
    }

    fn version(&self, name: &str) -> Option<Vec<u32>> {
        let tag = name.strip_prefix("refs/tags/")?;
        self.policy().release.tags.iter().find_map(|pattern| {
            let middle = tag.strip_prefix(&*pattern.prefix)?.strip_suffix(&*pattern.suffix)?;
            let mut parts: Vec<u32> =
                middle.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
            parts.resize(parts.len().max(3), 0);
            (parts.len() == 3).then_some(parts)
        })
    }

    /// Somebody else than who pushes, as far as that is known.
    fn other(&self, person: &str) -> bool {
        self.who != "somebody" && self.who != person
    }

    fn may(&self, roles: &[String]) -> bool {
        roles.is_empty()
            || roles.iter().any(|role| {
                self.policy()
                    .roles
                    .0
                    .get(role)
                    .is_some_and(|people| people.iter().any(|p| p == self.who))
            })
    }

    fn update(&self, name: &str, old: Option<Oid>, new: Option<Oid>, no: &mut Objections) {
        let place = self.place(name);
        let version = self.version(name);
        if place.is_none() && version.is_none() {
            if name.starts_with("refs/replace/") || name.starts_with("refs/refgate/") {
                no.insert("ref-name");
            }
            return;
        }
        let flow = &self.policy().flow;
        let pushers = match place {
            Some(Place::Stage(at)) => flow.stages.get(at).map(|stage| stage.pushers.clone()),
            Some(Place::Line) => flow.lines.first().map(|line| line.pushers.clone()),
            None => flow.stages.iter().rev().find(|s| s.production).map(|s| s.pushers.clone()),
        };
        if !self.may(&pushers.unwrap_or_default()) {
            no.insert("pusher");
        }
        let Some(new) = new else {
            if !self.deletion_agreed(name, old) {
                no.insert("deletion");
            }
            return;
        };
        match (place, version) {
            (Some(place), _) => self.stage(name, place, old, new, no),
            (None, Some(version)) if old.is_some() || self.bad_tag(name, &version, new) => {
                no.insert("release-tag");
            }
            _ => {}
        }
    }

    fn deletion_agreed(&self, name: &str, old: Option<Oid>) -> bool {
        let rules = &self.policy().deletion;
        let mut all: Vec<_> = self
            .world
            .ledger
            .deletions
            .iter()
            .filter(|request| request.name.as_str() == name && Some(request.value) == old)
            .collect();
        all.sort_by_key(|request| request.at);
        all.first().is_some_and(|request| {
            let other = request.approved_by.as_ref().is_some_and(|by| {
                *by != request.by && self.policy().roles.has(by, &rules.approvers)
            });
            other && request.at + rules.cooling_off <= self.world.clock
        })
    }

    fn bad_tag(&self, name: &str, version: &[u32], new: Oid) -> bool {
        let tag = self.world.tags.get(&new);
        let commit = tag.map_or(new, |tag| tag.commit);
        // Tags of this world carry no signatures.
        if self.policy().release.signed || (self.policy().release.annotated && tag.is_none()) {
            return true;
        }
        if tag.is_some_and(|tag| name.strip_prefix("refs/tags/") != Some(&*tag.name)) {
            return true;
        }
        let stages = self.policy().flow.stages.iter().enumerate();
        let on_flow = stages
            .filter(|(_, stage)| stage.production)
            .any(|(at, _)| self.tip(at).is_some_and(|tip| self.past(tip).contains(&commit)));
        let on_line = self.world.server.iter().any(|(branch, tip)| {
            self.place(branch) == Some(Place::Line) && self.past(*tip).contains(&commit)
        });
        let others = self.world.server.keys().filter_map(|other| self.version(other));
        let rival = |other: &Vec<u32>| on_flow || other.first() == version.first();
        !(on_flow || on_line) || others.filter(rival).any(|other| other >= version.to_vec())
    }

    fn stage(&self, name: &str, place: Place, old: Option<Oid>, new: Oid, no: &mut Objections) {
        let stages = self.policy().flow.stages.len();
        let known: BTreeSet<Oid> = match old {
            Some(old) => self.past(old),
            None => {
                (0..stages).filter_map(|s| self.tip(s)).flat_map(|tip| self.past(tip)).collect()
            }
        };
        if old.is_none() && known.is_empty() {
            return;
        }
        let mut chain = Vec::new();
        let mut at = Some(new);
        while let Some(id) = at {
            if old == Some(id) || (old.is_none() && known.contains(&id)) {
                break;
            }
            chain.push(id);
            at = self.parents(id).first().copied();
        }
        if let (Some(old), None) = (old, at) {
            no.insert(if self.past(new).contains(&old) { "first-parent" } else { "rewrite" });
            return;
        }
        if old.is_none() && !chain.is_empty() {
            no.insert("ref-name");
        }
        let mut seen = known.clone();
        seen.extend(&chain);
        for id in chain.iter().rev() {
            let side: Vec<Oid> =
                self.past(*id).into_iter().filter(|other| seen.insert(*other)).collect();
            self.landing(name, place, *id, &side, (old, &known), no);
        }
    }

    fn landing(
        &self,
        name: &str,
        place: Place,
        id: Oid,
        side: &[Oid],
        (old, known): (Option<Oid>, &BTreeSet<Oid>),
        no: &mut Objections,
    ) {
        let parents = self.parents(id);
        let files = self.world.files(id);
        let first = parents.first().map(|p| self.world.files(*p)).unwrap_or_default();
        let unchanged = !parents.is_empty() && files == first;
        let mut objections = Objections::new();
        if parents.len() > 2 || (parents.len() == 2 && parents.first() == parents.get(1)) {
            objections.insert("first-parent");
        }
        let elsewhere = |id: &Oid| self.elsewhere(place, *id);
        let empty = unchanged && side.iter().all(elsewhere);
        let (class, contradicted, trailer) = self.class(id, side, &first, empty);
        let effective = if contradicted { ClassId::UNCLASSIFIED } else { class };
        // Where it comes from.
        let others: Vec<usize> =
            (0..self.policy().flow.stages.len()).filter(|s| place != Place::Stage(*s)).collect();
        let second = parents.get(1).filter(|_| !unchanged);
        let holds = |stage: &usize| {
            let line = self.tip(*stage).map(|tip| self.line(tip)).unwrap_or_default();
            let brought = second.filter(|p| !known.contains(p));
            line.contains(&id) || brought.is_some_and(|p| line.contains(p))
        };
        let (earlier, later) = match place {
            Place::Stage(at) => (
                others.iter().copied().filter(|s| *s < at).rfind(holds),
                others.iter().copied().filter(|s| *s > at).find(holds),
            ),
            Place::Line => (None, None),
        };
        let squash = self.squash(place, id, old) && earlier.is_none() && later.is_none();
        let joined = parents.len() > 1
            && unchanged
            && side.iter().all(elsewhere)
            && earlier.is_none()
            && later.is_none();
        let (evil, resolved) = self.mixed(id, &parents);
        if let (Some(from), Place::Stage(at)) = (earlier, place) {
            let own = !self.tip(from).is_some_and(|tip| self.past(tip).contains(&id));
            let differs = parents.get(1).is_none_or(|p| self.world.files(*p) != files);
            let differs = differs || resolved;
            if from + 1 < at || (own && differs && self.policy().promotion.same_tree) {
                objections.insert("promotion");
            }
        } else if !joined && (later.is_none() || evil || resolved) {
            let straight = place != Place::Stage(0);
            if squash && straight {
                objections.insert("promotion");
            } else {
                if contradicted || (self.policy().declared_only && class == ClassId::UNCLASSIFIED) {
                    objections.insert("class");
                }
                if straight && !self.eligible(place, effective, id, side) {
                    objections.insert("backport");
                }
            }
        }
        let new_work = earlier.is_none() && (later.is_none() || evil || resolved);
        let vouched = trailer && !contradicted && new_work;
        if parents.len() == 2 && evil && !joined && !vouched {
            objections.insert("evil-merge");
        }
        if !joined && self.frozen(place, effective, id, side) {
            objections.insert("freeze");
        }
        for rule in objections {
            if !self.waived(name, rule, id, side) {
                no.insert(rule);
            }
        }
    }

    /// The class, whether the diff contradicts it, and whether a trailer or
    /// option declares it. Free words are left out: the generator uses none.
    fn class(
        &self,
        id: Oid,
        side: &[Oid],
        before: &std::collections::BTreeMap<String, u64>,
        unchanged: bool,
    ) -> (ClassId, bool, bool) {
        let classes = &self.policy().classes;
        let least = classes.ids().next().unwrap_or(ClassId::UNCLASSIFIED);
        if self.parents(id).len() > 1 && unchanged {
            return (least, false, false);
        }
        let message =
            |id: &Oid| self.world.nodes.get(id).map(|n| n.message.clone()).unwrap_or_default();
        let mut found = self.own_class(&message(&id), true);
        if !side.is_empty() {
            let plain = side.iter().filter(|id| self.parents(**id).len() < 2);
            let sides = plain.map(|id| {
                self.own_class(&message(id), false).map_or(ClassId::UNCLASSIFIED, |(c, _)| c)
            });
            let highest = sides.max_by_key(|class| classes.rank(*class));
            let raise = self.policy().merge == refgate_core::MergeClass::Highest;
            match (&found, highest) {
                (None, Some(side)) => found = Some((side, false)),
                (Some((own, _)), Some(side))
                    if raise && classes.rank(side) > classes.rank(*own) =>
                {
                    found = Some((side, false));
                }
                _ => {}
            }
        }
        let files = self.world.files(id);
        let touched: BTreeSet<&String> = before
            .keys()
            .chain(files.keys())
            .filter(|path| before.get(*path) != files.get(*path))
            .collect();
        let allowed = |class: ClassId| {
            classes.get(class).is_none_or(|class| {
                let hit = |globs: &[refgate_core::Glob], path: &str| {
                    globs.iter().any(|glob| naive_glob(glob.as_str(), path))
                };
                touched.iter().all(|path| {
                    let b = &class.bounds;
                    let added = !before.contains_key(*path);
                    !hit(&b.never, path)
                        && (b.only.is_empty() || hit(&b.only, path))
                        && (b.adds.is_empty() || !added || hit(&b.adds, path))
                })
            })
        };
        match found {
            Some((class, trailer)) if class != ClassId::UNCLASSIFIED => {
                let settled = self.world.ledger.sign_offs.iter().any(|s| {
                    s.meaning == "classification"
                        && s.commit == Some(id)
                        && s.class == Some(class)
                        && self.other(&s.by)
                        && Some(&s.by) != self.world.nodes.get(&id).map(|n| &n.author)
                });
                (class, !allowed(class) && !settled, trailer)
            }
            _ => {
                let by_paths = classes.ids().find(|class| {
                    let only = classes.get(*class).is_some_and(|c| !c.bounds.only.is_empty());
                    only && !touched.is_empty() && allowed(*class)
                });
                (by_paths.unwrap_or(ClassId::UNCLASSIFIED), false, false)
            }
        }
    }

    fn own_class(&self, message: &str, tip: bool) -> Option<(ClassId, bool)> {
        let policy = self.policy();
        if let Some((_, value)) = message.split_once("\n\nChange-Class: ") {
            return Some((policy.classes.find(value.lines().next()?)?, true));
        }
        let option = self.options.iter().find_map(|option| option.strip_prefix("class="));
        if let Some(option) = option.filter(|_| tip) {
            return Some((policy.classes.find(option)?, true));
        }
        let subject = message.lines().next()?;
        if let Some((_, rest)) = subject.split_once("Merge branch '") {
            let word = rest.split(['/', '\'']).next()?;
            let hit = policy.declare.branches.iter().find(|(words, _)| words.as_str() == word);
            return hit.map(|(_, class)| (*class, false));
        }
        let (kind, _) = subject.split_once(": ")?;
        let hit = policy.declare.conventional.iter().find(|(name, _)| name == kind);
        hit.map(|(_, class)| (*class, false))
    }

    fn squash(&self, place: Place, id: Oid, old: Option<Oid>) -> bool {
        let (Place::Stage(at), Some(old)) = (place, old) else { return false };
        let Some(tip) = at.checked_sub(1).and_then(|at| self.tip(at)) else { return false };
        let (here, own) = (self.past(old), self.past(id));
        let waiting = self.past(tip).into_iter().filter(|o| !here.contains(o) && !own.contains(o));
        waiting.into_iter().any(|other| self.world.files(other) == self.world.files(id))
    }

    fn major(&self) -> Option<Instant> {
        let mut all: Vec<(Instant, Vec<u32>)> = self
            .world
            .server
            .keys()
            .filter_map(|name| Some((*self.world.received.get(name)?, self.version(name)?)))
            .filter(|(at, _)| *at <= self.world.clock)
            .collect();
        all.sort();
        let (mut top, mut found) = (0, None);
        for (at, version) in all {
            let major = version.first().copied().unwrap_or(0);
            if major > top {
                (top, found) = (major, Some(at));
            }
        }
        found
    }

    fn approved(&self, rule: &str, role: &str, id: Oid, side: &[Oid]) -> bool {
        self.world.ledger.approvals.iter().any(|approval| {
            approval.rule == rule
                && approval.of == id
                && self.other(&approval.by)
                && self.policy().roles.has(&approval.by, role)
                && !self.wrote(&approval.by, id, side)
        })
    }

    fn wrote(&self, person: &str, id: Oid, side: &[Oid]) -> bool {
        let all = side.iter().chain([&id]);
        all.filter_map(|id| self.world.nodes.get(id)).any(|node| node.author == person)
    }

    fn eligible(&self, place: Place, class: ClassId, id: Oid, side: &[Oid]) -> bool {
        let rules = &self.policy().backport;
        let hotfix = place != Place::Line && self.policy().hotfix.classes.contains(&class);
        if hotfix || rules.always.contains(&class) {
            return true;
        }
        let inside = self.major().is_some_and(|at| self.world.clock < at + rules.window);
        let agreed = rules.with_approval.contains(&class)
            && self.approved("backport", &rules.approvers, id, side);
        inside && (rules.within.contains(&class) || agreed)
    }

    /// Whether a plain merge gives something else where it goes through, and
    /// whether it conflicts anywhere.
    fn mixed(&self, id: Oid, parents: &[Oid]) -> (bool, bool) {
        let [ours, theirs] = parents else { return (false, false) };
        let files = self.world.files(id);
        let plain = self.world.merged(*ours, *theirs);
        let conflicts = self.world.conflicts(*ours, *theirs);
        let paths: BTreeSet<&String> = files.keys().chain(plain.keys()).collect();
        let evil =
            paths.into_iter().any(|p| !conflicts.contains(p) && files.get(p) != plain.get(p));
        (evil, !conflicts.is_empty())
    }

    /// Whether another stage has a commit.
    fn elsewhere(&self, place: Place, id: Oid) -> bool {
        (0..self.policy().flow.stages.len())
            .filter(|stage| place != Place::Stage(*stage))
            .filter_map(|stage| self.tip(stage))
            .any(|tip| self.past(tip).contains(&id))
    }

    /// The first-parent chain of a tip.
    fn line(&self, tip: Oid) -> BTreeSet<Oid> {
        let mut all = BTreeSet::new();
        let mut at = Some(tip);
        while let Some(id) = at {
            all.insert(id);
            at = self.parents(id).first().copied();
        }
        all
    }

    fn frozen(&self, place: Place, class: ClassId, id: Oid, side: &[Oid]) -> bool {
        self.policy().windows.iter().any(|window| {
            let covers = match place {
                Place::Stage(at) => window.stages.contains(&at),
                Place::Line => window.lines,
            };
            let fast = window.fast_track.contains(&class)
                && self.approved("freeze", &window.approvers, id, side);
            covers && !window.lets_through.contains(&class) && !fast && self.closed(window)
        })
    }

    fn closed(&self, window: &Window) -> bool {
        let now = self.world.clock;
        let (minimum, exit) = match &window.span {
            Span::Fixed(intervals) => {
                return intervals.iter().any(|i| i.start <= now && now < i.end);
            }
            Span::AfterMajorRelease { minimum, exit, .. } => (*minimum, exit),
        };
        let Some(since) = self.major() else { return false };
        let ledger = &self.world.ledger;
        let later = |at: Instant| at >= since && at <= now;
        if ledger.iterations.iter().any(|next| later(next.at)) {
            return false;
        }
        let count =
            |kind: &str| ledger.evidence.iter().filter(|e| e.kind == kind && later(e.at)).count();
        let enough = count("production-run") >= exit.production_runs as usize
            && (!exit.notice || count("notice") > 0)
            && ledger.blockers.iter().all(|b| now < b.open.start || now >= b.open.end)
            && (exit.sign_off.is_none()
                || ledger.sign_offs.iter().any(|s| s.meaning == "freeze-exit" && later(s.at)));
        now < since + minimum || !enough
    }

    /// Uses are left out: the generator gives waivers more than a push can use.
    fn waived(&self, name: &str, rule: &str, id: Oid, side: &[Oid]) -> bool {
        let never = ["ref-name", "object-format", "policy-change", "deletion"];
        !never.contains(&rule)
            && self.world.ledger.waivers.iter().any(|waiver| {
                waiver.rule == rule
                    && waiver.on.as_str() == name
                    && waiver.during.start <= self.world.clock
                    && self.world.clock < waiver.during.end
                    && self.other(&waiver.by)
                    && self.policy().roles.has(&waiver.by, &self.policy().waivers)
                    && !self.wrote(&waiver.by, id, side)
            })
    }
}

/// Tries everything, which is why nobody should use it.
fn naive_glob(pattern: &str, path: &str) -> bool {
    fn parts(pattern: &[&str], path: &[&str]) -> bool {
        match (pattern, path) {
            ([], []) => true,
            (["**", rest @ ..], _) => {
                (0..=path.len()).any(|skip| path.get(skip..).is_some_and(|tail| parts(rest, tail)))
            }
            ([p, rest @ ..], [s, tail @ ..]) => {
                letters(p.as_bytes(), s.as_bytes()) && parts(rest, tail)
            }
            _ => false,
        }
    }
    fn letters(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => (0..=text.len())
                .any(|skip| text.get(skip..).is_some_and(|tail| letters(rest, tail))),
            ([b'?', rest @ ..], [_, tail @ ..]) => letters(rest, tail),
            ([p, rest @ ..], [t, tail @ ..]) => p == t && letters(rest, tail),
            _ => false,
        }
    }
    parts(&pattern.split('/').collect::<Vec<_>>(), &path.split('/').collect::<Vec<_>>())
}
