//! Parses scenarios. It is strict: an error names the line that it cannot parse.

use refgate_core::{ChangeMode, Duration, Instant};
use refgate_format::{parse_duration, parse_instant};

use crate::record_step::record;
use crate::step::{Expected, Line, MergeMethod, PathChange, PickTrailer, PushItem, Scenario, Step};
use crate::tokenizer::tokens;

/// A line that cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}\n    {text}")]
pub struct ScenarioError {
    /// The line number, from 1.
    pub line: usize,
    /// The cause.
    pub what: String,
    /// The text of the line.
    pub text: String,
}

/// Parses a file: one scenario, or several that begin with `scenario NAME`.
///
/// # Errors
/// Returns the first line that cannot be parsed.
pub fn parse_scenarios(name: &str, text: &str) -> Result<Vec<Scenario>, ScenarioError> {
    scenarios(name, text.lines().enumerate().map(|(place, line)| (place + 1, line)))
}

/// Parses a Markdown page: each fenced block marked `scenario` is one. Its name
/// is the heading above it.
///
/// # Errors
/// Returns the first line that cannot be parsed.
pub fn parse_markdown(name: &str, text: &str) -> Result<Vec<Scenario>, ScenarioError> {
    let mut all = Vec::new();
    let mut heading = name.to_string();
    let mut block: Option<Vec<(usize, &str)>> = None;
    for (place, line) in text.lines().enumerate() {
        match &mut block {
            Some(lines) if line.starts_with("```") => {
                let lines = std::mem::take(lines);
                all.extend(scenarios(&format!("{name}: {heading}"), lines.into_iter())?);
                block = None;
            }
            Some(lines) => lines.push((place + 1, line)),
            None if line.trim_end() == "```scenario" => block = Some(Vec::new()),
            None => {
                if let Some(title) = line.strip_prefix('#') {
                    heading = title.trim_start_matches('#').trim().to_string();
                }
            }
        }
    }
    Ok(all)
}

fn scenarios<'t>(
    name: &str,
    lines: impl Iterator<Item = (usize, &'t str)>,
) -> Result<Vec<Scenario>, ScenarioError> {
    let mut all = vec![Scenario { name: name.to_string(), lines: Vec::new() }];
    let mut policy: Option<(usize, String)> = None;
    for (number, text) in lines {
        if let Some((start, body)) = &mut policy {
            if text.trim_end() == "}" {
                let step = Step::PolicyText(std::mem::take(body));
                push(&mut all, Line { number: *start, text: "policy { … }".to_string(), step });
                policy = None;
            } else {
                body.push_str(text);
                body.push('\n');
            }
            continue;
        }
        let plain = text.trim();
        if plain.is_empty() || plain.starts_with('#') {
            continue;
        }
        if plain == "policy {" {
            policy = Some((number, String::new()));
        } else if let Some(title) = plain.strip_prefix("scenario ") {
            all.push(Scenario { name: format!("{name}: {title}"), lines: Vec::new() });
        } else {
            let fail = |what: String| ScenarioError { line: number, what, text: text.to_string() };
            let step = tokens(plain).and_then(|tokens| step(&tokens)).map_err(fail)?;
            push(&mut all, Line { number, text: plain.to_string(), step });
        }
    }
    if let Some((line, text)) = policy {
        return Err(ScenarioError { line, what: "the policy has no closing `}`".into(), text });
    }
    all.retain(|scenario| !scenario.lines.is_empty());
    Ok(all)
}

fn push(all: &mut [Scenario], line: Line) {
    if let Some(last) = all.last_mut() {
        last.lines.push(line);
    }
}

pub(crate) fn text(token: &str) -> Result<String, String> {
    token.strip_prefix('"').map(ToString::to_string).ok_or(format!("`{token}` must be in quotes"))
}

fn time(words: &[&str]) -> Result<Instant, String> {
    let joined = words.join(" ");
    parse_instant(&joined).ok_or(format!("`{joined}` is not a time"))
}

pub(crate) fn length(words: &[&str]) -> Result<Duration, String> {
    let joined = words.join(" ");
    parse_duration(&joined).ok_or(format!("`{joined}` is not a duration"))
}

fn step(tokens: &[String]) -> Result<Step, String> {
    let words: Vec<&str> = tokens.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["policy", name] => Ok(Step::Policy(name.trim_start_matches('"').to_string())),
        ["at", rest @ ..] => Ok(Step::At(time(rest)?)),
        [number, unit, "later"] => Ok(Step::Later(length(&[number, unit])?)),
        ["release", tag, "on", on, number, unit, "ago"] => Ok(Step::Release {
            tag: (*tag).to_string(),
            on: (*on).to_string(),
            ago: length(&[number, unit])?,
        }),
        ["expect", rest @ ..] => expect(rest),
        ["follow", "remedy"] => Ok(Step::Follow(1)),
        ["follow", "remedy", number] => {
            Ok(Step::Follow(number.parse().map_err(|_| format!("`{number}` is not a number"))?))
        }
        [who, verb, rest @ ..] => parse_person_step(who, verb, rest),
        _ => Err("this line is not a step".to_string()),
    }
}

fn parse_person_step(who: &str, verb: &str, rest: &[&str]) -> Result<Step, String> {
    let who = who.to_string();
    match (verb, rest) {
        ("branches", [name, "from", from]) => {
            Ok(Step::Branch { name: (*name).to_string(), from: (*from).to_string() })
        }
        ("resets", [branch, "to", to]) => {
            Ok(Step::Reset { branch: (*branch).to_string(), to: (*to).to_string() })
        }
        ("commits", [message, "on", branch, rest @ ..]) => {
            let (touches, rest) = touches(rest)?;
            let (forged_date, encoding) = match rest {
                [] => (None, None),
                ["dated", when @ ..] => (Some(time(when)?), None),
                ["encoded", "as", name] => (None, Some((*name).to_string())),
                _ => return Err(format!("unexpected text `{}`", rest.join(" "))),
            };
            let message = text(message)?;
            let branch = (*branch).to_string();
            Ok(Step::Commit { who, message, branch, touches, forged_date, encoding })
        }
        ("merges" | "squashes" | "forwards", rest) => merge(who, verb, rest),
        ("picks", [from, "onto", onto, tail @ ..]) => {
            let (from, onto) = ((*from).to_string(), (*onto).to_string());
            let (mark, tail) = match tail {
                ["silently", tail @ ..] => (PickTrailer::Nothing, tail),
                ["briefly", tail @ ..] => (PickTrailer::Brief, tail),
                ["as", "a", "fix", tail @ ..] => (PickTrailer::AsFix, tail),
                _ => (PickTrailer::Whole, tail),
            };
            let (touches, rest) = touches(tail)?;
            match rest {
                [] => Ok(Step::Pick { who, from, onto, mark, touches }),
                _ => Err(format!("unexpected text `{}`", rest.join(" "))),
            }
        }
        ("revises", ["the", "policy", "on", branch, "saying", message, tail @ ..])
            if matches!(tail, [] | ["keeping", "its", "revision"]) =>
        {
            let (branch, message) = ((*branch).to_string(), text(message)?);
            Ok(Step::Revise { who, branch, message, raised: tail.is_empty() })
        }
        ("tags", [name, "on", on, tail @ ..]) if matches!(tail, [] | ["lightly"]) => {
            let (name, on) = ((*name).to_string(), (*on).to_string());
            Ok(Step::Tag { who, name, on, light: !tail.is_empty() })
        }
        ("pushes" | "force-pushes", rest) => pushes(who, verb == "force-pushes", rest),
        ("deletes", names) => {
            let specs = names.iter().filter(|name| **name != "and");
            let specs = specs.map(|name| PushItem { from: None, to: full(name) }).collect();
            Ok(Step::Push { who, specs, options: Vec::new() })
        }
        _ => record(who, verb, rest),
    }
}

fn merge(who: String, verb: &str, rest: &[&str]) -> Result<Step, String> {
    let into_at = rest.iter().position(|word| *word == "into").ok_or("`into BRANCH` is missing")?;
    let (from, tail) = rest.split_at(into_at);
    let [_, into, tail @ ..] = tail else { return Err("`into` needs a branch".to_string()) };
    let from = from.iter().filter(|word| **word != "and").map(|word| (*word).to_string()).collect();
    let (mut touched, mut message) = (Vec::new(), None);
    let mut how = match verb {
        "squashes" => MergeMethod::Squash,
        "forwards" => MergeMethod::Forward,
        _ => MergeMethod::Merge,
    };
    let mut tail = tail;
    loop {
        tail = match tail {
            [] => break,
            ["the", "wrong", "way", "round", rest @ ..] => {
                how = MergeMethod::Foxtrot;
                rest
            }
            ["keeping", "ours", rest @ ..] => {
                how = MergeMethod::Ours;
                rest
            }
            ["saying", words, rest @ ..] => {
                message = Some(text(words)?);
                rest
            }
            other => {
                let (touches, rest) = touches(other)?;
                if touches.is_empty() {
                    return Err(format!("unexpected text `{}`", other.join(" ")));
                }
                touched.extend(touches);
                rest
            }
        };
    }
    Ok(Step::Merge { who, from, into: (*into).to_string(), how, message, touches: touched })
}

fn touches<'w, 's>(mut rest: &'s [&'w str]) -> Result<(Vec<PathChange>, &'s [&'w str]), String> {
    let mut all = Vec::new();
    loop {
        let mode = match rest.first() {
            Some(&"adding") => ChangeMode::Added,
            Some(&"changing") => ChangeMode::Modified,
            Some(&"deleting") => ChangeMode::Deleted,
            _ => return Ok((all, rest)),
        };
        let path = rest.get(1).ok_or("the path is missing")?.trim_start_matches('"').to_string();
        if !stays_inside(&path) {
            return Err(format!("`{path}` is not a path in the worktree"));
        }
        all.push(PathChange { path, mode });
        rest = rest.get(2..).unwrap_or(&[]);
    }
}

/// Whether a path stays in the worktree. A scenario must not write elsewhere.
fn stays_inside(path: &str) -> bool {
    let odd = |part: &str| part.is_empty() || part == "." || part == ".." || is_git(part);
    !path.split(['/', '\\']).any(odd)
}

/// Whether a name is `.git` on a file system that folds case or shortens names.
fn is_git(part: &str) -> bool {
    let plain: String = part.chars().filter(char::is_ascii_alphanumeric).collect();
    part.starts_with('.') && plain.eq_ignore_ascii_case("git")
        || part.to_ascii_lowercase().starts_with("git~")
}

/// Parses `dev`, `dev to stg`, `tag v1`, `dev and stg`, `with option class=docs`.
fn pushes(who: String, force: bool, rest: &[&str]) -> Result<Step, String> {
    let (mut specs, mut options) = (Vec::new(), Vec::new());
    let mut rest = rest;
    loop {
        rest = match rest {
            [] => break,
            ["and", tail @ ..] => tail,
            ["with", "option", option, tail @ ..] => {
                options.push(option.trim_start_matches('"').to_string());
                tail
            }
            ["tag", name, tail @ ..] => {
                let full = format!("refs/tags/{name}");
                specs.push(PushItem { from: Some(full.clone()), to: full });
                tail
            }
            [from, "to", to, tail @ ..] => {
                specs.push(PushItem { from: Some((*from).to_string()), to: full(to) });
                tail
            }
            [name, tail @ ..] => {
                specs.push(PushItem { from: Some((*name).to_string()), to: full(name) });
                tail
            }
        };
    }
    if specs.is_empty() {
        return Err("the push names no ref".to_string());
    }
    let _ = force; // A server cannot distinguish a forced push.
    Ok(Step::Push { who, specs, options })
}

pub(crate) fn full(name: &str) -> String {
    let name = name.trim_start_matches('"');
    if name.starts_with("refs/") { name.to_string() } else { format!("refs/heads/{name}") }
}

/// Parses `accept`, `reject freeze class`, `reject freeze: "text" "text"`.
fn expect(rest: &[&str]) -> Result<Step, String> {
    let [verdict, rest @ ..] = rest else { return Err("the verdict is missing".to_string()) };
    if !["accept", "reject", "undecided", "error"].contains(verdict) {
        return Err(format!("`{verdict}` is not a verdict"));
    }
    let mut expected =
        Expected { verdict: (*verdict).to_string(), rules: Vec::new(), texts: Vec::new() };
    for word in rest {
        match word.strip_prefix('"') {
            Some(said) => expected.texts.push(said.to_string()),
            None if *word == "and" => {}
            None => {
                let rule = word.trim_end_matches(':');
                refgate_core::RuleId::find(rule).ok_or(format!("there is no rule `{rule}`"))?;
                expected.rules.push(rule.to_string());
            }
        }
    }
    Ok(Step::Expect(expected))
}
