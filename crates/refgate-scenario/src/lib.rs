//! Runs scenarios: scripts of Git steps with expected verdicts, in memory or on a real repository.

mod generate;
mod generated_push;
mod hostile_clone;
mod memory_debts;
mod memory_facts;
mod memory_receipt;
mod memory_world;
mod parse;
mod prove;
mod push_output;
mod real_merge;
mod real_records;
mod real_setup;
mod real_steps;
mod real_world;
mod record_builder;
mod record_step;
mod reference;
mod rng;
mod runner;
mod signing;
mod step;
mod tip_history;
mod tokenizer;

pub use generate::{Difference, differences};
pub use hostile_clone::HostileClone;
pub use memory_world::MemoryWorld;
pub use parse::{ScenarioError, parse_markdown, parse_scenarios};
pub use prove::{
    AnsweredCase, DeliveryPath, Proof, ProveCase, answer, cases, compare, prove,
    scenario as proof_scenario,
};
pub use push_output::remedy;
pub use real_world::{RealError, RealWorld, RecordStorage, git_command};
pub use record_builder::REPOSITORY;
pub use reference::judge_naively;
pub use rng::SeededRng;
pub use runner::{Failure, Report, run_in_memory, run_on_disk};
pub use signing::training_key;
pub use step::{Expected, Line, MergeMethod, PathChange, PushItem, Record, Scenario, Step};
