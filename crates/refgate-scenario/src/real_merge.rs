//! Merges branches of a real repository with plain git commands.

use crate::real_world::{RealError, RealWorld};
use crate::step::{MergeMethod, PathChange};

impl RealWorld {
    pub(crate) fn merge(
        &mut self,
        who: &str,
        from: &[String],
        into: &str,
        how: MergeMethod,
        message: Option<&str>,
        touches: &[PathChange],
    ) -> Result<(), RealError> {
        let others: Vec<&str> = from.iter().map(String::as_str).collect();
        let first = *others.first().unwrap_or(&"");
        if how == MergeMethod::Foxtrot {
            self.git(who, &["switch", "-q", "--detach", first])?;
            let title = format!("Merge branch '{into}' into {}", others.join(", "));
            self.git(who, &["merge", "-q", "--no-ff", "-m", message.unwrap_or(&title), into])?;
            self.git(who, &["branch", "-q", "-f", into, "HEAD"])?;
            self.switch(who, into)?;
            return Ok(());
        }
        self.switch(who, into)?;
        let names = others.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>();
        let plain = if names.len() > 1 {
            format!("Merge branches {} into {into}", names.join(" and "))
        } else {
            format!("Merge branch {} into {into}", names.join(" "))
        };
        let title = message.unwrap_or(&plain);
        let merge: Vec<&str> = match how {
            MergeMethod::Forward => vec!["merge", "-q", "--ff-only"],
            MergeMethod::Squash => vec!["merge", "-q", "--squash"],
            MergeMethod::Ours => vec!["merge", "-q", "--no-ff", "-s", "ours", "-m", title],
            _ => vec!["merge", "-q", "--no-ff", "-m", title],
        };
        self.git(who, &[merge, others.clone()].concat())?;
        if how == MergeMethod::Squash {
            self.git(who, &["commit", "-q", "--allow-empty", "-m", title])?;
        }
        if !touches.is_empty() {
            self.write_all(touches)?;
            self.git(who, &["add", "-A"])?;
            self.git(who, &["commit", "-q", "--amend", "--no-edit"])?;
        }
        Ok(())
    }
}
