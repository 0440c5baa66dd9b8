//! Reads `[score]`, the weights for changes that declare nothing.

use refgate_core::{ScoreFact, ScoreWeights};

use crate::complaint::Complaints;
use crate::table::Section;

/// The largest weight and threshold, so that no sum can overflow.
const LARGEST: i64 = 1_000;

/// Reads the weights. A key that the policy does not set has the standard value.
pub(super) fn score(
    c: &mut Complaints<'_>,
    root: &mut Section<'_>,
    base: &mut Section<'_>,
) -> ScoreWeights {
    let standard = base.table(c, "score");
    let own = root.table(c, "score");
    let span = own.as_ref().map(Section::span);
    let mut weights = ScoreWeights::default();
    for section in [standard, own].into_iter().flatten() {
        read(c, section, &mut weights);
    }
    if weights.other_up_to >= weights.feature_from {
        let what = "`other-up-to` must be below `feature-from`";
        c.hint(span.unwrap_or_default(), what, "the sums between them are asked for");
    }
    weights
}

fn read(c: &mut Complaints<'_>, mut section: Section<'_>, weights: &mut ScoreWeights) {
    if let Some(version) = section.number(c, "version") {
        weights.version = u32::try_from(version).unwrap_or(u32::MAX);
    }
    for (fact, weight) in ScoreFact::ALL.iter().zip(&mut weights.weights) {
        *weight = weight_of(c, &mut section, fact.name()).unwrap_or(*weight);
    }
    for (key, slot) in
        [("feature-from", &mut weights.feature_from), ("other-up-to", &mut weights.other_up_to)]
    {
        *slot = weight_of(c, &mut section, key).unwrap_or(*slot);
    }
    section.finish(c);
}

fn weight_of(c: &mut Complaints<'_>, section: &mut Section<'_>, key: &'static str) -> Option<i32> {
    let value = section.value(key)?;
    let number = value.get_ref().as_integer().and_then(|number| {
        i64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok()
    });
    let fits = number.filter(|number| (-LARGEST..=LARGEST).contains(number));
    if fits.is_none() {
        c.hint(value.span(), format!("invalid weight `{key}`"), "use a number from -1000 to 1000");
    }
    fits.and_then(|number| i32::try_from(number).ok())
}
