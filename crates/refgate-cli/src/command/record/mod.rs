//! The verbs that put something on record: what each says, and what it binds.

mod ask;
mod desk;

use refgate_core::{
    Body, Instant, LEDGER, Meaning, Observed, Record, RecordId, RefKind, RefName, RuleId,
};
use refgate_format::{parse_duration, read_record, shelf_of, split_file};
use refgate_gate::Exit;

pub(crate) use desk::Desk;

use crate::args::{
    Approve, Certify, DeleteRequest, Evidence, Freeze, FreezeVerb, MeaningArg, NotApplicable,
    Release, ReleaseVerb, SignOff, Waive, Withdraw,
};
use crate::output::{Done, Failure};

fn usage(message: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, message)
}

fn rule(name: &str) -> Result<RuleId, Failure> {
    RuleId::find(name)
        .ok_or_else(|| usage(format!("there is no rule `{name}`; see `refgate explain`")))
}

fn branch(name: &str) -> Result<RefName, Failure> {
    let full =
        if name.starts_with("refs/") { name.to_string() } else { format!("refs/heads/{name}") };
    RefName::parse(&full).map_err(|why| usage(format!("`{name}`: {why}")))
}

fn ends(desk: &Desk<'_>, lasts: &str) -> Result<Instant, Failure> {
    let length = parse_duration(lasts)
        .ok_or_else(|| usage(format!("`{lasts}` is no length of time, such as \"2 days\"")))?;
    Ok(desk.asked.at + length)
}

pub(crate) fn approve(args: &Approve) -> Done {
    let desk = Desk::open(&args.desk)?;
    let rule = rule(&args.rule)?;
    let first = desk.asked.policy.flow.stages.first().map(|stage| stage.branch.clone());
    let onto = match (args.onto.as_str(), first) {
        ("", Some(first)) => first,
        (name, _) => branch(name)?,
    };
    let (on, of) = match rule {
        RuleId::PolicyChange => {
            let commit = desk.commit(&args.what)?;
            let (on, folder) = policy_folder(&desk)?;
            let tree = desk.asked.reader.folder_in(commit, &folder)?.ok_or_else(|| {
                Failure::new(Exit::BadInput, format!("`{}` has no folder `{folder}`", args.what))
            })?;
            (on, tree)
        }
        RuleId::Deletion => {
            let on = named(&desk, &args.what)?;
            let value = desk.asked.reader.reference(&on)?.map(|(id, _)| id);
            let missing = || Failure::new(Exit::BadInput, format!("there is no `{on}`"));
            (on.clone(), value.ok_or_else(missing)?)
        }
        _ if !matches!(desk.asked.policy.kind(&onto), RefKind::Governed(_)) => {
            let message = format!("`{}` is no stage or line, so nothing lands there", onto.short());
            return Err(usage(message));
        }
        _ => (onto, desk.commit(&args.what)?),
    };
    desk.make(Body::Approval { rule, on, of })
}

/// The branch and the folder in which the policy lies.
fn policy_folder(desk: &Desk<'_>) -> Result<(RefName, String), Failure> {
    let refgate_format::PolicySource::Tracked { branch: name, path } = &desk.asked.source else {
        let message = "the policy lies on the server's disk, so nobody approves it by record";
        return Err(Failure::new(Exit::BadInput, message));
    };
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_string();
    let production = desk.asked.policy.flow.production().map(|(_, stage)| stage.branch.clone());
    Ok((production.map_or_else(|| branch(name), Ok)?, folder))
}

/// A branch or tag, whichever exists.
fn named(desk: &Desk<'_>, name: &str) -> Result<RefName, Failure> {
    let tag = RefName::parse(&format!("refs/tags/{name}"));
    match tag {
        Ok(tag) if desk.asked.reader.reference(&tag)?.is_some() => Ok(tag),
        _ => branch(name),
    }
}

pub(crate) fn sign_off(args: &SignOff) -> Done {
    let desk = Desk::open(&args.desk)?;
    let meaning = match args.meaning {
        MeaningArg::Uat => Meaning::Uat,
        MeaningArg::Validation => Meaning::Validation,
        MeaningArg::ChangeApproval => Meaning::ChangeApproval,
        MeaningArg::FreezeExit => return desk.make(Body::FreezeExit { release: desk.major()? }),
        MeaningArg::Classification => {
            let (Some(what), Some(class)) = (&args.what, &args.class) else {
                return Err(usage("a classification names a commit, and a --class"));
            };
            let (commit, class) = (desk.commit(what)?, class.clone());
            return desk.make(Body::Classification { commit, class });
        }
    };
    let production = desk.asked.policy.flow.production().map_or(0, |(place, _)| place);
    let what = match &args.what {
        Some(what) => what.clone(),
        None => desk.stage(production.saturating_sub(1))?,
    };
    let commit = desk.commit(&what)?;
    desk.make(Body::SignOff { meaning, commit, tree: desk.tree(commit)? })
}

pub(crate) fn waive(args: &Waive) -> Done {
    let desk = Desk::open(&args.desk)?;
    let commit = args.commit.as_deref().map(|revision| desk.commit(revision)).transpose()?;
    let (rule, on, until) = (rule(&args.rule)?, branch(&args.onto)?, ends(&desk, &args.lasts)?);
    let (class, uses, owes) = (args.class.clone(), args.uses, args.owes.clone());
    desk.make(Body::Waiver { rule, on, class, commit, until, uses, owes })
}

pub(crate) fn freeze(args: &Freeze) -> Done {
    match &args.verb {
        FreezeVerb::Start { stages, lasts, lets_through, desk } => {
            let desk = Desk::open(desk)?;
            let (stages, lets_through) = (stages.clone(), lets_through.clone());
            let until = ends(&desk, lasts)?;
            desk.make(Body::Freeze { stages, lets_through, until })
        }
        FreezeVerb::End { id, desk } => {
            let desk = Desk::open(desk)?;
            let of = find(&desk, id)?.id;
            desk.make(Body::Thaw { of })
        }
    }
}

pub(crate) fn evidence(args: &Evidence) -> Done {
    let desk = Desk::open(&args.desk)?;
    let what = Observed::find(&args.what).ok_or_else(|| {
        let known = Observed::ALL.map(Observed::name).join(", ");
        usage(format!("`{}` is nothing that is recorded; known: {known}", args.what))
    })?;
    let release = args.release.clone().map_or_else(|| desk.major(), Ok)?;
    desk.make(Body::Evidence { what, release })
}

pub(crate) fn release(args: &Release) -> Done {
    match &args.verb {
        ReleaseVerb::Open { tag, desk } => {
            Desk::open(desk)?.make(Body::ReleaseOpen { release: tag.clone() })
        }
        ReleaseVerb::Finish { tag, desk } => {
            Desk::open(desk)?.make(Body::ReleaseFinish { release: tag.clone() })
        }
        ReleaseVerb::Dossier { tag, format, verify, place } => {
            crate::command::dossier::run(tag, *format, verify.as_deref(), place)
        }
        ReleaseVerb::Next { desk } => {
            let desk = Desk::open(desk)?;
            let release = desk.major()?;
            desk.make(Body::Iteration { release })
        }
        ReleaseVerb::Candidate { tag, what, desk } => {
            let desk = Desk::open(desk)?;
            let what = what.clone().map_or_else(|| desk.stage(0), Ok)?;
            let commit = desk.commit(&what)?;
            let number = candidates(&desk, tag)?.iter().map(number).max().unwrap_or(0) + 1;
            let (release, tree) = (tag.clone(), desk.tree(commit)?);
            desk.make(Body::Candidate { release, number, commit, tree })
        }
        ReleaseVerb::Fail { tag, desk } => {
            let desk = Desk::open(desk)?;
            let of = last_candidate(&desk, tag)?.id;
            desk.make(Body::UatFailed { release: tag.clone(), of })
        }
        ReleaseVerb::Withdraw { tag, desk } => {
            let desk = Desk::open(desk)?;
            let last = last_candidate(&desk, tag)?;
            desk.make(Body::Withdrawal { of: last.id, shelf: shelf_of(&last.body) })
        }
    }
}

fn number(record: &Record) -> u32 {
    match &record.body {
        Body::Candidate { number, .. } => *number,
        _ => 0,
    }
}

fn candidates(desk: &Desk<'_>, tag: &str) -> Result<Vec<Record>, Failure> {
    let all = all(desk)?.into_iter();
    let own = all.filter(|r| matches!(&r.body, Body::Candidate { release, .. } if release == tag));
    Ok(own.collect())
}

fn last_candidate(desk: &Desk<'_>, tag: &str) -> Result<Record, Failure> {
    candidates(desk, tag)?
        .into_iter()
        .max_by_key(number)
        .ok_or_else(|| Failure::new(Exit::BadInput, format!("the release {tag} has no candidate")))
}

pub(crate) fn not_applicable(args: &NotApplicable) -> Done {
    let desk = Desk::open(&args.desk)?;
    let (fix, to) = (desk.commit(&args.fix)?, branch(&args.to)?);
    desk.make(Body::NotApplicable { fix, to })
}

pub(crate) fn delete_request(args: &DeleteRequest) -> Done {
    let desk = Desk::open(&args.desk)?;
    let on = named(&desk, &args.what)?;
    let value = desk.asked.reader.reference(&on)?.map(|(id, _)| id);
    let missing = || Failure::new(Exit::BadInput, format!("there is no `{on}` on the server"));
    desk.make(Body::DeletionRequest { value: value.ok_or_else(missing)?, on })
}

pub(crate) fn certify(args: &Certify) -> Done {
    let desk = Desk::open(&args.desk)?;
    let until = ends(&desk, &args.lasts)?;
    let (person, course) = (args.person.clone(), args.course.clone());
    desk.make(Body::Certificate { person, course, until })
}

pub(crate) fn withdraw(args: &Withdraw) -> Done {
    about(args, |of, shelf| Body::Withdrawal { of, shelf })
}

pub(crate) fn settle(args: &Withdraw) -> Done {
    about(args, |of, shelf| Body::Settlement { of, shelf })
}

/// A record that speaks of another, and says where that lies.
fn about(args: &Withdraw, body: impl FnOnce(RecordId, String) -> Body) -> Done {
    let desk = Desk::open(&args.desk)?;
    let record = find(&desk, &args.id)?;
    desk.make(body(record.id, shelf_of(&record.body)))
}

/// Every record of the ledger here.
fn all(desk: &Desk<'_>) -> Result<Vec<Record>, Failure> {
    let mut all = Vec::new();
    let Some(tip) = desk.asked.reader.ledger_tip()? else { return Ok(all) };
    desk.asked.reader.all_records(tip, &mut |file| {
        let text = split_file(&file.text).map(|(text, _)| text.to_string());
        all.extend(text.ok().and_then(|text| read_record(&text).ok()));
        Ok(())
    })?;
    Ok(all)
}

/// The one record whose id begins so.
fn find(desk: &Desk<'_>, id: &str) -> Result<Record, Failure> {
    let mut found = all(desk)?.into_iter().filter(|record| record.id.to_string().starts_with(id));
    match (found.next(), found.next()) {
        (Some(record), None) => Ok(record),
        (None, _) => {
            Err(Failure::new(Exit::BadInput, format!("no record in {LEDGER} begins with `{id}`")))
        }
        _ => Err(Failure::new(Exit::BadInput, format!("several records begin with `{id}`"))),
    }
}
