//! Makes hostile objects in the attacker's clone, without asking Git whether it likes them.

use refgate_scenario::git_command;

use crate::raw_client::write_object;
use crate::target::Target;

const WHO: &str = "Ada <ada@x> 1700000000 +0000";

impl Target {
    /// Writes an object as it is given.
    pub(crate) fn object(&self, kind: &str, data: &[u8]) -> String {
        write_object(&self.clone(), kind, data)
    }

    /// The tree of a commit with one file replaced or added.
    pub(crate) fn tree_with(&self, base: &str, path: &str, text: &str) -> String {
        let blob = self.object("blob", text.as_bytes());
        let index = self.clone().join(".git/attack-index");
        let _ = std::fs::remove_file(&index);
        let run = |arguments: &[&str]| {
            let mut git = git_command(&self.clone());
            git.env("GIT_INDEX_FILE", &index).args(arguments);
            let output = git.output().unwrap();
            String::from_utf8_lossy(&output.stdout).trim().to_string()
        };
        run(&["read-tree", base]);
        run(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{path}")]);
        run(&["write-tree"])
    }

    /// A commit with these parents.
    pub(crate) fn commit(&self, tree: &str, parents: &[&str], message: &str) -> String {
        let parents: String = parents.iter().map(|id| format!("parent {id}\n")).collect();
        let text = format!("tree {tree}\n{parents}author {WHO}\ncommitter {WHO}\n\n{message}\n");
        self.object("commit", text.as_bytes())
    }

    /// A commit on top of a ref of the server that changes one file.
    pub(crate) fn change(&self, onto: &str, path: &str, message: &str) -> String {
        let text = format!("{message} {path}\n");
        let tree = self.tree_with(onto, path, &text);
        self.commit(&tree, &[onto], message)
    }
}
