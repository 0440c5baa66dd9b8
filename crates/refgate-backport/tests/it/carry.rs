//! Does it forecast, pick, stop, go on and take back as it says?

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use crate::world::World;

/// A security fix to three lines, one of which conflicts; stopped in between,
/// resolved with plain git, finished, and taken back.
#[test]
fn one_conflict_stops_nobody_else() {
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
    assert!(world.does(3, &["apply", &fix]).contains("waits to be finished"));
    // The clean ones are what git makes of them, to the byte.
    let short = &fix[..10];
    world.git(&["switch", "-q", "-C", "by-hand", "release/1.1"]);
    world.git(&["cherry-pick", "-x", &fix]);
    let (mine, gits) = (format!("backport/{short}/release/1.1"), "by-hand");
    assert_eq!(world.show(&mine), world.show(gits));
    assert_eq!(world.git(&["diff", &mine, gits]), "");
    world.git(&["switch", "-q", "main"]);
    world.git(&["branch", "-q", "-D", "by-hand"]);

    // Killed and the worktree gone: `continue` makes it again.
    let tree =
        world.path().join(format!(".git/refgate/backport/backport%2F{short}%2Frelease%2F1.0"));
    fs::remove_dir_all(&tree).unwrap();
    world.does(1, &["continue"]);
    // Marks that were left are refused, and nothing is lost.
    world.try_git(&tree, &["add", "-A"]);
    let said = world.does(1, &["continue"]);
    assert!(said.contains("conflict marks left"), "{said}");
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
    assert!(world.does(0, &["undo"]).contains("all else is as it was"));
    assert_eq!(world.git(&["for-each-ref"]), before);
}

/// What users do in the worktree by themselves is understood.
#[test]
fn plain_git_is_understood() {
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

/// A fix that applies after another one, or from the copy on a sibling.
#[test]
fn conflicts_are_cured_where_they_can_be() {
    let world = World::new();
    world.fix("refactor: two", "app.txt", "two\n", "TWO\n");
    world.fix("docs: lib", "lib.txt", "g\n", "G\n");
    let fix = world.fix("fix: two", "app.txt", "TWO\n", "2!\n");
    let said = world.does(0, &["plan", &fix]);
    assert!(said.contains("clean after"), "{said}");
    // Somebody resolves it on one line; the next can have that.
    world.git(&["switch", "-q", "release/1.2"]);
    world.edit("app.txt", "two\n", "2!\n");
    world.commit(&format!("fix: two\n\n(cherry picked from commit {fix})"));
    world.git(&["switch", "-q", "main"]);
    let said = world.does(0, &["plan", &fix, "--to", "release/1.1"]);
    assert!(said.contains("clean from the sibling already on release/1.2"), "{said}");
    let said = world.does(0, &["apply", &fix, "--to", "release/1.1", "--straight"]);
    assert!(said.contains("release/1.1  done: release/1.1 is"), "{said}");
    let said = world.does(0, &["status", &fix]);
    assert!(said.contains("picked         release/1.1"), "{said}");
    assert!(said.contains("missing        release/1.0"), "{said}");
}

/// A merge, a rename, a binary file, a submodule, an empty pick.
#[test]
fn everything_that_git_picks() {
    let world = World::new();
    let merge = world.merge_of_everything();
    assert!(world.does(2, &["plan", &merge]).contains("say with -m whose changes"));
    world.does(0, &["apply", &merge, "-m", "1", "--to", "release/1.2"]);
    let branch = format!("backport/{}/release/1.2", &merge[..10]);
    assert_eq!(
        world.git(&["rev-parse", &format!("{branch}^{{tree}}")]),
        world.git(&["rev-parse", "main^{tree}"])
    );
    assert!(world.does(0, &["receipt", &branch]).contains("exact"));
    // What is there already by other means is an empty pick, and is not made.
    world.git(&["switch", "-q", "release/1.1"]);
    world.edit("app.txt", "three\n", "3\n");
    world.edit("lib.txt", "a\n", "A\n");
    world.commit("feat: two things");
    let fix = world.fix("fix: three", "app.txt", "three\n", "3\n");
    let said = world.does(0, &["plan", &fix, "--to", "release/1.1"]);
    assert!(said.contains("empty: the pick would change nothing"), "{said}");
    // Dirty trees are left alone; a branch that is checked out is not moved.
    world.write("app.txt", "dirty\n");
    world.git(&["symbolic-ref", "HEAD", "refs/heads/release/1.2"]);
    let said = world.does(1, &["apply", &fix, "--to", "release/1.2", "--straight"]);
    assert!(said.contains("is checked out"), "{said}");
    world.does(0, &["apply", &fix, "--to", "release/1.2"]);
    assert!(world.does(0, &["undo"]).contains("as it was"));
    assert_eq!(fs::read_to_string(world.path().join("app.txt")).unwrap(), "dirty\n");
}

/// A commit without a parent: all that it has is what it changes.
#[test]
fn a_root_is_picked_as_git_picks_it() {
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

/// What somebody added to a pick is found.
#[test]
fn receipts_tell_what_was_added() {
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
fn what_is_not_said_is_chosen_on_a_terminal() {
    let world = World::new();
    world.git(&["switch", "-q", "release/1.0"]);
    world.edit("app.txt", "two\n", "zwei\n");
    world.commit("feat: German");
    let fix = world.fix("fix: two", "app.txt", "two\n", "2\n");
    let said = world.does(2, &["apply"]);
    assert!(said.contains("say which fixes are meant"), "{said}");
    // The first of the list is the newest; what applies is chosen beforehand.
    let said = world.types("apply", &[" ", "\r", "\r"]);
    assert!(said.contains("fix: two"), "{said}");
    assert!(said.contains("conflict in app.txt") && said.contains("clean"), "{said}");
    let made = world.git(&["for-each-ref", "--format=%(refname:lstrip=4)", "refs/heads/backport"]);
    assert_eq!(made, "release/1.1\nrelease/1.2", "{said}");
    let shown = world.show(&format!("backport/{}/release/1.1", &fix[..10]));
    assert!(shown.contains(&format!("(cherry picked from commit {fix})")), "{shown}");
    world.does(0, &["undo"]);
    // Nothing chosen, nothing done.
    let said = world.types("apply", &["\r"]);
    assert!(said.contains("nothing was chosen"), "{said}");
}

/// With a git that is too old to be asked, libgit2 forecasts, and that is said.
#[test]
fn an_old_git_gets_an_approximate_forecast() {
    let world = World::new();
    world.git(&["switch", "-q", "release/1.0"]);
    world.edit("app.txt", "two\n", "zwei\n");
    world.commit("feat: German");
    let fix = world.fix("fix: two", "app.txt", "two\n", "2\n");
    let exact = world.does(1, &["plan", &fix]);
    // A git that knows no such questions.
    let folder = git_of(&world, "2.39.5", "exit 129");
    let said = world.with_path(&folder, 1, &["plan", &fix]);
    assert!(said.contains("approximate: git 2.39.5 cannot be asked"), "{said}");
    let plain: Vec<&str> = said.lines().filter(|line| !line.contains("approximate")).collect();
    let known: Vec<&str> = exact
        .lines()
        .filter(|line| !line.contains("CONFLICT") && !line.contains("Merge conflict"))
        .collect();
    assert_eq!(plain, known);
    world.with_path(&folder, 0, &["apply", &fix, "--to", "release/1.2", "--straight"]);
    assert!(world.show("release/1.2").contains("fix: two"));
}

/// Puts a git of a version, as far as `merge-tree` goes, into a folder.
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

/// From 2.40 to 2.44 git merges commits only: each tree gets one.
#[test]
fn a_git_that_merges_no_trees_forecasts_the_same() {
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

/// `git --git-dir=X backport`, and a hook, name the repository so; our own
/// worktrees are not to be taken for it.
#[test]
fn the_repository_may_be_named_by_the_environment() {
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
