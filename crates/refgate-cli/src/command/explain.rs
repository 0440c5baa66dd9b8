//! `refgate explain`: prints the manual page of a rule, or lists the rules.

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
        let message = format!("cannot find rule `{name}`\nhint: the rules are {}", all.join(", "));
        Failure::new(Exit::Usage, message)
    })?;
    say(&if args.markdown { rule.page().to_string() } else { page(rule.page()) });
    Ok(done(Exit::Accepted))
}
