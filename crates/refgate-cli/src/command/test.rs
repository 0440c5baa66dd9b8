//! `refgate test`: runs the scenarios that users write for their policy.

use std::path::Path;

use refgate_gate::Exit;
use refgate_scenario::{Scenario, parse_markdown, parse_scenarios, run_in_memory, run_on_disk};
use serde_json::json;

use crate::args::Test;
use crate::command::install::hook_program;
use crate::output::{Failure, VerbResult, done, say, say_json};

pub(crate) fn run(args: &Test) -> VerbResult {
    let (mut passed, mut failed) = (0_usize, 0_usize);
    for file in &args.files {
        let shown = file.display().to_string();
        let bad =
            |what: String| Failure::new(Exit::BadInput, format!("cannot run {shown}: {what}"));
        let text = std::fs::read_to_string(file).map_err(|error| bad(error.to_string()))?;
        let name = file.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        let markdown = file.extension().is_some_and(|extension| extension == "md");
        let read = if markdown { parse_markdown } else { parse_scenarios };
        let scenarios = read(&name, &text).map_err(|error| bad(error.to_string()))?;
        if scenarios.is_empty() {
            return Err(bad("the file contains no scenario".to_string()));
        }
        // A scenario names its policy relative to its own file.
        let folder = file.parent().unwrap_or(Path::new("."));
        for scenario in &scenarios {
            let result = one(args, scenario, folder)?;
            match &result {
                None => passed += 1,
                Some(_) => failed += 1,
            }
            if args.json {
                let object = json!({
                    "scenario": scenario.name, "passed": result.is_none(), "failure": result,
                });
                say_json(&object);
            } else {
                say(&match result {
                    None => format!("ok      {}", scenario.name),
                    Some(why) => format!("FAILED  {why}"),
                });
            }
        }
    }
    if !args.json {
        say(&format!("{passed} passed, {failed} failed"));
    }
    Ok(done(if failed == 0 { Exit::Accepted } else { Exit::Failed }))
}

/// Runs one scenario. Returns why it failed, or `None` if it passed.
fn one(args: &Test, scenario: &Scenario, folder: &Path) -> Result<Option<String>, Failure> {
    let here = std::env::current_dir()?;
    let default = args.policy.as_deref().map(|name| here.join(name).display().to_string());
    // A built-in policy has a name and no path.
    let default = match (&args.policy, default) {
        (Some(name), _) if refgate_gate::builtin(name).is_some() => Some(name.clone()),
        (_, path) => path,
    };
    if let Err(failure) = run_in_memory(scenario, folder, default.as_deref()) {
        return Ok(Some(failure.to_string()));
    }
    if args.real {
        let hook = hook_program(None)?;
        if let Err(failure) = run_on_disk(scenario, folder, default.as_deref(), &hook) {
            return Ok(Some(format!("in a real repository: {failure}")));
        }
    }
    Ok(None)
}
