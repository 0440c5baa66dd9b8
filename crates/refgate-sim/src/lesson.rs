//! Parses lessons. A lesson has a story, a task, triggers, a goal, hints, solutions and traps.

use refgate_core::RuleId;
use refgate_scenario::{Line, Step, parse_scenarios};

use crate::condition::Condition;

/// One step of a lesson.
#[derive(Debug, Clone)]
pub(crate) enum LessonStep {
    /// A line of the scenario language.
    Step(Line),
    /// `NAME says "…"`: a line that is printed for the learner.
    Says { who: String, text: String },
}

impl LessonStep {
    /// Whether the step states what is expected of the push before it.
    pub(crate) const fn is_expect(&self) -> bool {
        matches!(self, Self::Step(Line { step: refgate_scenario::Step::Expect(_), .. }))
    }
}

/// The steps of teammates that run once, when all conditions hold.
#[derive(Debug, Clone)]
pub(crate) struct Trigger {
    pub(crate) when: Vec<Condition>,
    pub(crate) steps: Vec<LessonStep>,
}

/// A mistake that this rule must reject.
#[derive(Debug, Clone)]
pub(crate) struct Trap {
    pub(crate) rule: RuleId,
    pub(crate) what: String,
    pub(crate) steps: Vec<LessonStep>,
}

/// A lesson.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lesson {
    pub(crate) name: String,
    pub(crate) title: String,
    /// The paths that the lesson belongs to.
    pub(crate) paths: Vec<String>,
    /// The person that the learner plays.
    pub(crate) you: String,
    pub(crate) policy: String,
    pub(crate) story: String,
    pub(crate) task: String,
    pub(crate) setup: Vec<LessonStep>,
    pub(crate) triggers: Vec<Trigger>,
    pub(crate) goals: Vec<Condition>,
    /// The conditions that must hold on every day.
    pub(crate) always: Vec<Condition>,
    pub(crate) hints: Vec<String>,
    pub(crate) solutions: Vec<Vec<LessonStep>>,
    pub(crate) traps: Vec<Trap>,
}

/// An error in the text of a lesson, with its position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {what}")]
pub(crate) struct LessonError {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) what: String,
}

/// A section: its heading and the lines below it.
struct Section<'t> {
    line: usize,
    head: &'t str,
    body: Vec<(usize, &'t str)>,
}

const SECTIONS: &str = "lesson NAME, title TEXT, path NAMES, you NAME, policy NAME, story, setup, \
                        task, when CONDITION, goal, always, hint, solution, trap RULE: WHAT";

/// Parses a lesson. A heading starts in the first column, the lines below it are indented.
///
/// # Errors
/// The first error in the text.
pub(crate) fn parse(file: &str, text: &str) -> Result<Lesson, LessonError> {
    let wrong = |line: usize, column: usize, what: String| LessonError {
        file: file.to_string(),
        line,
        column,
        what,
    };
    let mut sections: Vec<Section<'_>> = Vec::new();
    for (place, text) in text.lines().enumerate() {
        let line = place + 1;
        let indented = text.starts_with(' ');
        match sections.last_mut() {
            _ if text.starts_with('#') => {}
            Some(section) if indented || text.trim().is_empty() => {
                section.body.push((line, text));
            }
            None if indented => return Err(wrong(line, 1, "a heading comes first".to_string())),
            _ if text.trim().is_empty() => {}
            _ => sections.push(Section { line, head: text.trim_end(), body: Vec::new() }),
        }
    }
    let mut lesson = Lesson { policy: "portal".to_string(), ..Lesson::default() };
    for section in &sections {
        take(&mut lesson, section).map_err(|(line, column, what)| wrong(line, column, what))?;
    }
    let missing = match () {
        () if lesson.name.is_empty() => "`lesson NAME`",
        () if lesson.title.is_empty() => "`title TEXT`",
        () if lesson.you.is_empty() => "`you NAME`",
        () if lesson.task.is_empty() => "`task`",
        () if lesson.goals.is_empty() => "`goal`",
        () if lesson.solutions.is_empty() => "`solution`",
        () => return Ok(lesson),
    };
    Err(wrong(1, 1, format!("the lesson has no {missing}")))
}

type SectionError = (usize, usize, String);

fn take(lesson: &mut Lesson, section: &Section<'_>) -> Result<(), SectionError> {
    let (word, rest) = section.head.split_once(' ').unwrap_or((section.head, ""));
    let rest = rest.trim();
    let here = |what: String| (section.line, word.len() + 2, what);
    match word {
        "lesson" => {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if !rest.chars().all(plain) {
                return Err(here("a lesson name has lower-case letters, digits, `-`".to_string()));
            }
            lesson.name = rest.to_string();
        }
        "title" => lesson.title = rest.to_string(),
        "path" => lesson.paths = rest.split(", ").map(ToString::to_string).collect(),
        "you" => lesson.you = rest.to_string(),
        "policy" => lesson.policy = rest.to_string(),
        "story" => lesson.story = section_text(section),
        "task" => lesson.task = section_text(section),
        "hint" => lesson.hints.push(section_text(section)),
        "setup" => lesson.setup = steps(section)?,
        "solution" => lesson.solutions.push(steps(section)?),
        "when" => {
            let when: Result<_, _> = rest.split(", and ").map(Condition::parse).collect();
            let when = when.map_err(here)?;
            lesson.triggers.push(Trigger { when, steps: steps(section)? });
        }
        "goal" | "always" => {
            for (line, text) in section.body.iter().filter(|(_, text)| !text.trim().is_empty()) {
                let column = text.len() - text.trim_start().len() + 1;
                let goal = Condition::parse(text.trim()).map_err(|what| (*line, column, what))?;
                let list = if word == "goal" { &mut lesson.goals } else { &mut lesson.always };
                list.push(goal);
            }
        }
        "trap" => {
            let (name, what) = rest.split_once(':').unwrap_or((rest, ""));
            let rule = RuleId::find(name.trim())
                .ok_or_else(|| here(format!("there is no rule `{}`", name.trim())))?;
            let (what, steps) = (what.trim().to_string(), steps(section)?);
            lesson.traps.push(Trap { rule, what, steps });
        }
        other => {
            let what = format!("`{other}` is not a section; the sections are: {SECTIONS}");
            return Err((section.line, 1, what));
        }
    }
    Ok(())
}

/// The text of a section, without its indentation.
fn section_text(section: &Section<'_>) -> String {
    let lines: Vec<&str> = section.body.iter().map(|(_, text)| text.trim()).collect();
    lines.join("\n").trim().to_string()
}

fn steps(section: &Section<'_>) -> Result<Vec<LessonStep>, SectionError> {
    let mut all = Vec::new();
    for (number, text) in &section.body {
        let (plain, column) = (text.trim(), text.len() - text.trim_start().len() + 1);
        if plain.is_empty() || plain.starts_with('#') {
            continue;
        }
        if let Some((who, said)) = plain.split_once(" says \"") {
            let said = said.strip_suffix('"');
            let unfinished = || (*number, text.len(), "the closing `\"` is missing".to_string());
            let text = said.ok_or_else(unfinished)?.to_string();
            all.push(LessonStep::Says { who: who.to_string(), text });
            continue;
        }
        let scenarios =
            parse_scenarios("", plain).map_err(|error| (*number, column, error.what))?;
        for mut line in scenarios.into_iter().flat_map(|scenario| scenario.lines) {
            if matches!(line.step, Step::Policy(_) | Step::PolicyText(_)) {
                let what = "name the policy in the heading `policy NAME`".to_string();
                return Err((*number, column, what));
            }
            line.number = *number;
            all.push(LessonStep::Step(line));
        }
    }
    Ok(all)
}
