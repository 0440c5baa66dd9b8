//! A world without a lesson: who does what on which day? The same seed, the same events.

use std::path::Path;

use refgate_core::Duration;
use refgate_gate::Exit;

use crate::command::time::told;
use crate::lesson::{Lesson, Step, parse};
use crate::output::{Done, Failure, done, say};
use crate::snapshot;
use crate::world::World;

/// What the world without a lesson is called.
pub(crate) const NAME: &str = "free-play";

const LESSON: &str = include_str!("free-play.lesson");

pub(crate) fn lesson() -> Lesson {
    // It is part of the program; a test reads it.
    parse("free-play.lesson", LESSON).unwrap_or_default()
}

/// Numbers that a seed begins (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d).rotate_left(31) % sides.max(1)
    }
}

/// What happens on a day: acts, as people would tell them.
fn day(seed: u64, number: u32) -> Vec<String> {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(number) ^ 0x5bd1_e995);
    dice.roll(2);
    let who = if dice.roll(2) == 0 { "ben" } else { "ada" };
    match dice.roll(8) {
        0 | 1 => vec![
            format!("{who} branches feature/{number} from dev"),
            format!(
                "{who} commits \"feat: idea {number}\" on feature/{number}, adding src/idea{number}.rs"
            ),
            format!("{who} pushes feature/{number}"),
            format!("{who} merges feature/{number} into dev"),
            format!("{who} pushes dev"),
        ],
        2 | 3 => vec![
            format!("{who} commits \"fix: trouble {number}\" on dev, changing src/app.rs"),
            format!("{who} pushes dev"),
        ],
        4 => vec![
            format!("{who} commits \"docs: day {number}\" on dev, changing docs/guide.md"),
            format!("{who} pushes dev"),
        ],
        5 => vec!["grace merges dev into stg".to_string(), "grace pushes stg".to_string()],
        6 => vec![
            format!("grace commits \"hotfix: night {number}\" on main, changing src/app.rs"),
            "grace pushes main".to_string(),
        ],
        _ => Vec::new(),
    }
}

/// Plays some days on: in the world around, or in a new one.
pub(crate) fn run(at: &Path, days: u32, seed: u64, dir: &Path) -> Done {
    let around = World::find(at).or_else(|failure| World::find(dir).map_err(|_| failure));
    let mut world = match around {
        Ok(world) if world.lesson.name == NAME => world,
        Ok(world) => {
            let message = format!("here is the lesson {}; play elsewhere", world.lesson.name);
            return Err(Failure::new(Exit::BadInput, message));
        }
        Err(_) => {
            let mut world = World::start(dir, lesson(), (None, None))?;
            world.state.seed = Some(seed);
            world.save()?;
            say(&format!("A world to play in: cd {}", dir.join("you").display()));
            world
        }
    };
    let _held = crate::setup::lock(&world.root)?;
    snapshot::remember(&world.root)?;
    let seed = world.state.seed.unwrap_or(seed);
    for _ in 0..days {
        world.state.days += 1;
        let mut said = world.tick(Duration::days(1))?;
        let failed =
            |error: refgate_scenario::RealError| Failure::new(Exit::Failed, error.to_string());
        world.real.catch_up().map_err(failed)?;
        for text in day(seed, world.state.days) {
            let steps = steps(&text);
            // A teammate whose merge conflicts gives up for the day.
            let Ok(done) = world.run(&steps) else { break };
            for (what, report) in done {
                let Some(report) = report else { continue };
                crate::journal::write(&world.root, &crate::journal::acted(&what, &report))?;
                let rules: Vec<&str> = report.rules.iter().map(String::as_str).collect();
                let why = if rules.is_empty() {
                    String::new()
                } else {
                    format!(" ({})", rules.join(", "))
                };
                said.push(format!("day {}: {what}: {}{why}", world.state.days, report.verdict));
            }
        }
        world.save()?;
        told(&world, said)?.iter().for_each(|line| say(line));
    }
    Ok(done(Exit::Accepted))
}

fn steps(text: &str) -> Vec<Step> {
    let scenarios = refgate_scenario::parse_scenarios("day", text).unwrap_or_default();
    scenarios.into_iter().flat_map(|one| one.lines).map(Step::Act).collect()
}
