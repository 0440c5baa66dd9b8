//! Tests of `plan`, `apply`, `continue`, `skip`, `undo` and `receipt`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use crate::world::World;

/// A security fix goes to three lines, one of which conflicts. The run is stopped,
/// resolved with Git, finished and undone.
#[test]
fn a_conflict_on_one_line_does_not_stop_the_others() {
    let world = World::new();
    world.on("release/1.0", &["switch", "-q", "release/1.0"]);
    world.git(&["switch", "-q", "release/1.0"]);
    world.edit("app.txt", "two\n", "zwei\n");
    world.commit("feat: German");
    let fix = world.fix("security: two\n\nSigned-off-by: ada <ada@x>", "app.txt", "two\n", "2\n");
    insta::assert_snapshot!("forecast", world.does(1, &["plan", &fix]));
    let before = world.git(&["for-each-ref"]);
    let said = world.does(1, &["apply", &fix]);
    insta::assert_snapshot!("stopped", said);
    assert!(world.does(3, &["apply", &fix]).contains("another backport is unfinished"));
    // The clean picks are equal to Git's own picks, byte for byte.
    let short = &fix[..10];
    world.git(&["switch", "-q", "-C", "by-hand", "release/1.1"]);
    world.git(&["cherry-pick", "-x", &fix]);
    let (mine, gits) = (format!("backport/{short}/release/1.1"), "by-hand");
    assert_eq!(world.show(&mine), world.show(gits));
    assert_eq!(world.git(&["diff", &mine, gits]), "");
    world.git(&["switch", "-q", "main"]);
    world.git(&["branch", "-q", "-D", "by-hand"]);

    // `continue` creates a deleted worktree again.
    let tree =
        world.path().join(format!(".git/refgate/backport/backport%2F{short}%2Frelease%2F1.0"));
    fs::remove_dir_all(&tree).unwrap();
    world.does(1, &["continue"]);
    // `continue` stops at conflict markers, and nothing is lost.
    world.try_git(&tree, &["add", "-A"]);
    let said = world.does(1, &["continue"]);
    assert!(said.contains("conflict markers are left"), "{said}");
    let resolved = fs::read_to_string(tree.join("app.txt")).unwrap();
    let (head, rest) = resolved.split_once("<<<<<<<").unwrap();
    let tail = rest.split_once(">>>>>>>").unwrap().1.split_once('\n').unwrap().1;
    fs::write(tree.join("app.txt"), format!("{head}2\n{tail}")).unwrap();
    world.try_git(&tree, &["add", "-A"]);
    let said = world.does(0, &["continue"]);
    assert!(said.contains("release/1.0  done"), "{said}");
    assert!(!tree.exists());
    let shown = world.show(&format!("backport/{short}/release/1.0"));
    assert!(shown.contains(&format!("(cherry picked from commit {fix})")), "{shown}");
    insta::assert_snapshot!(
        "receipts",
        ["1.0", "1.1", "1.2"]
            .map(|line| {
                let branch = format!("backport/{short}/release/{line}");
                world.backport(&["receipt", &branch]).1
            })
            .concat()
    );
    assert!(world.does(0, &["undo"]).contains("the undo is complete"));
    assert_eq!(world.git(&["for-each-ref"]), before);
}

/// `continue` understands `git commit` and `git cherry-pick --abort` in the worktree.
#[test]
fn continues_after_plain_git_commands() {
    let world = World::new();
    for line in ["release/1.0", "release/1.1"] {
        world.git(&["switch", "-q", line]);
        world.edit("app.txt", "two\n", "zwei\n");
        world.commit("feat: German");
    }
    let fix = world.fix("fix: two", "app.txt", "two\n", "2\n");
    world.does(1, &["apply", &fix, "--to", "release/1.0", "--to", "release/1.1", "--gap"]);
    let folder = world.path().join(".git/refgate/backport");
    // `git commit` in one, `git cherry-pick --abort` in the other.
    let short = &fix[..10];
    let tree = folder.join(format!("backport%2F{short}%2Frelease%2F1.0"));
    fs::write(tree.join("app.txt"), "one\n2\n").unwrap();
    world.try_git(&tree, &["add", "-A"]);
    world.try_git(&tree, &["commit", "-q", "--no-edit"]);
    world.try_git(
        &folder.join(format!("backport%2F{short}%2Frelease%2F1.1")),
        &["cherry-pick", "--abort"],
    );
    let said = world.does(1, &["continue"]);
    assert!(said.contains("release/1.0  done"), "{said}");
    assert!(said.contains("release/1.1  conflict"), "{said}");
    let said = world.does(0, &["skip", "release/1.1"]);
    assert!(said.contains("release/1.1  skipped"), "{said}");
    assert_eq!(world.git(&["worktree", "list"]).lines().count(), 1);
}

/// A fix applies after a prerequisite, or from the copy on another branch.
#[test]
fn finds_prerequisites_and_copies_that_apply() {
    let world = World::new();
    world.fix("refactor: two", "app.txt", "two\n", "TWO\n");
    world.fix("docs: lib", "lib.txt", "g\n", "G\n");
    let fix = world.fix("fix: two", "app.txt", "TWO\n", "2!\n");
    let said = world.does(0, &["plan", &fix]);
    assert!(said.contains("clean after"), "{said}");
    // After somebody has resolved it on one line, that copy applies to the next line.
    world.git(&["switch", "-q", "release/1.2"]);
    world.edit("app.txt", "two\n", "2!\n");
    world.commit(&format!("fix: two\n\n(cherry picked from commit {fix})"));
    world.git(&["switch", "-q", "main"]);
    let said = world.does(0, &["plan", &fix, "--to", "release/1.1"]);
    assert!(said.contains("clean from the copy on release/1.2"), "{said}");
    let said = world.does(0, &["apply", &fix, "--to", "release/1.1", "--straight"]);
    assert!(said.contains("release/1.1  done: release/1.1 is"), "{said}");
    let said = world.does(0, &["status", &fix]);
    assert!(said.contains("picked         release/1.1"), "{said}");
    assert!(said.contains("missing        release/1.0"), "{said}");
}

/// Picks of a merge with a rename, a binary file and a submodule, and an empty pick.
#[test]
fn picks_merges_and_skips_empty_picks() {
    let world = World::new();
    let merge = world.merge_of_everything();
    assert!(world.does(2, &["plan", &merge]).contains("no parent is chosen"));
    world.does(0, &["apply", &merge, "-m", "1", "--to", "release/1.2"]);
    let branch = format!("backport/{}/release/1.2", &merge[..10]);
    assert_eq!(
        world.git(&["rev-parse", &format!("{branch}^{{tree}}")]),
        world.git(&["rev-parse", "main^{tree}"])
    );
    assert!(world.does(0, &["receipt", &branch]).contains("exact"));
    // If the branch has the content already, the pick is empty, and is not written.
    world.git(&["switch", "-q", "release/1.1"]);
    world.edit("app.txt", "three\n", "3\n");
    world.edit("lib.txt", "a\n", "A\n");
    world.commit("feat: two things");
    let fix = world.fix("fix: three", "app.txt", "three\n", "3\n");
    let said = world.does(0, &["plan", &fix, "--to", "release/1.1"]);
    assert!(said.contains("empty: the pick would change nothing"), "{said}");
    // A dirty worktree is not changed, and a branch that is checked out is not updated.
    world.write("app.txt", "dirty\n");
    world.git(&["symbolic-ref", "HEAD", "refs/heads/release/1.2"]);
    let said = world.does(1, &["apply", &fix, "--to", "release/1.2", "--straight"]);
    assert!(said.contains("is checked out"), "{said}");
    world.does(0, &["apply", &fix, "--to", "release/1.2"]);
    assert!(world.does(0, &["undo"]).contains("undo is complete"));
    assert_eq!(fs::read_to_string(world.path().join("app.txt")).unwrap(), "dirty\n");
}

/// A commit without a parent is picked as Git picks it: it adds all of its files.
#[test]
fn picks_a_root_commit() {
    let world = World::new();
    world.git(&["switch", "-q", "--orphan", "tool"]);
    world.write("tools/lint", "#!/bin/sh\n");
    let root = world.commit("feat: a linter with a history of its own");
    world.git(&["switch", "-q", "main"]);
    world.git(&["merge", "-q", "--allow-unrelated-histories", "-m", "Merge the linter", "tool"]);
    world.does(0, &["apply", &root, "--to", "release/1.2"]);
    let made = world.git(&["rev-parse", &format!("backport/{}/release/1.2", &root[..10])]);
    assert!(world.does(0, &["receipt", &made]).contains("exact"));
    world.git(&["switch", "-q", "release/1.2"]);
    world.git(&["cherry-pick", "-x", &root]);
    assert_eq!(
        world.git(&["show", "-s", "--format=%T%n%B", &made]),
        world.git(&["show", "-s", "--format=%T%n%B"])
    );
    world.git(&["switch", "-q", "release/1.1"]);
    world.write("tools/lint", "another\n");
    world.commit("feat: another linter");
    assert!(
        world.does(1, &["plan", &root, "--to", "release/1.1"]).contains("conflict in tools/lint")
    );
}

/// A receipt shows changes that somebody added to a pick.
#[test]
fn receipts_show_added_changes() {
    let world = World::new();
    let fix = world.fix("fix: two", "app.txt", "two\n", "2\n");
    world.git(&["switch", "-q", "release/1.0"]);
    world.git(&["cherry-pick", "-x", &fix]);
    assert!(world.does(0, &["receipt", "HEAD"]).contains("exact"));
    world.edit("lib.txt", "a\n", "A\n");
    world.git(&["commit", "-q", "-a", "--amend", "--no-edit"]);
    let said = world.does(1, &["receipt", "HEAD"]);
    assert!(said.contains("edited") && said.contains("lib.txt"), "{said}");
    world.write("app.txt", "<<<<<<< ours\na\n=======\nb\n>>>>>>> theirs\n");
    world.git(&["commit", "-q", "-a", "--amend", "--no-edit"]);
    let said = world.does(1, &["receipt", "HEAD", "--json"]);
    assert!(said.contains("\"receipt\":\"marked\""), "{said}");
}

/// On a terminal, fixes and branches are chosen from lists, with the forecast of each.
#[test]
fn asks_for_fixes_and_branches_on_a_terminal() {
    let world = World::new();
    world.git(&["switch", "-q", "release/1.0"]);
    world.edit("app.txt", "two\n", "zwei\n");
    world.commit("feat: German");
    let fix = world.fix("fix: two", "app.txt", "two\n", "2\n");
    let said = world.does(2, &["apply"]);
    assert!(said.contains("no fix was given"), "{said}");
    // The newest fix is the first of the list. Targets that apply are preselected.
    let said = world.types("apply", &[" ", "\r", "\r"]);
    assert!(said.contains("fix: two"), "{said}");
    assert!(said.contains("conflict in app.txt") && said.contains("clean"), "{said}");
    let made = world.git(&["for-each-ref", "--format=%(refname:lstrip=4)", "refs/heads/backport"]);
    assert_eq!(made, "release/1.1\nrelease/1.2", "{said}");
    let shown = world.show(&format!("backport/{}/release/1.1", &fix[..10]));
    assert!(shown.contains(&format!("(cherry picked from commit {fix})")), "{shown}");
    world.does(0, &["undo"]);
    // An empty selection changes nothing.
    let said = world.types("apply", &["\r"]);
    assert!(said.contains("nothing was selected"), "{said}");
}

/// With a Git that cannot forecast picks, libgit2 does, and a message says so.
#[test]
fn an_old_git_gets_an_approximate_forecast() {
    let world = World::new();
    world.git(&["switch", "-q", "release/1.0"]);
    world.edit("app.txt", "two\n", "zwei\n");
    world.commit("feat: German");
    let fix = world.fix("fix: two", "app.txt", "two\n", "2\n");
    let exact = world.does(1, &["plan", &fix]);
    // This Git does not know the options of `merge-tree`.
    let folder = git_of(&world, "2.39.5", "exit 129");
    let said = world.with_path(&folder, 1, &["plan", &fix]);
    assert!(said.contains("approximate: git 2.39.5 cannot forecast"), "{said}");
    let plain: Vec<&str> = said.lines().filter(|line| !line.contains("approximate")).collect();
    let known: Vec<&str> = exact
        .lines()
        .filter(|line| !line.contains("CONFLICT") && !line.contains("Merge conflict"))
        .collect();
    assert_eq!(plain, known);
    world.with_path(&folder, 0, &["apply", &fix, "--to", "release/1.2", "--straight"]);
    assert!(world.show("release/1.2").contains("fix: two"));
}

/// Writes a `git` that reports a version, and that runs `merge_tree` as `merge-tree`.
fn git_of(world: &World, version: &str, merge_tree: &str) -> PathBuf {
    let real = Command::new("which").arg("git").output().unwrap().stdout;
    let real = String::from_utf8(real).unwrap();
    let script = format!(
        "#!/bin/sh\nreal={}\ncase \"$*\" in *merge-tree*) {merge_tree};; *version) echo git version \
         {version};; *) exec $real \"$@\";; esac\n",
        real.trim()
    );
    world.write("old/git", &script);
    let folder = world.path().join("old");
    fs::set_permissions(folder.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// Git 2.40 to 2.44 merges only commits, so each tree gets a commit.
#[test]
fn forecasts_are_equal_with_a_git_that_merges_only_commits() {
    let world = World::new();
    world.fix("refactor: two", "app.txt", "two\n", "TWO\n");
    let fix = world.fix("fix: two", "app.txt", "TWO\n", "2!\n");
    world.git(&["switch", "-q", "release/1.0"]);
    world.edit("app.txt", "two\n", "zwei\n");
    world.commit("feat: German");
    let known = world.does(1, &["plan", &fix]);
    let only_commits = "asked=$(cat); for id in $asked; do test $id = -- || \
                        test \"$($real $1 $2 cat-file -t $id)\" = commit || exit 128; done; \
                        echo \"$asked\" | $real \"$@\"";
    let folder = git_of(&world, "2.43.0", only_commits);
    assert_eq!(world.with_path(&folder, 1, &["plan", &fix]), known);
    assert!(known.contains("clean after") && known.contains("conflict in"), "{known}");
}

/// `git --git-dir=X backport` and hooks set `GIT_DIR`. Git commands in the worktrees of a
/// run must ignore it.
#[test]
fn uses_the_repository_of_the_environment() {
    let world = World::new();
    world.git(&["switch", "-q", "release/1.0"]);
    world.edit("app.txt", "two\n", "zwei\n");
    world.commit("feat: German");
    let fix = world.fix("fix: two", "app.txt", "two\n", "2\n");
    let folder = world.path().join(".git");
    let does = |arguments: &[&str]| {
        let mut git = Command::new(env!("CARGO_BIN_EXE_git-backport"));
        git.args(arguments).current_dir("/").env("GIT_DIR", &folder);
        for key in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{key}_NAME"), "ada").env(format!("GIT_{key}_EMAIL"), "ada@x");
        }
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap()
    };
    let said = does(&["apply", &fix, "--to", "release/1.0", "--straight", "--gap"]);
    assert_eq!(said.status.code(), Some(1), "{}", String::from_utf8_lossy(&said.stderr));
    assert!(world.git(&["worktree", "list"]).lines().count() == 2);
    assert_eq!(does(&["abort"]).status.code(), Some(0));
    assert!(world.git(&["worktree", "list"]).lines().count() == 1);
    assert_eq!(world.git(&["status", "--porcelain"]), "");
}
