//! What should happen when people do this and that? One script, two worlds, and both must agree.

mod act;
mod answer;
mod begin;
mod debts;
mod deed;
mod dice;
mod facts;
mod generate;
mod join;
mod known;
mod made;
mod memory;
mod parse;
mod perform;
mod prove;
mod real;
mod receipt;
mod reference;
mod run;
mod shown;
mod signed;
mod token;

pub use act::{Act, Expected, How, Line, Record, Scenario, Spec, Touch};
pub use answer::remedy;
pub use generate::{Difference, differences};
pub use made::REPOSITORY;
pub use memory::Memory;
pub use parse::{ScenarioError, parse_markdown, parse_scenarios};
pub use prove::{
    Answered, Case as ProofCase, Proof, Way, answer, cases, compare, prove,
    scenario as proof_scenario,
};
pub use real::{Keeping, Real, RealError, git_command};
pub use reference::judge_naively;
pub use run::{Failure, Report, run_in_memory, run_on_disk};
pub use signed::training_key;
