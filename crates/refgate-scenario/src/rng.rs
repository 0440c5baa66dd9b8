//! Generates the random choices of generated scenarios. The same seed gives the same choices.

use refgate_core::RuleId;

use crate::step::PickTrailer;

/// A pseudo-random number generator (`SplitMix64`), from its seed.
pub struct SeededRng(pub u64);

impl SeededRng {
    /// A number from 0 to `sides` - 1.
    pub fn next_below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) >> 16).unwrap_or(0) % sides.max(1)
    }

    pub(crate) fn pick<'t, T>(&mut self, from: &'t [T]) -> Option<&'t T> {
        from.get(self.next_below(from.len()))
    }

    pub(crate) fn word(&mut self, from: &[&str]) -> String {
        self.pick(from).copied().unwrap_or_default().to_string()
    }
}

impl SeededRng {
    pub(crate) fn rule(&mut self, from: &[&str]) -> RuleId {
        RuleId::find(&self.word(from)).unwrap_or(RuleId::Freeze)
    }
}

pub(crate) const MARKS: [PickTrailer; 4] =
    [PickTrailer::Whole, PickTrailer::Brief, PickTrailer::Nothing, PickTrailer::AsFix];
pub(crate) const PEOPLE: [&str; 8] =
    ["ada", "ben", "grace", "henry", "iris", "uma", "carol", "somebody"];
pub(crate) const PATHS: [&str; 12] = [
    "README.md",
    "docs/guide.md",
    "src/app.rs",
    "src/search.rs",
    "tests/new.rs",
    "Cargo.lock",
    "docs/new.md",
    "src/deep/er/x.rs",
    "docs/x.ts",
    "docs/plan.png",
    "src/app_test.rs",
    ".github/ci.yml",
];
pub(crate) const MESSAGES: [&str; 11] = [
    "feat: x",
    "fix: x",
    "docs: x",
    "chore: x",
    "security: x",
    "hotfix: x",
    "zzz",
    "zzz\n\nChange-Class: docs",
    "zzz\n\nChange-Class: minor-feature",
    "fix: x\n\nChange-Class: feature",
    "feat: x\n\nChange-Class: bugfix",
];
