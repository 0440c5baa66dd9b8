//! Whole backports, with all output in snapshots.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::world::World;

/// Records the commands and their output.
struct Story<'w> {
    world: &'w World,
    told: String,
}

impl Story<'_> {
    fn backport(&mut self, code: i32, arguments: &[&str]) {
        let said = self.world.does(code, arguments);
        self.tell("git backport", arguments, &said);
    }

    fn git(&mut self, arguments: &[&str]) {
        let said = self.world.git(arguments);
        self.tell("git", arguments, &said);
    }

    fn tell(&mut self, program: &str, arguments: &[&str], said: &str) {
        self.told.push_str(&format!("$ {program} {}\n{}\n", arguments.join(" "), said.trim_end()));
    }
}

/// A security fix goes to four lines, one of which conflicts. The run is killed,
/// continued, resolved, and undone completely.
#[test]
fn backports_a_security_fix_to_four_lines() {
    let world = World::new();
    world.git(&["branch", "release/1.3"]);
    world.git(&["switch", "-q", "release/1.0"]);
    world.edit("app.txt", "two\n", "zwei\n");
    world.commit("feat: German");
    let fix = world.fix("security: check the length", "app.txt", "two\n", "2\n");
    let before = world.git(&["for-each-ref"]);
    let mut story = Story { world: &world, told: String::new() };
    story.backport(1, &["plan", &fix]);
    // This `git` kills its parent process when it is asked for a worktree.
    let real = Command::new("which").arg("git").output().unwrap().stdout;
    let real = String::from_utf8(real).unwrap();
    let kills = "case \"$*\" in *'worktree add'*) kill -9 $PPID;; esac";
    world.write("deadly/git", &format!("#!/bin/sh\n{kills}\nexec {} \"$@\"\n", real.trim()));
    let folder = world.path().join("deadly");
    fs::set_permissions(folder.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
    world.killed(&folder, &["apply", &fix]);
    fs::remove_dir_all(&folder).unwrap();
    story.told.push_str("$ git backport apply, killed while its worktree was made\n");
    story.git(&["for-each-ref", "--format=%(refname)", "refs/heads/backport"]);
    story.backport(1, &["continue"]);
    let tree = format!(".git/refgate/backport/backport%2F{}%2Frelease%2F1.0", &fix[..10]);
    let tree = world.path().join(tree);
    fs::write(tree.join("app.txt"), "one\n2\nthree\nfour\nfive\nsix\nseven\neight\n").unwrap();
    world.try_git(&tree, &["add", "app.txt"]);
    story.backport(0, &["continue"]);
    story.backport(0, &["status", &fix, "--line", "backport/**"]);
    story.backport(0, &["undo"]);
    insta::assert_snapshot!("four_lines", story.told);
    assert_eq!(world.git(&["for-each-ref"]), before);
    assert_eq!(world.git(&["worktree", "list"]).lines().count(), 1);
}

/// A merge brings a rename, a binary file and a submodule.
#[test]
fn backports_a_merge_of_unusual_files() {
    let world = World::new();
    let merge = world.merge_of_everything();
    world.on("release/1.2", &["commit", "-q", "--allow-empty", "-m", "chore: nothing"]);
    let mut story = Story { world: &world, told: String::new() };
    story.backport(2, &["plan", &merge]);
    story.backport(0, &["plan", &merge, "-m", "1"]);
    story.backport(0, &["apply", &merge, "-m", "1", "--to", "release/1.2"]);
    let branch = format!("backport/{}/release/1.2", &merge[..10]);
    story.git(&["show", "--stat", "--summary", "-M", "--format=%an: %B", &branch]);
    story.backport(0, &["receipt", &branch]);
    insta::assert_snapshot!("everything", story.told);
}
