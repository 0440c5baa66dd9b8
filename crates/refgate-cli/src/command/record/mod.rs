//! The verbs that make records: each builds the body of its record from the command line.

mod record_signer;
mod sign_off_facts;
mod signing_key;
mod signing_prompts;

use refgate_core::{
    EvidenceKind, Instant, LEDGER, Meaning, Record, RecordBody, RecordId, RefKind, RefName, RuleId,
};
use refgate_format::{parse_duration, read_record, shelf_of, split_file};
use refgate_gate::Exit;

pub(crate) use record_signer::RecordSigner;

use crate::args::{
    Absence, Approve, Certify, DeleteRequest, Evidence, Freeze, FreezeVerb, MeaningArg,
    NotApplicable, Release, ReleaseVerb, SignOff, Waive, Withdraw,
};
use crate::output::{Failure, VerbResult, say};

fn usage(message: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, message)
}

fn rule(name: &str) -> Result<RuleId, Failure> {
    RuleId::find(name)
        .ok_or_else(|| usage(format!("cannot find rule `{name}`\nhint: run `refgate explain`")))
}

fn branch(name: &str) -> Result<RefName, Failure> {
    let full =
        if name.starts_with("refs/") { name.to_string() } else { format!("refs/heads/{name}") };
    RefName::parse(&full).map_err(|why| usage(format!("cannot use ref `{name}`: {why}")))
}

fn parse_end(signer: &RecordSigner<'_>, lasts: &str) -> Result<Instant, Failure> {
    let length = parse_duration(lasts)
        .ok_or_else(|| usage(format!("cannot parse `{lasts}`\nhint: write it as \"2 days\"")))?;
    Ok(signer.query.at + length)
}

pub(crate) fn approve(args: &Approve) -> VerbResult {
    let signer = RecordSigner::open(&args.signer)?;
    let rule = rule(&args.rule)?;
    let first = signer.query.policy.flow.stages.first().map(|stage| stage.branch.clone());
    let onto = match (args.onto.as_str(), first) {
        ("", Some(first)) => first,
        (name, _) => branch(name)?,
    };
    let (on, of) = match rule {
        RuleId::PolicyChange => {
            let commit = signer.commit(&args.what)?;
            let (on, folder) = policy_folder(&signer)?;
            let tree = signer.query.reader.folder_in(commit, &folder)?.ok_or_else(|| {
                Failure::new(Exit::BadInput, format!("cannot find `{folder}` in `{}`", args.what))
            })?;
            (on, tree)
        }
        RuleId::Deletion => {
            let on = named(&signer, &args.what)?;
            let value = signer.query.reader.reference(&on)?.map(|(id, _)| id);
            let missing = || Failure::new(Exit::BadInput, format!("cannot find `{on}`"));
            (on.clone(), value.ok_or_else(missing)?)
        }
        _ if !matches!(signer.query.policy.kind(&onto), RefKind::Governed(_)) => {
            let message =
                format!("cannot approve a landing on `{}`: not a stage or line", onto.short());
            return Err(usage(message));
        }
        _ => (onto, signer.commit(&args.what)?),
    };
    signer.make(RecordBody::Approval { rule, on, of })
}

/// The production branch and the directory of the policy in the repository.
fn policy_folder(signer: &RecordSigner<'_>) -> Result<(RefName, String), Failure> {
    let refgate_format::PolicySource::Tracked { branch: name, path } = &signer.query.source else {
        let message = "cannot approve a policy change: the policy is a file on the server";
        return Err(Failure::new(Exit::BadInput, message));
    };
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_string();
    let production = signer.query.policy.flow.production().map(|(_, stage)| stage.branch.clone());
    Ok((production.map_or_else(|| branch(name), Ok)?, folder))
}

/// The tag with this name if it exists, otherwise the branch.
fn named(signer: &RecordSigner<'_>, name: &str) -> Result<RefName, Failure> {
    let tag = RefName::parse(&format!("refs/tags/{name}"));
    match tag {
        Ok(tag) if signer.query.reader.reference(&tag)?.is_some() => Ok(tag),
        _ => branch(name),
    }
}

pub(crate) fn sign_off(args: &SignOff) -> VerbResult {
    let signer = RecordSigner::open(&args.signer)?;
    let meaning = match args.meaning {
        MeaningArg::Uat => Meaning::Uat,
        MeaningArg::Validation => Meaning::Validation,
        MeaningArg::ChangeApproval => Meaning::ChangeApproval,
        MeaningArg::FreezeExit => {
            return signer.make(RecordBody::FreezeExit { release: signer.major()? });
        }
        MeaningArg::Classification => {
            let (Some(what), Some(class)) = (&args.what, &args.class) else {
                return Err(usage("a classification requires a commit and --class"));
            };
            let (commit, class) = (signer.commit(what)?, class.clone());
            return signer.make(RecordBody::Classification { commit, class });
        }
    };
    let production = signer.query.policy.flow.production().map_or(0, |(place, _)| place);
    let what = match &args.what {
        Some(what) => what.clone(),
        None => signer.stage(production.saturating_sub(1))?,
    };
    let commit = signer.commit(&what)?;
    let facts = sign_off_facts::gather(&signer, &all(&signer)?, meaning, commit)?;
    if !args.signer.json {
        let lines = facts.lines.iter().map(|(label, text)| format!("  {label:<10} {text}"));
        say(&format!("{}\n", lines.collect::<Vec<_>>().join("\n")));
    }
    if !facts.unexpected.is_empty() && !args.force {
        let why = facts.unexpected.join("; ");
        let message =
            format!("cannot sign off {}: {why}\nhint: use --force if it is meant", commit.short());
        return Err(Failure::new(Exit::BadInput, message));
    }
    signer.make(RecordBody::SignOff { meaning, commit, tree: signer.tree(commit)? })
}

pub(crate) fn waive(args: &Waive) -> VerbResult {
    let signer = RecordSigner::open(&args.signer)?;
    let commit = args.commit.as_deref().map(|revision| signer.commit(revision)).transpose()?;
    let (rule, on, until) =
        (rule(&args.rule)?, branch(&args.onto)?, parse_end(&signer, &args.lasts)?);
    let (class, uses, owes) = (args.class.clone(), args.uses, args.owes.clone());
    signer.make(RecordBody::Waiver { rule, on, class, commit, until, uses, owes })
}

pub(crate) fn freeze(args: &Freeze) -> VerbResult {
    match &args.verb {
        FreezeVerb::Start { stages, lasts, lets_through, signer } => {
            let signer = RecordSigner::open(signer)?;
            let (stages, lets_through) = (stages.clone(), lets_through.clone());
            let until = parse_end(&signer, lasts)?;
            signer.make(RecordBody::Freeze { stages, lets_through, until })
        }
        FreezeVerb::End { id, signer } => {
            let signer = RecordSigner::open(signer)?;
            let of = find(&signer, id)?.id;
            signer.make(RecordBody::Thaw { of })
        }
    }
}

pub(crate) fn evidence(args: &Evidence) -> VerbResult {
    let signer = RecordSigner::open(&args.signer)?;
    let what = EvidenceKind::find(&args.what).ok_or_else(|| {
        let known = EvidenceKind::ALL.map(EvidenceKind::name).join(", ");
        usage(format!("cannot record evidence `{}`; the kinds are {known}", args.what))
    })?;
    let release = args.release.clone().map_or_else(|| signer.major(), Ok)?;
    let run = match (what, &args.run) {
        (EvidenceKind::ProductionRun, Some(run)) => Some(run.clone()),
        (EvidenceKind::ProductionRun, None) => {
            let message = "a production run requires its id\nhint: refgate evidence \
                           production-run --run ID";
            return Err(usage(message));
        }
        (_, Some(_)) => return Err(usage("--run requires the kind production-run")),
        (_, None) => None,
    };
    signer.make(RecordBody::Evidence { what, release, run })
}

pub(crate) fn absence(args: &Absence) -> VerbResult {
    let signer = RecordSigner::open(&args.signer)?;
    let until = parse_end(&signer, &args.lasts)?;
    signer.make(RecordBody::Absence { person: args.person.clone(), until })
}

pub(crate) fn release(args: &Release) -> VerbResult {
    match &args.verb {
        ReleaseVerb::Open { tag, signer } => {
            RecordSigner::open(signer)?.make(RecordBody::ReleaseOpen { release: tag.clone() })
        }
        ReleaseVerb::Finish { tag, signer } => {
            RecordSigner::open(signer)?.make(RecordBody::ReleaseFinish { release: tag.clone() })
        }
        ReleaseVerb::Dossier { tag, format, verify, place } => {
            crate::command::dossier::run(tag, *format, verify.as_deref(), place)
        }
        ReleaseVerb::Next { signer } => {
            let signer = RecordSigner::open(signer)?;
            let release = signer.major()?;
            signer.make(RecordBody::Iteration { release })
        }
        ReleaseVerb::Candidate { tag, what, signer } => {
            let signer = RecordSigner::open(signer)?;
            let what = what.clone().map_or_else(|| signer.stage(0), Ok)?;
            let commit = signer.commit(&what)?;
            let number = candidates(&signer, tag)?.iter().map(number).max().unwrap_or(0) + 1;
            let (release, tree) = (tag.clone(), signer.tree(commit)?);
            signer.make(RecordBody::Candidate { release, number, commit, tree })
        }
        ReleaseVerb::Fail { tag, signer } => {
            let signer = RecordSigner::open(signer)?;
            let of = last_candidate(&signer, tag)?.id;
            signer.make(RecordBody::UatFailed { release: tag.clone(), of })
        }
        ReleaseVerb::Withdraw { tag, signer } => {
            let signer = RecordSigner::open(signer)?;
            let last = last_candidate(&signer, tag)?;
            signer.make(RecordBody::Withdrawal { of: last.id, shelf: shelf_of(&last.body) })
        }
    }
}

fn number(record: &Record) -> u32 {
    match &record.body {
        RecordBody::Candidate { number, .. } => *number,
        _ => 0,
    }
}

fn candidates(signer: &RecordSigner<'_>, tag: &str) -> Result<Vec<Record>, Failure> {
    let all = all(signer)?.into_iter();
    let own =
        all.filter(|r| matches!(&r.body, RecordBody::Candidate { release, .. } if release == tag));
    Ok(own.collect())
}

fn last_candidate(signer: &RecordSigner<'_>, tag: &str) -> Result<Record, Failure> {
    candidates(signer, tag)?
        .into_iter()
        .max_by_key(number)
        .ok_or_else(|| Failure::new(Exit::BadInput, format!("cannot find a candidate of {tag}")))
}

pub(crate) fn not_applicable(args: &NotApplicable) -> VerbResult {
    let signer = RecordSigner::open(&args.signer)?;
    let (fix, to) = (signer.commit(&args.fix)?, branch(&args.to)?);
    signer.make(RecordBody::NotApplicable { fix, to })
}

pub(crate) fn delete_request(args: &DeleteRequest) -> VerbResult {
    let signer = RecordSigner::open(&args.signer)?;
    let on = named(&signer, &args.what)?;
    let value = signer.query.reader.reference(&on)?.map(|(id, _)| id);
    let missing = || Failure::new(Exit::BadInput, format!("cannot find `{on}` on the server"));
    signer.make(RecordBody::DeletionRequest { value: value.ok_or_else(missing)?, on })
}

pub(crate) fn certify(args: &Certify) -> VerbResult {
    let signer = RecordSigner::open(&args.signer)?;
    let until = parse_end(&signer, &args.lasts)?;
    let (person, course) = (args.person.clone(), args.course.clone());
    signer.make(RecordBody::Certificate { person, course, until })
}

pub(crate) fn withdraw(args: &Withdraw) -> VerbResult {
    about(args, |of, shelf| RecordBody::Withdrawal { of, shelf })
}

pub(crate) fn settle(args: &Withdraw) -> VerbResult {
    about(args, |of, shelf| RecordBody::Settlement { of, shelf })
}

/// Makes a record about another record. The body names the id and the shelf of the other.
fn about(args: &Withdraw, body: impl FnOnce(RecordId, String) -> RecordBody) -> VerbResult {
    let signer = RecordSigner::open(&args.signer)?;
    let record = find(&signer, &args.id)?;
    signer.make(body(record.id, shelf_of(&record.body)))
}

/// All records of the ledger in this repository.
fn all(signer: &RecordSigner<'_>) -> Result<Vec<Record>, Failure> {
    let mut all = Vec::new();
    let Some(tip) = signer.query.reader.ledger_tip()? else { return Ok(all) };
    signer.query.reader.all_records(tip, &mut |file| {
        let text = split_file(&file.text).map(|(text, _)| text.to_string());
        all.extend(text.ok().and_then(|text| read_record(&text).ok()));
        Ok(())
    })?;
    Ok(all)
}

/// The record whose id begins with `id`. It is an error if there is not exactly one.
fn find(signer: &RecordSigner<'_>, id: &str) -> Result<Record, Failure> {
    let mut found = all(signer)?.into_iter().filter(|record| record.id.to_string().starts_with(id));
    match (found.next(), found.next()) {
        (Some(record), None) => Ok(record),
        (None, _) => {
            Err(Failure::new(Exit::BadInput, format!("cannot find a record `{id}` in {LEDGER}")))
        }
        _ => Err(Failure::new(Exit::BadInput, format!("cannot use id `{id}`: it is ambiguous"))),
    }
}
