//! stub
use crate::output::Done;
pub(crate) fn run(_: &crate::args::Test) -> Done { Ok(std::process::ExitCode::SUCCESS) }
