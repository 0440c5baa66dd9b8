//! Runs the steps of a scenario on a real repository.

use std::process::Command;

use refgate_core::Instant;

use crate::push_output::{remedy, report};
use crate::real_world::{RealError, RealWorld, RecordStorage, check_output};
use crate::record_builder::make;
use crate::runner::Report;
use crate::step::{PickTrailer, PushItem, Step};

impl RealWorld {
    /// Runs one step. A push returns a report.
    ///
    /// # Errors
    /// Fails if a command other than a push fails.
    pub fn perform(&mut self, step: &Step) -> Result<Option<Report>, RealError> {
        match step {
            Step::At(at) => {
                self.clock = *at;
                self.save()?;
            }
            Step::Later(length) => {
                self.clock += *length;
                self.save()?;
            }
            Step::Release { tag, on, ago } => self.release(tag, on, self.clock - *ago)?,
            Step::Branch { name, from } => {
                self.git("somebody", &["branch", "-q", "-f", name, from])?;
            }
            Step::Reset { branch, to } => {
                self.switch("somebody", branch)?;
                self.git("somebody", &["reset", "-q", "--hard", to])?;
            }
            Step::Commit { who, message, branch, touches, forged_date, encoding } => {
                self.switch(who, branch)?;
                self.write_all(touches)?;
                self.git(who, &["add", "-A"])?;
                let mut git = self.command(&self.clone_folder(), who);
                if let Some(forged_date) = forged_date {
                    let date = forged_date.to_rfc3339();
                    git.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date);
                }
                if let Some(name) = encoding {
                    git.args(["-c", &format!("i18n.commitEncoding={name}")]);
                }
                let args = ["commit", "-q", "--allow-empty", "--cleanup=verbatim", "-m", message];
                check_output(&args, &git.args(args).output()?)?;
            }
            Step::Merge { who, from, into, how, message, touches } => {
                self.merge(who, from, into, *how, message.as_deref(), touches)?;
            }
            Step::Pick { who, from, onto, mark, touches } => {
                self.switch(who, onto)?;
                let whole: &[&str] = if *mark == PickTrailer::Whole { &["-x"] } else { &[] };
                self.git(who, &[&["cherry-pick"], whole, &[from.as_str()]].concat())?;
                if matches!(mark, PickTrailer::Brief | PickTrailer::AsFix) {
                    let original = self.git(who, &["rev-parse", from])?;
                    let said = self.git(who, &["log", "-1", "--format=%B"])?;
                    let said = mark.message(said.trim_end(), original.trim());
                    self.git(who, &["commit", "-q", "--amend", "-m", &said])?;
                }
                if !touches.is_empty() {
                    self.write_all(touches)?;
                    self.git(who, &["commit", "-q", "-a", "--amend", "--no-edit"])?;
                }
            }
            Step::Revise { who, branch, message, raised } => {
                self.switch(who, branch)?;
                self.revise(who, *raised)?;
                self.git(who, &["commit", "-q", "-a", "-m", message])?;
            }
            Step::Tag { who, name, on, light } => {
                let kind: &[&str] = if *light { &[] } else { &["-a", "-m", name] };
                self.git(who, &[&["tag", "-f"], kind, &[name.as_str(), on.as_str()]].concat())?;
            }
            Step::Record { who, record } => return self.record(who, record),
            Step::Push { who, specs, options } => {
                self.last = self.push(who, specs, options)?;
                return Ok(Some(self.last.clone()));
            }
            Step::Follow(number) => self.follow(*number)?,
            Step::Policy(_) | Step::PolicyText(_) | Step::Expect(_) => {}
        }
        Ok(None)
    }

    /// Makes a record. A signed record is pushed, so it returns a report.
    fn record(
        &mut self,
        who: &str,
        record: &crate::step::Record,
    ) -> Result<Option<Report>, RealError> {
        let made = make(self, (who, self.clock), record).map_err(RealError::Other)?;
        if self.storage == RecordStorage::Unsigned {
            self.records.extend(made);
            self.save()?;
            return Ok(None);
        }
        let mut last = None;
        for one in made {
            let report = self.append(one)?;
            let rejected = report.verdict != "accept";
            last = Some(report);
            if rejected {
                break;
            }
        }
        Ok(last)
    }

    /// Creates a release before the scenario starts. The tag is created on the server
    /// and not pushed.
    fn release(&mut self, tag: &str, on: &str, at: Instant) -> Result<(), RealError> {
        let date = at.to_rfc3339();
        let server = self.server();
        let mut git = self.command(&server, "grace");
        git.env("GIT_COMMITTER_DATE", &date);
        let args = ["tag", "-a", "-m", tag, tag, on];
        check_output(&args, &git.args(args).output()?)?;
        self.git("somebody", &["fetch", "-q", "--tags"])?;
        Ok(())
    }

    /// Pushes from the clone and returns the answer.
    ///
    /// # Errors
    /// Fails if git cannot be started.
    pub fn push(
        &self,
        who: &str,
        specs: &[PushItem],
        options: &[String],
    ) -> Result<Report, RealError> {
        let mut args = vec!["push".to_string(), "--porcelain".to_string()];
        args.extend(options.iter().flat_map(|option| ["-o".to_string(), option.clone()]));
        args.push("origin".to_string());
        args.extend(specs.iter().map(|spec| match &spec.from {
            Some(from) => format!("+{from}:{}", spec.to),
            None => format!(":{}", spec.to),
        }));
        let output = self.command(&self.clone_folder(), who).args(&args).output()?;
        // Only the text for people is read. Git updates `origin/…` itself.
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(report(&text, output.status.success()))
    }

    /// Runs the commands of a remedy of the last rejection. They can include a push.
    fn follow(&mut self, number: usize) -> Result<(), RealError> {
        let commands = remedy(&self.last.text, number)
            .ok_or_else(|| RealError::Other(format!("no remedy {number} was printed")))?;
        for command in commands {
            let mut shell = Command::new("sh");
            shell.current_dir(self.clone_folder()).arg("-c").arg(&command);
            shell.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
            self.set_identity(&mut shell, "grace");
            check_output(&[command.as_str()], &shell.output()?)?;
        }
        self.git("somebody", &["fetch", "-q"])?;
        Ok(())
    }
}
