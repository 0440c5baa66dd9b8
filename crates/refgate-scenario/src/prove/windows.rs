//! Finds freezes without effect, interruptions of freezes, and waivers that last longer.

use refgate_core::{ClassId, Duration, Instant, Interval, Policy, Window, WindowSpan};
use refgate_report::{length, show};

use super::cases::{DeliveryPath, ProveCase, case, with_role};
use super::{PolicyTable, Proof, answer, expecting, run_steps};

/// All faults of one window.
///
/// # Errors
/// Fails if a step of a case fails.
pub(super) fn of(table: &PolicyTable<'_>, window: &Window) -> Result<Vec<Proof>, String> {
    let mut found = Vec::new();
    let name = &window.name;
    let begins = first_start(window, table.from);
    let strictest = table.policy.classes.ids().max_by_key(|id| table.policy.classes.rank(*id));
    let kept_out = |id: &ClassId| !window.lets_through.contains(id);
    let class = table
        .policy
        .classes
        .ids()
        .filter(kept_out)
        .max_by_key(|id| (!window.fast_track.contains(id), table.policy.classes.rank(*id)));
    if class.is_none() {
        found.push(Proof {
            what: format!("the freeze \"{name}\" accepts every class: it blocks nothing"),
            scenario: example_scenario(table, window, strictest, begins)?,
        });
    }
    for id in window.fast_track.iter().filter(|id| window.lets_through.contains(id)) {
        let class = table.policy.classes.name(*id);
        found.push(Proof {
            what: format!("the freeze \"{name}\" accepts `{class}`; its fast track has no effect"),
            scenario: example_scenario(table, window, Some(*id), begins)?,
        });
    }
    if let Some(other) = find_stricter_window(table.policy, window) {
        found.push(Proof {
            what: format!(
                "the freeze \"{name}\" has no effect: \"{}\" blocks the same changes",
                other.name
            ),
            scenario: example_scenario(table, window, class, begins)?,
        });
    }
    if let WindowSpan::Fixed(intervals) = &window.span {
        if !intervals.iter().any(|interval| interval.end > table.from) {
            found.push(Proof {
                what: format!("the freeze \"{name}\" is in the past: it never applies again"),
                scenario: example_scenario(table, window, class, table.from)?,
            });
        }
        for (at, gap) in find_gaps(intervals) {
            found.push(Proof {
                what: format!(
                    "the freeze \"{name}\" is interrupted for {} from {}",
                    length(gap),
                    show(at)
                ),
                scenario: example_scenario(table, window, class, at)?,
            });
        }
    }
    if class.is_some() {
        found.extend(waivers(table, window, class)?);
    }
    Ok(found)
}

/// The first time from `from` on at which a window is in force.
fn first_start(window: &Window, from: Instant) -> Instant {
    match &window.span {
        WindowSpan::AfterMajorRelease { .. } => from,
        WindowSpan::Fixed(intervals) => {
            let next = intervals.iter().find(|interval| interval.end > from);
            next.map_or(from, |interval| interval.start.max(from))
        }
    }
}

/// A scenario in which a person with the role pushes to the first stage of a window.
fn example_scenario(
    table: &PolicyTable<'_>,
    window: &Window,
    class: Option<ClassId>,
    at: Instant,
) -> Result<Option<String>, String> {
    let Some(case) = within(table, window, class, at) else { return Ok(None) };
    let report = answer(table.policy, &case)?;
    Ok(Some(expecting(table.name, &case.story, &report)))
}

/// The case of a push to the first stage of a window. `None` if there is no class
/// or no stage.
fn within(
    table: &PolicyTable<'_>,
    window: &Window,
    class: Option<ClassId>,
    at: Instant,
) -> Option<ProveCase> {
    let policy = table.policy;
    let place = *window.stages.first()?;
    let (stage, class) = (policy.flow.stages.get(place)?, policy.classes.name(class?));
    let delivery = if place == 0 { DeliveryPath::Direct } else { DeliveryPath::Promotion };
    let who = with_role(policy, &stage.pushers).unwrap_or("ada");
    Some(case(policy, (stage.branch.short(), delivery), &class, who, (at, table.from.min(at))))
}

/// Another window that blocks everything that this window blocks. Of two equal
/// windows, the first one counts.
fn find_stricter_window<'p>(policy: &'p Policy, window: &Window) -> Option<&'p Window> {
    let mut before = true;
    policy.windows.iter().find(|other| {
        before &= other.name != window.name;
        other.name != window.name && covers(other, window) && (before || !covers(window, other))
    })
}

fn covers(outer: &Window, inner: &Window) -> bool {
    let asked = |id: &ClassId| inner.lets_through.contains(id) || inner.fast_track.contains(id);
    inner.stages.iter().all(|stage| outer.stages.contains(stage))
        && (outer.lines || !inner.lines)
        && outer.lets_through.iter().all(|id| inner.lets_through.contains(id))
        && outer.fast_track.iter().all(asked)
        && (outer.fast_track.is_empty() || outer.approvers == inner.approvers)
        && contains_span(&outer.span, &inner.span)
}

/// Whether the span `outer` contains the span `inner`.
fn contains_span(outer: &WindowSpan, inner: &WindowSpan) -> bool {
    match (outer, inner) {
        (WindowSpan::Fixed(outer), WindowSpan::Fixed(inner)) => {
            !inner.is_empty() && inner.iter().all(|one| one.end <= lasts(outer, one.start))
        }
        (outer, inner) => outer == inner,
    }
}

/// The end of the time from `from` on that sorted intervals cover without a gap.
fn lasts(intervals: &[Interval], from: Instant) -> Instant {
    intervals.iter().fold(from, |at, next| if next.start <= at { at.max(next.end) } else { at })
}

/// The gaps between intervals, if more than half of the intervals follow each other
/// without a gap. Daylight saving time can cause such gaps.
fn find_gaps(intervals: &[Interval]) -> Vec<(Instant, Duration)> {
    let gaps: Vec<(Instant, Duration)> = intervals
        .windows(2)
        .filter_map(|pair| match pair {
            [a, b] => Some((a.end, b.start - a.end)),
            _ => None,
        })
        .collect();
    let closed = gaps.iter().filter(|(_, gap)| gap.is_zero()).count();
    if closed * 2 <= gaps.len() {
        return Vec::new();
    }
    gaps.into_iter().filter(|(_, gap)| *gap > Duration::zero()).collect()
}

/// Finds waivers that can last longer than the freeze for which they were made. Such
/// a waiver also applies in the next freeze.
fn waivers(
    table: &PolicyTable<'_>,
    window: &Window,
    class: Option<ClassId>,
) -> Result<Option<Proof>, String> {
    let (policy, rules) = (table.policy, &table.policy.waivers);
    let persons = usize::try_from(rules.persons).unwrap_or(usize::MAX);
    let grants = policy.roles.people(&rules.approvers).get(..persons);
    let (start, length, next) = match &window.span {
        WindowSpan::AfterMajorRelease { minimum, .. } => (table.from, *minimum, None),
        WindowSpan::Fixed(intervals) => {
            let coming = intervals.iter().filter(|interval| interval.start >= table.from);
            let Some(first) = coming.clone().min_by_key(|i| i.end - i.start) else {
                return Ok(None);
            };
            let next = coming.map(|interval| interval.start).find(|start| *start >= first.end);
            (first.start, first.end - first.start, next)
        }
    };
    let (Some(people), true) = (grants, rules.longest > length) else { return Ok(None) };
    let what = format!(
        "a waiver may last {} h, but the freeze \"{}\" only {} h: the waiver can last longer",
        rules.longest.num_hours(),
        window.name,
        length.num_hours()
    );
    let Some(own) = within(table, window, class, start) else {
        return Ok(Some(Proof { what, scenario: None }));
    };
    // The next freeze, if the waiver still applies then; else the end of this one.
    let then = next.filter(|then| *then - start < rules.longest).unwrap_or(start + length);
    let hours = rules.longest.num_hours();
    let mut waive = String::new();
    for by in people {
        let on = &own.onto;
        waive.push_str(&format!(
            "{by} waives freeze on {on} for {hours} hours because \"it cannot wait\"\n"
        ));
    }
    waive.push_str(&format!("{} minutes later\n", (then - start).num_minutes() + 1));
    let at = own.story.find("zoe commits").unwrap_or(own.story.len());
    let (before, after) = own.story.split_at(at);
    let story = format!("{before}{waive}{after}");
    let report = run_steps(policy, &story, start)?;
    Ok(Some(Proof { what, scenario: Some(expecting(table.name, &story, &report)) }))
}
