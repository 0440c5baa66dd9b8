//! Notes about exceptions that one person can make, and about roles that are too small for what
//! is asked of them (docs/design/model.md, "Two persons").

use refgate_core::{Policy, WindowSpan};

/// Something that lets a change pass before its time.
struct Exception<'p> {
    what: String,
    role: &'p str,
    persons: u32,
}

fn exceptions(policy: &Policy) -> Vec<Exception<'_>> {
    let mut all = vec![Exception {
        what: "waive a rule".to_string(),
        role: &policy.waivers.approvers,
        persons: policy.waivers.persons,
    }];
    for window in &policy.windows {
        let (name, persons) = (&window.name, window.persons);
        if !window.fast_track.is_empty() {
            let what = format!("approve a fast track in the freeze \"{name}\"");
            all.push(Exception { what, role: &window.approvers, persons });
        }
        if matches!(window.span, WindowSpan::AfterMajorRelease { .. }) {
            let what = format!("end the freeze \"{name}\" before its time");
            all.push(Exception { what, role: &policy.ledger.releases, persons });
        }
    }
    all.retain(|one| !one.role.is_empty());
    all
}

/// The exceptions that one person alone can make.
pub(super) fn alone(policy: &Policy) -> Vec<String> {
    let all = exceptions(policy).into_iter().filter(|one| one.persons == 1);
    all.map(|one| format!("one person alone can {} (`persons = 1`)", one.what)).collect()
}

/// The exceptions for which a role has too few people, or just enough.
pub(super) fn too_few(policy: &Policy) -> Vec<String> {
    let note = |one: Exception<'_>| {
        let Exception { what, role, persons } = one;
        let have = policy.roles.people(role).len();
        let wanted = usize::try_from(persons).unwrap_or(usize::MAX);
        if have < wanted {
            Some(format!(
                "nobody can {what}: it takes {wanted} people with the role `{role}`, which has \
                 {have}"
            ))
        } else if have == wanted && persons > 1 {
            Some(format!(
                "it takes all {have} people with the role `{role}` to {what}, so it is not \
                 possible for a change that one of them wrote"
            ))
        } else {
            None
        }
    };
    exceptions(policy).into_iter().filter_map(note).collect()
}
