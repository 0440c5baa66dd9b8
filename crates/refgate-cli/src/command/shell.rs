//! `refgate completions` and `refgate man`: generate completions and manual pages from the verbs.

use clap::CommandFactory as _;
use refgate_gate::Exit;

use crate::args::{Args, Completions, Man};
use crate::output::{VerbResult, done, say};

pub(crate) fn completions(args: &Completions) -> VerbResult {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "refgate", &mut script);
    say(String::from_utf8_lossy(&script).trim_end());
    Ok(done(Exit::Accepted))
}

pub(crate) fn man(args: &Man) -> VerbResult {
    std::fs::create_dir_all(&args.folder)?;
    clap_mangen::generate_to(Args::command(), &args.folder)?;
    Ok(done(Exit::Accepted))
}
