//! `git backport completions` and `man`: generates completion scripts and manual pages.

use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;
use refgate_gate::Exit;

use crate::args::Args;
use crate::output::{VerbResult, done, say};

/// Git's own completion calls a function of this name for `git backport`.
const OF_GIT: &str = r#"
_git_backport() {
    local at=${__git_cmd_idx:-1}
    local words=("git-backport" "${COMP_WORDS[@]:at+1}") place=$((COMP_CWORD - at))
    local COMP_WORDS=("${words[@]}") COMP_CWORD=$place
    _git__backport git-backport "${words[place]}" "${words[place - 1]}"
}"#;

pub(crate) fn completions(shell: Shell) -> VerbResult {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "git-backport", &mut script);
    // The generator treats the hyphen in the name as its separator of subcommands.
    let script = String::from_utf8_lossy(&script).replace("git__subcmd__backport", "git__backport");
    say(script.trim_end());
    if shell == Shell::Bash {
        say(OF_GIT);
    }
    Ok(done(Exit::Accepted))
}

pub(crate) fn man(folder: &Path) -> VerbResult {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Args::command(), folder)?;
    Ok(done(Exit::Accepted))
}
