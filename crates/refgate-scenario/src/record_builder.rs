//! Builds the records of a scenario. Both worlds get the same text for the same step.

use refgate_core::{
    Duration, EvidenceKind, Instant, Oid, Policy, Record as Signed, RecordBody, RecordId, RefKind,
    RefName, RuleId,
};
use refgate_format::{read_record, record_text, shelf_of};

use crate::step::Record;

/// The repository id in the records of a scenario.
pub const REPOSITORY: &str = "portal";

/// The facts of a world that a record can name.
pub(crate) trait RecordContext {
    /// The commit and the tree of a local revision.
    fn commit(&self, name: &str) -> Option<(Oid, Oid)>;
    /// The policy in force.
    fn rules(&self) -> &Policy;
    /// The tree of the policy's directory, at a local revision.
    fn policy(&self, _name: &str) -> Option<Oid> {
        None
    }
    /// The value of a ref on the server, by its full name.
    fn value(&self, name: &str) -> Option<Oid>;
    /// The tag of the last major release.
    fn major(&self) -> Option<String>;
    /// The records made so far.
    fn records(&self) -> &[Signed];
}

/// Builds the records of a step. A deletion request with an approval gives two.
pub(crate) fn make(
    world: &dyn RecordContext,
    (who, at): (&str, Instant),
    record: &Record,
) -> Result<Vec<Signed>, String> {
    let mut all = vec![signed(who, at, reason(record), body(world, at, record)?)?];
    if let Record::Deletion { name, agreed_by: Some(by) } = record {
        let (on, of) = target(world, name)?;
        let body = RecordBody::Approval { rule: RuleId::Deletion, on, of };
        all.push(signed(by, at, "agreed", body)?);
    }
    Ok(all)
}

fn reason(record: &Record) -> &str {
    match record {
        Record::Waiver { reason, .. }
        | Record::Iteration { reason }
        | Record::Stop { reason, .. } => reason,
        _ => "recorded by a scenario",
    }
}

/// Parses the text of the record again, which gives it the id: the hash of its text.
fn signed(who: &str, at: Instant, reason: &str, body: RecordBody) -> Result<Signed, String> {
    let blank = Signed {
        id: RecordId([0; 32]),
        by: who.to_string(),
        at,
        repository: REPOSITORY.to_string(),
        reason: reason.to_string(),
        link: None,
        body,
    };
    read_record(&record_text(&blank)).map_err(|error| error.to_string())
}

fn target(world: &dyn RecordContext, name: &str) -> Result<(RefName, Oid), String> {
    let value = world.value(name).ok_or(format!("`{name}` is not on the server"))?;
    Ok((RefName::parse(name).map_err(|error| error.to_string())?, value))
}

fn branch(name: &str) -> Result<RefName, String> {
    RefName::branch(name).map_err(|error| error.to_string())
}

fn approval(
    world: &dyn RecordContext,
    rule: RuleId,
    of: &str,
    onto: Option<&String>,
) -> Result<RecordBody, String> {
    let flow = &world.rules().flow;
    let own = branch(onto.map_or(of, String::as_str))?;
    if rule == RuleId::PolicyChange {
        let folder = world.policy(of).ok_or("the policy is not in the repository")?;
        let on = flow.production().map_or(own, |(_, stage)| stage.branch.clone());
        return Ok(RecordBody::Approval { rule, on, of: folder });
    }
    let said = onto.is_some() || rule == RuleId::Deletion;
    let governed = said || matches!(world.rules().kind(&own), RefKind::Governed(_));
    let first = flow.stages.first().filter(|_| !governed);
    let on = first.map_or(own, |stage| stage.branch.clone());
    let of = world.commit(of).ok_or(format!("there is no `{of}`"))?.0;
    Ok(RecordBody::Approval { rule, on, of })
}

/// The failure of a candidate that a scenario named before.
fn failure(world: &dyn RecordContext, number: u32, release: &str) -> Result<RecordBody, String> {
    let is = |one: &&Signed| match &one.body {
        RecordBody::Candidate { release: of, number: n, .. } => of == release && *n == number,
        _ => false,
    };
    let of = world.records().iter().find(is).ok_or("there is no such candidate")?.id;
    Ok(RecordBody::UatFailed { release: release.to_string(), of })
}

fn body(world: &dyn RecordContext, at: Instant, record: &Record) -> Result<RecordBody, String> {
    let found = |name: &String| world.commit(name).ok_or(format!("there is no `{name}`"));
    let major = || world.major().ok_or("there is no major release yet".to_string());
    let until = |lasts: &Duration| at + *lasts;
    let last = |kind: fn(&RecordBody) -> bool| {
        let found = world.records().iter().rev().find(|record| kind(&record.body));
        found.ok_or("there is no such record".to_string())
    };
    Ok(match record {
        Record::Approval { rule, of, onto } => approval(world, *rule, of, onto.as_ref())?,
        Record::Waiver { rule, on, lasts, uses, .. } => RecordBody::Waiver {
            rule: *rule,
            on: branch(on)?,
            class: None,
            commit: None,
            until: until(lasts),
            uses: *uses,
            owes: None,
        },
        Record::SignOff { meaning, of } => {
            let (commit, tree) = found(of)?;
            RecordBody::SignOff { meaning: *meaning, commit, tree }
        }
        Record::Settled { of, class } => {
            RecordBody::Classification { commit: found(of)?.0, class: class.clone() }
        }
        Record::Exit => RecordBody::FreezeExit { release: major()? },
        Record::Evidence { what, run } => {
            let next = || format!("run-{}", world.records().len() + 1);
            let run =
                (*what == EvidenceKind::ProductionRun).then(|| run.clone().unwrap_or_else(next));
            RecordBody::Evidence { what: *what, release: major()?, run }
        }
        Record::Absence { person, lasts } => {
            RecordBody::Absence { person: person.clone(), until: until(lasts) }
        }
        Record::Iteration { .. } => RecordBody::Iteration { release: major()? },
        Record::Candidate { of, number, release } => {
            let (commit, tree) = found(of)?;
            RecordBody::Candidate { release: release.clone(), number: *number, commit, tree }
        }
        Record::Failed { number, release } => failure(world, *number, release)?,
        Record::Stop { stage, lasts, lets_through, .. } => RecordBody::Freeze {
            stages: vec![stage.clone()],
            lets_through: lets_through.clone(),
            until: until(lasts),
        },
        Record::Thaw => {
            RecordBody::Thaw { of: last(|body| matches!(body, RecordBody::Freeze { .. }))?.id }
        }
        Record::Certificate { person, course, lasts } => {
            let (person, course) = (person.clone(), course.clone());
            RecordBody::Certificate { person, course, until: until(lasts) }
        }
        Record::NotApplicable { fix, to } => {
            RecordBody::NotApplicable { fix: found(fix)?.0, to: branch(to)? }
        }
        Record::Withdrawal => {
            let record = last(|_| true)?;
            RecordBody::Withdrawal { of: record.id, shelf: shelf_of(&record.body) }
        }
        Record::Deletion { name, .. } => {
            let (on, value) = target(world, name)?;
            RecordBody::DeletionRequest { on, value }
        }
    })
}
