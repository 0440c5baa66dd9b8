//! Does a freeze ever keep anything out, without holes, and does what is waived end with it?

use refgate_core::{ClassId, Duration, Instant, Interval, Policy, Window, WindowSpan};

use super::cases::{DeliveryPath, ProveCase, case, with_role};
use super::{PolicyTable, Proof, answer, expecting, told};

/// All that is wrong with one window.
///
/// # Errors
/// If a story cannot be told.
pub(super) fn of(court: &PolicyTable<'_>, window: &Window) -> Result<Vec<Proof>, String> {
    let mut found = Vec::new();
    let name = &window.name;
    let begins = begin(window, court.from);
    let strictest = court.policy.classes.ids().max_by_key(|id| court.policy.classes.rank(*id));
    let kept_out = |id: &ClassId| !window.lets_through.contains(id);
    let class = court
        .policy
        .classes
        .ids()
        .filter(kept_out)
        .max_by_key(|id| (!window.fast_track.contains(id), court.policy.classes.rank(*id)));
    if class.is_none() {
        found.push(Proof {
            what: format!("the freeze \"{name}\" lets every class through: it keeps nothing out"),
            scenario: show(court, window, strictest, begins)?,
        });
    }
    for id in window.fast_track.iter().filter(|id| window.lets_through.contains(id)) {
        let class = court.policy.classes.name(*id);
        found.push(Proof {
            what: format!(
                "the freeze \"{name}\" lets `{class}` through unasked; its fast track has no effect"
            ),
            scenario: show(court, window, Some(*id), begins)?,
        });
    }
    if let Some(other) = shadow(court.policy, window) {
        found.push(Proof {
            what: format!(
                "the freeze \"{name}\" decides nothing: \"{}\" keeps out all that it does",
                other.name
            ),
            scenario: show(court, window, class, begins)?,
        });
    }
    if let WindowSpan::Fixed(intervals) = &window.span {
        if !intervals.iter().any(|interval| interval.end > court.from) {
            found.push(Proof {
                what: format!("the freeze \"{name}\" lies in the past: it never applies again"),
                scenario: show(court, window, class, court.from)?,
            });
        }
        for (at, length) in holes(intervals) {
            found.push(Proof {
                what: format!(
                    "the freeze \"{name}\" leaves a gap: {} minutes from {at}",
                    length.num_minutes()
                ),
                scenario: show(court, window, class, at)?,
            });
        }
    }
    if class.is_some() {
        found.extend(waivers(court, window, class)?);
    }
    Ok(found)
}

/// When a window is in force for the first time from a moment on.
fn begin(window: &Window, from: Instant) -> Instant {
    match &window.span {
        WindowSpan::AfterMajorRelease { .. } => from,
        WindowSpan::Fixed(intervals) => {
            let next = intervals.iter().find(|interval| interval.end > from);
            next.map_or(from, |interval| interval.start.max(from))
        }
    }
}

/// The first stage of a window, a class and a moment, as whoever may push.
fn show(
    court: &PolicyTable<'_>,
    window: &Window,
    class: Option<ClassId>,
    at: Instant,
) -> Result<Option<String>, String> {
    let Some(case) = within(court, window, class, at) else { return Ok(None) };
    let report = answer(court.policy, &case)?;
    Ok(Some(expecting(court.name, &case.story, &report)))
}

/// A class on its way to the first stage of a window, at a moment.
fn within(
    court: &PolicyTable<'_>,
    window: &Window,
    class: Option<ClassId>,
    at: Instant,
) -> Option<ProveCase> {
    let policy = court.policy;
    let place = *window.stages.first()?;
    let (stage, class) = (policy.flow.stages.get(place)?, policy.classes.name(class?));
    let way = if place == 0 { DeliveryPath::Straight } else { DeliveryPath::Promotion };
    let who = with_role(policy, &stage.pushers).unwrap_or("ada");
    Some(case(policy, (stage.branch.short(), way), &class, who, (at, court.from.min(at))))
}

/// Another window that covers this one everywhere and always, and lets no more
/// through. Of two that are alike, the first one counts.
fn shadow<'p>(policy: &'p Policy, window: &Window) -> Option<&'p Window> {
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
        && spans(&outer.span, &inner.span)
}

/// Whether one span lies in another.
fn spans(outer: &WindowSpan, inner: &WindowSpan) -> bool {
    match (outer, inner) {
        (WindowSpan::Fixed(outer), WindowSpan::Fixed(inner)) => {
            !inner.is_empty() && inner.iter().all(|one| one.end <= lasts(outer, one.start))
        }
        (outer, inner) => outer == inner,
    }
}

/// Until when sorted intervals hold from a moment on without a gap.
fn lasts(intervals: &[Interval], from: Instant) -> Instant {
    intervals.iter().fold(from, |at, next| if next.start <= at { at.max(next.end) } else { at })
}

/// Windows that mostly follow each other without a gap, but not always: clocks
/// that jump leave holes.
fn holes(intervals: &[Interval]) -> Vec<(Instant, Duration)> {
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

/// A waiver that may last longer than the freeze that it is granted in: it can
/// let something through the next one, too.
fn waivers(
    court: &PolicyTable<'_>,
    window: &Window,
    class: Option<ClassId>,
) -> Result<Option<Proof>, String> {
    let (policy, rules) = (court.policy, &court.policy.waivers);
    let grants = policy.roles.people(&rules.approvers).first();
    let (start, length, next) = match &window.span {
        WindowSpan::AfterMajorRelease { minimum, .. } => (court.from, *minimum, None),
        WindowSpan::Fixed(intervals) => {
            let coming = intervals.iter().filter(|interval| interval.start >= court.from);
            let Some(first) = coming.clone().min_by_key(|i| i.end - i.start) else {
                return Ok(None);
            };
            let next = coming.map(|interval| interval.start).find(|start| *start >= first.end);
            (first.start, first.end - first.start, next)
        }
    };
    let (Some(by), true) = (grants, rules.longest > length) else { return Ok(None) };
    let what = format!(
        "a waiver may last {} hours, longer than the freeze \"{}\" ({} hours): it would outlive it",
        rules.longest.num_hours(),
        window.name,
        length.num_hours()
    );
    let Some(own) = within(court, window, class, start) else {
        return Ok(Some(Proof { what, scenario: None }));
    };
    // The next freeze, if the waiver reaches it; else the day after this one.
    let then = next.filter(|then| *then - start < rules.longest).unwrap_or(start + length);
    let waive = format!(
        "{by} waives freeze on {} for {} hours because \"it cannot wait\"\n{} minutes later\n",
        own.onto,
        rules.longest.num_hours(),
        (then - start).num_minutes() + 1
    );
    let at = own.story.find("zoe commits").unwrap_or(own.story.len());
    let (before, after) = own.story.split_at(at);
    let story = format!("{before}{waive}{after}");
    let report = told(policy, &story, start)?;
    Ok(Some(Proof { what, scenario: Some(expecting(court.name, &story, &report)) }))
}
