//! Parses a command line and asks at the terminal for missing arguments.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use clap::{CommandFactory as _, Parser as _};

use super::Args;

/// Parses a command line. Each missing required argument is passed to `ask` as a
/// question. `ask` returns `None` if there is no terminal; then the error is returned.
pub(crate) fn parse(
    mut words: Vec<OsString>,
    mut ask: impl FnMut(&str) -> Option<String>,
) -> Result<Args, Error> {
    loop {
        let error = match Args::try_parse_from(&words) {
            Ok(args) => return Ok(args),
            Err(error) => error,
        };
        let Some(name) = missing(&error) else { return Err(error) };
        let Some(answer) = ask(&question(&words, &name)).filter(|answer| !answer.is_empty()) else {
            return Err(error);
        };
        let option = name.strip_prefix("--").and_then(|rest| rest.split([' ', '=']).next());
        let word = option.map_or_else(|| answer.clone(), |option| format!("--{option}={answer}"));
        words.push(word.into());
    }
}

/// The first missing argument, as clap names it: `--for <LENGTH>`, `<RULE>`.
fn missing(error: &Error) -> Option<String> {
    if error.kind() != ErrorKind::MissingRequiredArgument {
        return None;
    }
    match error.get(ContextKind::InvalidArg)? {
        ContextValue::Strings(names) => names.first().cloned(),
        ContextValue::String(name) => Some(name.clone()),
        _ => None,
    }
}

/// The help text of the argument, as a question.
fn question(words: &[OsString], name: &str) -> String {
    let mut command = Args::command();
    for word in words.iter().skip(1) {
        let word = word.to_string_lossy();
        if let Some(verb) = command.find_subcommand(&*word).cloned() {
            command = verb;
        }
    }
    let bare = name.trim_start_matches('-').split([' ', '=']).next().unwrap_or(name);
    let bare = bare.trim_matches(|c| matches!(c, '<' | '>' | '.' | '[' | ']'));
    let named = |arg: &&clap::Arg| {
        let value = arg.get_value_names().and_then(<[_]>::first).map(ToString::to_string);
        arg.get_long() == Some(bare) || value.as_deref() == Some(bare)
    };
    let help = command.get_arguments().find(named).and_then(|arg| arg.get_help());
    help.map_or_else(|| format!("{name}:"), |help| format!("{help} ({name}):"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Verb;

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn asks_for_missing_arguments() {
        let mut asked = Vec::new();
        let mut answers = vec!["2 days", "dev", "freeze"];
        let args = parse(words("refgate waive --reason law"), |question| {
            asked.push(question.to_string());
            let next = if question.contains("--for") {
                "2 days"
            } else if question.contains("--onto") {
                "dev"
            } else {
                "freeze"
            };
            answers.retain(|answer| *answer != next);
            Some(next.to_string())
        });
        let Ok(Args { verb: Verb::Waive(waive) }) = args else { panic!("{asked:?}") };
        assert_eq!((waive.rule.as_str(), waive.onto.as_str()), ("freeze", "dev"));
        assert!(answers.is_empty() && asked.len() == 3, "{asked:?}");
        assert!(asked.iter().any(|question| question.starts_with("How long")), "{asked:?}");
    }

    #[test]
    fn reports_missing_arguments_without_a_terminal() {
        let error = parse(words("refgate waive freeze"), |_| None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MissingRequiredArgument);
        let error = parse(words("refgate nonsense"), |_| panic!("nothing to ask")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSubcommand);
    }
}
