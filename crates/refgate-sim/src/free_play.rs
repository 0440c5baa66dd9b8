//! Free play: a world without a lesson, in which a seed selects the events of each day.

use std::path::Path;

use refgate_core::Duration;
use refgate_gate::Exit;

use crate::command::time::{place, told};
use crate::lesson::{Lesson, LessonStep, parse};
use crate::output::{Failure, VerbResult, done, say};
use crate::snapshot;
use crate::world::{World, WorldOptions};

/// The lesson name of a free-play world.
pub(crate) const NAME: &str = "free-play";

const LESSON: &str = include_str!("free-play.lesson");

pub(crate) fn lesson() -> Lesson {
    // The text is built in, and `refgate-sim lint` parses it.
    parse("free-play.lesson", LESSON).unwrap_or_default()
}

/// A generator of pseudo-random numbers (xorshift64*).
struct SeededRng(u64);

impl SeededRng {
    fn next_below(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d).rotate_left(31) % sides.max(1)
    }
}

/// The scenario lines of a day: ordinary work, a step of the process, a mistake, or
/// nothing.
fn day(seed: u64, number: u32) -> Vec<String> {
    let mut rng =
        SeededRng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(number) ^ 0x5bd1_e995);
    // Similar seeds give similar first numbers, so these are skipped.
    for _ in 0..8 {
        rng.next_below(2);
    }
    let who = if rng.next_below(2) == 0 { "ben" } else { "ada" };
    let told = match rng.next_below(16) {
        0 | 1 => feature(who, number),
        2 | 3 => format!(
            "{who} commits \"fix: trouble {number}\" on dev, changing src/app.rs
            {who} pushes dev"
        ),
        4 => format!(
            "{who} commits \"docs: day {number}\" on dev, changing docs/guide.md
            {who} pushes dev"
        ),
        5 | 6 => "grace merges dev into stg\ngrace pushes stg".to_string(),
        7 => format!(
            "grace commits \"hotfix: night {number}\" on main, changing src/app.rs
            grace pushes main"
        ),
        8 | 9 => release(number, rng.next_below(2) == 0),
        10 => "grace records production-run\nhenry records notice".to_string(),
        11 => "henry signs off freeze-exit".to_string(),
        12 => wrong(who, number, rng.next_below(4)),
        13 => "henry stops dev for 2 days letting docs through because \"audit\"".to_string(),
        _ => String::new(),
    };
    told.lines().map(|line| line.trim().to_string()).filter(|line| !line.is_empty()).collect()
}

fn feature(who: &str, number: u32) -> String {
    format!(
        "{who} branches feature/{number} from dev
        {who} commits \"feat: idea {number}\" on feature/{number}, adding src/idea{number}.rs
        {who} pushes feature/{number}
        {who} merges feature/{number} into dev
        {who} pushes dev"
    )
}

/// All sign-offs, the promotion of `stg` to production, and a tag of either level.
fn release(number: u32, major: bool) -> String {
    let tag = if major { format!("v{}.0.0", number + 1) } else { format!("v1.{number}.0") };
    format!(
        "uma signs off uat of stg
        henry signs off validation of stg
        carol signs off change-approval of stg
        henry certifies grace in operator for 30 days
        grace pushes stg to main
        grace tags {tag} on stg
        grace pushes refs/tags/{tag}"
    )
}

/// One of four mistakes.
fn wrong(who: &str, number: u32, kind: u64) -> String {
    match kind {
        0 => format!("{who} resets dev to dev~1\n{who} force-pushes dev"),
        1 => "grace squashes dev into stg saying \"release\"\ngrace pushes stg".to_string(),
        2 => format!(
            "{who} commits \"docs: wish {number}\" on dev, adding src/wish{number}.rs
            {who} pushes dev"
        ),
        _ => format!("{who} pushes dev to main"),
    }
}

/// Plays the next days in the free-play world around `at`, or in a new one.
pub(crate) fn run(at: &Path, days: u32, seed: u64, dir: Option<&Path>) -> VerbResult {
    let here = World::find(dir.unwrap_or(at)).ok().filter(|world| world.lesson.name == NAME);
    let dir = dir.map_or_else(|| place(at, NAME), Path::to_path_buf);
    let mut world = match here.map_or_else(|| World::find(&dir), Ok) {
        Ok(world) if world.lesson.name == NAME => world,
        Ok(world) => {
            let message = format!(
                "cannot play here: this is the world of the lesson `{}`\nhint: name another \
                 folder with `--dir`",
                world.lesson.name
            );
            return Err(Failure::new(Exit::BadInput, message));
        }
        Err(_) => {
            let own = WorldOptions { seed: Some(seed), ..WorldOptions::default() };
            let world = World::start(&dir, lesson(), own)?;
            say(&format!("Go to the new world: cd {}", dir.join("you").display()));
            world
        }
    };
    let _held = crate::clone_setup::lock(&world.root)?;
    snapshot::remember(&world.root)?;
    let seed = world.state.seed.unwrap_or(seed);
    for _ in 0..days {
        let (said, acted) = pass(&mut world, seed)?;
        told(&world, said)?.iter().chain(&acted).for_each(|line| say(line));
    }
    Ok(done(Exit::Accepted))
}

/// Lets a day pass. Returns what teammates say, and what people did on that day.
pub(crate) fn pass(world: &mut World, seed: u64) -> Result<(Vec<String>, Vec<String>), Failure> {
    world.state.days += 1;
    let mut acted = Vec::new();
    let said = world.tick(Duration::days(1))?;
    let failed = |error: refgate_scenario::RealError| Failure::new(Exit::Failed, error.to_string());
    world.real.catch_up().map_err(failed)?;
    for text in day(seed, world.state.days) {
        let steps = steps(&text);
        // A merge with a conflict is an error here; it ends the day.
        let Ok(done) = world.run(&steps) else { break };
        for (what, report) in done {
            let Some(report) = report else { continue };
            crate::journal::write(&world.root, &crate::journal::acted(world, &what, &report))?;
            let rules: Vec<&str> = report.rules.iter().map(String::as_str).collect();
            let why =
                if rules.is_empty() { String::new() } else { format!(" ({})", rules.join(", ")) };
            acted.push(format!("day {}: {what}: {}{why}", world.state.days, report.verdict));
        }
    }
    world.save()?;
    Ok((said, acted))
}

fn steps(text: &str) -> Vec<LessonStep> {
    let scenarios = refgate_scenario::parse_scenarios("day", text).unwrap_or_default();
    scenarios.into_iter().flat_map(|one| one.lines).map(LessonStep::Step).collect()
}
