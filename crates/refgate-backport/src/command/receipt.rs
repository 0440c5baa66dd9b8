//! Is a backport exactly what git makes of its original?

use refgate_core::Receipt;
use refgate_gate::Exit;

use crate::args::Place;
use crate::known::{named, open};
use crate::output::{Done, done, say};
use crate::receipt::of;
use crate::rules::Rules;

/// How much of a backport is git's own pick.
pub(crate) fn run(place: &Place, revision: &str, original: Option<&str>) -> Done {
    let reader = open(place)?;
    let commit = named(&reader, revision)?;
    let rules = Rules::find(&reader, place)?;
    let recipes = rules.map(|rules| rules.policy.recipes).unwrap_or_default();
    let told = of(&reader, &recipes, commit, original)?;
    if place.json {
        say(&told.json().to_string());
    } else {
        say(&told.text());
    }
    let fine = told.receipt == Receipt::Exact;
    Ok(done(if fine { Exit::Accepted } else { Exit::Refused }))
}
