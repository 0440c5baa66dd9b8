//! Attacks protected servers with a raw `receive-pack` client, seeded and in families.
//!
//! `REFGATE_ATTACKS` sets the number of pushes (500 if unset), `REFGATE_ATTACK_SEED` the
//! first seed. After each attack no protected ref may have moved, the push must have ended
//! in ten seconds with at most 512 MB, and nothing may have panicked. Honest pushes in
//! between must be accepted. `cargo xtask attack` runs 10,000.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod families;
mod objects;
#[path = "../support/raw_client.rs"]
mod raw_client;
mod rule_families;
mod target;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use families::FAMILIES;
use refgate_scenario::SeededRng;
use target::{INSTALLATIONS, Target};

/// The longest that one push may take.
const LONGEST: Duration = Duration::from_secs(10);

/// The maximum memory that one push may take, in KiB.
const MOST_MEMORY: u64 = 512 * 1024;

/// An attack after so many hostile pushes is followed by an honest one.
const HONEST_EVERY: u64 = 10;

/// Chooses among attacks. The same seed gives the same attacks.
pub(crate) struct Rng(SeededRng);

impl Rng {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0.next_below(limit)
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn no_attack_moves_a_protected_ref() {
    let total = number("REFGATE_ATTACKS", 500);
    let first = number("REFGATE_ATTACK_SEED", 1);
    let mut targets: Vec<Target> = INSTALLATIONS.iter().map(Target::new).collect();
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut honest, mut slowest, mut largest) = (0, Duration::ZERO, 0);
    for number in 0..total {
        let seed = first.wrapping_add(number).wrapping_mul(0x5851_f42d_4c95_7f2d);
        let mut rng = Rng(SeededRng(seed));
        let place = usize::try_from(number).unwrap() % targets.len();
        let target = &mut targets[place];
        let which = (usize::try_from(number).unwrap() / INSTALLATIONS.len()) % FAMILIES.len();
        let (name, attack) = FAMILIES[which];
        let before = target.protected_refs();
        let push = attack(target, &mut rng);
        let start = Instant::now();
        let answer = target.send(&push);
        let took = start.elapsed();
        let after = target.protected_refs();
        let about = format!(
            "family {name}, seed {}, installation {}\ncommands {:?}\n{}",
            first.wrapping_add(number),
            target.name(),
            push.commands.iter().map(|line| String::from_utf8_lossy(line)).collect::<Vec<_>>(),
            answer.text
        );
        assert_eq!(after, before, "a protected ref moved: {about}");
        assert!(!answer.text.contains("panicked"), "{about}");
        assert!(took <= LONGEST, "took {took:?}: {about}");
        assert!(answer.memory <= MOST_MEMORY, "took {} KiB: {about}", answer.memory);
        assert!(
            !push.blames_pusher || !answer.text.contains("administrator"),
            "blames the server: {about}"
        );
        slowest = slowest.max(took);
        largest = largest.max(answer.memory);
        *counts.entry(name).or_default() += 1;
        if number % HONEST_EVERY == HONEST_EVERY - 1 {
            target.push_honestly(&about);
            honest += 1;
        }
    }
    for target in &targets {
        target.check_whole();
    }
    println!(
        "{total} attacks of {} families on {} installations: 0 protected refs moved; \
         {honest} honest pushes accepted; slowest {} ms, largest {} MiB",
        counts.len(),
        targets.len(),
        slowest.as_millis(),
        largest / 1024
    );
}
