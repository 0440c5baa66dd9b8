//! Reads verdict, rules and remedies from the output of a push. It uses nothing but the text.

use crate::runner::Report;

/// The commands of a printed remedy. The first remedy has the number 1.
#[must_use]
pub fn remedy(text: &str, number: usize) -> Option<Vec<String>> {
    let lines: Vec<&str> = text.lines().collect();
    let starts: Vec<usize> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.starts_with("  To fix it,"))
        .map(|(at, _)| at)
        .collect();
    let start = *starts.get(number.checked_sub(1)?)?;
    let commands = lines.iter().skip(start + 1).skip_while(|line| !line.starts_with("    git "));
    let commands = commands.take_while(|line| line.starts_with("    git "));
    Some(commands.map(|line| line.trim().to_string()).collect())
}

/// Reads the verdict and the rules, which the output names in brackets.
pub(crate) fn report(text: &str, success: bool) -> Report {
    let said: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("remote: ")).map(str::trim_end).collect();
    let rejected =
        said.iter().any(|line| line.starts_with("refgate: push rejected. Nothing has changed"));
    let undecided =
        said.iter().any(|line| line.starts_with("refgate: push rejected, because it could not"));
    let verdict = match (success, rejected, undecided) {
        (true, ..) => "accept",
        (_, true, _) => "reject",
        (_, _, true) => "undecided",
        _ => "error",
    };
    let rules = said.iter().filter_map(|line| {
        let (name, _) = line.strip_prefix("  [")?.split_once(']')?;
        refgate_core::RuleId::find(name).map(|rule| rule.name().to_string())
    });
    let plain = text.lines().map(|line| line.strip_prefix("remote: ").unwrap_or(line).trim_end());
    Report {
        verdict: verdict.to_string(),
        rules: rules.collect(),
        text: if success { String::new() } else { plain.collect::<Vec<_>>().join("\n") },
    }
}
