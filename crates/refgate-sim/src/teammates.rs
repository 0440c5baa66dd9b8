//! Runs the triggers of a lesson: what teammates do and say when conditions become true.

use refgate_scenario::{Report, Step};

use crate::journal;
use crate::lesson::LessonStep;
use crate::output::Failure;
use crate::world::{World, failed};

impl World {
    /// Runs the triggers whose conditions hold now. Returns what teammates say.
    pub(crate) fn run_triggers(&mut self) -> Result<Vec<String>, Failure> {
        let mut said = Vec::new();
        let mut tried = Vec::new();
        for _ in 0..self.lesson.triggers.len() {
            let Some(place) = self.due(&tried)? else { break };
            tried.push(place);
            let steps = self.lesson.triggers.get(place).map(|one| one.steps.clone());
            let steps = steps.unwrap_or_default();
            self.real.catch_up().map_err(failed)?;
            let told = self.run(&steps)?;
            let last = told.last().and_then(|(_, report)| report.as_ref());
            let rejected = last.filter(|report| report.verdict != "accept").cloned();
            for (text, report) in told {
                match report {
                    None => said.push(text),
                    Some(report) => {
                        journal::write(&self.root, &journal::acted(self, &text, &report))?;
                    }
                }
            }
            match rejected.filter(|_| !expected(&steps)) {
                // The trigger has not fired, so the teammate tries again later.
                Some(report) => said.push(render_rejection_line(&steps, &report)),
                None => self.state.fired.push(place),
            }
        }
        if !self.state.solved && self.missing()?.is_empty() {
            self.state.solved = true;
            said.push(format!("you reached the goal of \"{}\"", self.lesson.title));
        }
        self.save()?;
        Ok(said)
    }

    /// The first trigger whose conditions hold and that was neither run nor tried.
    fn due(&self, tried: &[usize]) -> Result<Option<usize>, Failure> {
        let reader = self.reader()?;
        let facts = self.facts(&reader);
        for (place, trigger) in self.lesson.triggers.iter().enumerate() {
            if self.state.fired.contains(&place) || tried.contains(&place) {
                continue;
            }
            let mut holds = true;
            for condition in &trigger.when {
                holds = holds && condition.missing(&facts)?.is_empty();
            }
            if holds {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }
}

/// Whether the steps end with an `expect` line, so that the lesson expects the verdict.
fn expected(steps: &[LessonStep]) -> bool {
    let acts = steps.iter().rev().filter(|step| matches!(step, LessonStep::Step(_)));
    acts.take(1)
        .any(|step| matches!(step, LessonStep::Step(line) if matches!(line.step, Step::Expect(_))))
}

/// The line of a teammate whose push was rejected unexpectedly.
fn render_rejection_line(steps: &[LessonStep], report: &Report) -> String {
    let mut acts = steps.iter().filter_map(|step| match step {
        LessonStep::Step(line) => line.text.split(' ').next(),
        LessonStep::Says { .. } => None,
    });
    let who = acts.next_back().unwrap_or("somebody");
    let rules: Vec<&str> = report.rules.iter().map(String::as_str).collect();
    format!(
        "{who}: the server rejected my push ({}); I will try again after the next change \
         (or run `refgate-sim undo`)",
        rules.join(", ")
    )
}
