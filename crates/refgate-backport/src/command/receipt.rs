//! Is a backport exactly what git makes of its original?

use refgate_core::Receipt;
use refgate_gate::Exit;

use super::resume::recipes;
use crate::args::Place;
use crate::known::{named, open};
use crate::output::{Done, done, say};
use crate::receipt::of;

/// How much of a backport is git's own pick.
pub(crate) fn run(place: &Place, revision: &str, original: Option<&str>) -> Done {
    let reader = open(place)?;
    let commit = named(&reader, revision)?;
    let told = of(&reader, &recipes(place)?, commit, original)?;
    if place.json {
        say(&told.json().to_string());
    } else {
        say(&told.text());
    }
    let fine = told.receipt == Receipt::Exact;
    Ok(done(if fine { Exit::Accepted } else { Exit::Refused }))
}
