//! `refgate demo`: pushes to a temporary server and prints what a pusher sees.

use refgate_gate::{Exit, builtin};
use refgate_report::clean_block;
use refgate_scenario::{RealWorld, Report, Scenario, Step, parse_scenarios};

use crate::args::Demo;
use crate::command::install::hook_program;
use crate::output::{Failure, VerbResult, done, say};

/// The scenarios of the demonstration, with the verdicts that `run` checks.
const STORY: &str = include_str!("demo.scn");

pub(crate) fn run(args: &Demo) -> VerbResult {
    let failed = |what: String| Failure::new(Exit::Failed, what);
    let hook = match hook_program(None) {
        Ok(hook) => hook,
        // `cargo run --bin refgate` builds this program alone.
        Err(_) => build_hook()?,
    };
    let scenarios = parse_scenarios("demo", STORY).map_err(|error| failed(error.to_string()))?;
    let text = builtin("portal").unwrap_or_default();
    let clock = refgate_format::parse_instant("2026-12-24 10:00 Europe/Paris").unwrap_or_default();
    let time = refgate_gate::horizon(clock);
    let policy = refgate_gate::policy_from_text(text, "portal", time, |_| None)
        .map_err(|error| failed(error.to_string()))?;
    let mut world =
        RealWorld::new(text, policy, clock, &hook).map_err(|error| failed(error.to_string()))?;
    say("A temporary server with the policy \"portal\": dev -> stg -> main. Today is");
    say("24 December 2026. v2.0.0 was released to production 12 days ago.");
    let mut wrong = 0;
    for scenario in &scenarios {
        wrong += usize::from(!tell(&mut world, scenario).map_err(failed)?);
    }
    if args.keep {
        say(&format!("\nThe server and a clone are in {}", world.keep().display()));
    }
    if wrong > 0 {
        return Err(failed(format!("verdicts that were not as expected: {wrong}")));
    }
    say("\nEvery verdict was as expected. Next, try `refgate explain freeze`,");
    say("`refgate install REPO` or `refgate replay REPO`.");
    Ok(done(Exit::Accepted))
}

/// Runs one scenario and prints it. Returns whether all verdicts were as expected.
fn tell(world: &mut RealWorld, scenario: &Scenario) -> Result<bool, String> {
    let title = scenario.name.trim_start_matches("demo: ");
    say(&format!("\n--- {title}\n"));
    let mut last = Report::default();
    let mut as_expected = true;
    for line in &scenario.lines {
        if let Step::Expect(expected) = &line.step {
            let same = last.verdict == expected.verdict;
            let rules = expected.rules.iter().all(|rule| last.rules.contains(rule));
            as_expected &= same && rules;
            let mark = if same && rules { "as expected" } else { "NOT AS EXPECTED" };
            say(&format!("[{}: {mark}]", last.verdict));
            continue;
        }
        say(&shown(&line.step, &line.text));
        let report = world.perform(&line.step).map_err(|error| error.to_string())?;
        if let Some(report) = report {
            // The hook cleans its own text. This cleans the text of Git.
            let accepted = report.verdict == "accept";
            let said = if accepted { "(accepted)".to_string() } else { clean_block(&report.text) };
            for line in said.lines() {
                let server = !accepted && !line.starts_with("error: ");
                say(format!("{}{line}", if server { "remote: " } else { "" }).trim_end());
            }
            last = report;
        }
    }
    Ok(as_expected)
}

/// A push as a command line; every other step as the text of the scenario.
fn shown(step: &Step, text: &str) -> String {
    match step {
        Step::Push { who, specs, .. } => {
            let names = specs.iter().filter_map(|spec| spec.from.clone()).collect::<Vec<_>>();
            format!("{who}$ git push origin {}", names.join(" "))
        }
        _ => format!("  # {text}"),
    }
}

/// Builds the hook program with Cargo, in the profile of this program.
fn build_hook() -> Result<std::path::PathBuf, Failure> {
    let own = std::env::current_exe()?;
    let release = own.parent().is_some_and(|folder| folder.ends_with("release"));
    let manifest = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let mut cargo = std::process::Command::new("cargo");
    cargo.args(["build", "--quiet", "--package", "refgate-hook", "--manifest-path"]).arg(manifest);
    if release {
        cargo.arg("--release");
    }
    crate::output::tell("building the hook …");
    let built = cargo.status().is_ok_and(|status| status.success());
    if !built {
        let message = "cannot build the hook\nhint: run `cargo build --release --workspace`";
        return Err(Failure::new(Exit::BadSetup, message));
    }
    hook_program(None)
}
