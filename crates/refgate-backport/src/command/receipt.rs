//! `git backport receipt`: compares a backport with Git's own pick of its original.

use refgate_core::Receipt;
use refgate_gate::Exit;

use crate::args::RepositoryArgs;
use crate::fix_index::{named, open};
use crate::output::{VerbResult, done, say, say_json};
use crate::policy_answer::PolicyAnswers;
use crate::receipt_report::of;

/// Prints the receipt of a backport. Exits with 1 if it is not exact.
pub(crate) fn run(place: &RepositoryArgs, revision: &str, original: Option<&str>) -> VerbResult {
    let reader = open(place)?;
    let commit = named(&reader, revision)?;
    let rules = PolicyAnswers::find(&reader, place)?;
    let recipes = rules.map(|rules| rules.policy.recipes).unwrap_or_default();
    let told = of(&reader, &recipes, commit, original)?;
    if place.json {
        say_json(&told.json());
    } else {
        say(&told.text());
    }
    let fine = told.receipt == Receipt::Exact;
    Ok(done(if fine { Exit::Accepted } else { Exit::Rejected }))
}
