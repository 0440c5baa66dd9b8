//! `refgate explain`: a rule's page of the manual.

use refgate_core::RuleId;
use refgate_gate::Exit;
use refgate_report::{page, page_title};

use crate::args::Explain;
use crate::output::{Failure, VerbResult, done, say};

pub(crate) fn run(args: &Explain) -> VerbResult {
    let Some(name) = &args.rule else {
        RuleId::ALL.iter().for_each(|rule| say(page_title(rule.page())));
        return Ok(done(Exit::Accepted));
    };
    let rule = RuleId::find(name).ok_or_else(|| {
        let all: Vec<&str> = RuleId::ALL.iter().map(|rule| rule.name()).collect();
        let message = format!("there is no rule `{name}`; rules: {}", all.join(", "));
        Failure::new(Exit::Usage, message)
    })?;
    say(&if args.markdown { rule.page().to_string() } else { page(rule.page()) });
    Ok(done(Exit::Accepted))
}
