//! Completions and manual pages, from the same list of verbs.

use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;
use refgate_gate::Exit;

use crate::args::Args;
use crate::output::{Done, done, say};

pub(crate) fn completions(shell: Shell) -> Done {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "git-backport", &mut script);
    say(String::from_utf8_lossy(&script).trim_end());
    Ok(done(Exit::Accepted))
}

pub(crate) fn man(folder: &Path) -> Done {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Args::command(), folder)?;
    Ok(done(Exit::Accepted))
}
