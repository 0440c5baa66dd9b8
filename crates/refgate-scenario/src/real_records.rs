//! Reads from a real repository the facts that a record can name.

use refgate_core::{Oid, Policy, Record, Release, last_major};

use crate::real_world::RealWorld;
use crate::record_builder::RecordContext;
use crate::signing::FOLDER;

impl RecordContext for RealWorld {
    fn commit(&self, name: &str) -> Option<(Oid, Oid)> {
        let (commit, tree) = (format!("{name}^{{commit}}"), format!("{name}^{{tree}}"));
        let said = self.git("somebody", &["rev-parse", "-q", &commit, &tree]).ok()?;
        let (commit, tree) = said.trim().split_once('\n')?;
        Some((Oid::from_hex(commit)?, Oid::from_hex(tree)?))
    }

    fn rules(&self) -> &Policy {
        &self.policy
    }

    fn policy(&self, name: &str) -> Option<Oid> {
        self.id(&format!("{name}:{FOLDER}"))
    }

    fn value(&self, name: &str) -> Option<Oid> {
        self.on_server(name)
    }

    fn major(&self) -> Option<String> {
        let form = "--format=%(refname:short) %(creatordate:unix)";
        let server = self.server();
        let said = self.git_in(&server, "somebody", &["for-each-ref", form, "refs/tags"]).ok()?;
        let releases: Vec<Release> = said
            .lines()
            .filter_map(|line| {
                let (tag, seconds) = line.split_once(' ')?;
                let version = self.policy.release.version(tag)?;
                let at = chrono::DateTime::from_timestamp(seconds.parse().ok()?, 0)?;
                Some(Release { tag: tag.to_string(), version, commit: Oid::default(), at })
            })
            .collect();
        last_major(&releases, self.clock).map(|release| release.tag.clone())
    }

    fn records(&self) -> &[Record] {
        &self.records
    }
}
