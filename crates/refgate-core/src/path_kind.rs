//! Tells what a path is by its name: documentation, a test, a setting of CI or the build, a
//! lock file or a translation. A source file in a directory `docs`, `tests` or `locales` is a
//! source file (docs/design/model.md, "Class").

use alloc::string::String;
use alloc::vec::Vec;

use crate::{Change, EntryKind};

/// What a path is, if it is no part of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathKind {
    /// Text about the software.
    Documentation,
    /// A test or its data.
    Test,
    /// A setting of continuous integration.
    Ci,
    /// A setting of the build, of a tool or of dependencies.
    Build,
    /// A lock file.
    Lock,
    /// A translation.
    Translation,
}

impl PathKind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Documentation, Self::Test, Self::Ci, Self::Build, Self::Lock, Self::Translation];

    /// Its name in policies.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Documentation => "documentation",
            Self::Test => "test",
            Self::Ci => "ci",
            Self::Build => "build",
            Self::Lock => "lock",
            Self::Translation => "translation",
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind of a changed file. `None` for the product, and for a submodule or a symbolic
    /// link, because it can stand for any code.
    #[must_use]
    pub fn of(change: &Change) -> Option<Self> {
        (change.kind == EntryKind::File).then(|| path_kind(&change.path)).flatten()
    }
}

/// Extensions of files that a program runs, includes or shows.
const SOURCE: &[&str] = &[
    "asm", "astro", "bash", "bat", "c", "cc", "cjs", "clj", "cljs", "cmd", "cpp", "cs", "css",
    "cts", "cxx", "dart", "dll", "elm", "erb", "erl", "ex", "exe", "exs", "f90", "fs", "go",
    "graphql", "groovy", "h", "haml", "hbs", "hh", "hpp", "hs", "htm", "html", "ipynb", "jar",
    "java", "jl", "js", "jsx", "kt", "kts", "less", "lua", "m", "mdx", "mjs", "ml", "mli", "mm",
    "mts", "nim", "php", "pl", "pm", "proto", "ps1", "py", "pyi", "pyx", "r", "rb", "rs", "sass",
    "scala", "scss", "sh", "slim", "so", "sql", "svelte", "swift", "tf", "ts", "tsx", "twig", "vb",
    "vue", "wasm", "xhtml", "xsl", "zig", "zsh",
];

/// File names of locks.
const LOCKS: &[&str] = &[
    "bun.lock",
    "bun.lockb",
    "cargo.lock",
    "cartfile.resolved",
    "composer.lock",
    "conda-lock.yml",
    "flake.lock",
    "gemfile.lock",
    "go.sum",
    "gradle.lockfile",
    "mix.lock",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "package.resolved",
    "packages.lock.json",
    "pdm.lock",
    "pipfile.lock",
    "pnpm-lock.yaml",
    "podfile.lock",
    "poetry.lock",
    "pubspec.lock",
    "uv.lock",
    "yarn.lock",
];

/// File names of CI settings.
const CI: &[&str] = &[
    ".appveyor.yml",
    ".cirrus.yml",
    ".codecov.yml",
    ".coveragerc",
    ".drone.yml",
    ".gitlab-ci.yml",
    ".pre-commit-config.yaml",
    ".readthedocs.yaml",
    ".readthedocs.yml",
    ".travis.yml",
    ".woodpecker.yml",
    "appveyor.yml",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    "cloudbuild.yaml",
    "codecov.yml",
    "jenkinsfile",
    "noxfile.py",
    "tox.ini",
];

/// Directories of CI settings.
const CI_DIRECTORIES: &[&str] = &[
    ".buildkite",
    ".ci",
    ".circleci",
    ".drone",
    ".forgejo",
    ".gitea",
    ".github",
    ".gitlab",
    ".woodpecker",
];

/// File names of settings of the build, of tools and of dependencies.
const BUILD: &[&str] = &[
    ".bazelrc",
    ".bazelversion",
    ".browserslistrc",
    ".clang-format",
    ".clang-tidy",
    ".dockerignore",
    ".editorconfig",
    ".flake8",
    ".gitattributes",
    ".gitignore",
    ".gitmodules",
    ".mailmap",
    ".npmignore",
    ".npmrc",
    ".nvmrc",
    ".prettierignore",
    ".pylintrc",
    ".python-version",
    ".ruby-version",
    ".rustfmt.toml",
    ".tool-versions",
    ".yarnrc",
    ".yarnrc.yml",
    "brewfile",
    "build.bazel",
    "build.gradle",
    "build.sbt",
    "cargo.toml",
    "clippy.toml",
    "cmakelists.txt",
    "codeowners",
    "composer.json",
    "constraints.txt",
    "deny.toml",
    "gemfile",
    "gnumakefile",
    "go.mod",
    "go.work",
    "gradle.properties",
    "justfile",
    "lerna.json",
    "makefile",
    "meson.build",
    "mypy.ini",
    "package.json",
    "pipfile",
    "podfile",
    "pom.xml",
    "pubspec.yaml",
    "pyproject.toml",
    "pytest.ini",
    "renovate.json",
    "ruff.toml",
    "rust-toolchain",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "settings.gradle",
    "setup.cfg",
    "tsconfig.json",
    "turbo.json",
    "workspace",
];

/// Names, without extension, of documents.
const DOCUMENTS: &[&str] = &[
    "authors",
    "changelog",
    "changes",
    "code_of_conduct",
    "contributing",
    "contributors",
    "copying",
    "history",
    "licence",
    "license",
    "maintainers",
    "news",
    "notice",
    "readme",
    "releases",
    "security",
    "upgrading",
];

/// Extensions of documents.
const DOCUMENT_EXTENSIONS: &[&str] = &["adoc", "asciidoc", "markdown", "md", "rst"];

/// Extensions of translations.
const TRANSLATION_EXTENSIONS: &[&str] = &["arb", "mo", "po", "pot", "xlf", "xliff"];

/// What a path is. `None` for a source file, and for a file that may be part of the product.
#[must_use]
pub(crate) fn path_kind(path: &str) -> Option<PathKind> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let lower = name.to_ascii_lowercase();
    let directories: Vec<String> = {
        let mut parts: Vec<String> = path.split('/').map(str::to_ascii_lowercase).collect();
        parts.pop();
        parts
    };
    let beneath = |names: &[&str]| directories.iter().any(|directory| listed(names, directory));
    let (stem, extension) = lower.rsplit_once('.').unwrap_or((&lower, ""));
    let source = listed(SOURCE, extension);
    if listed(LOCKS, &lower) {
        return Some(PathKind::Lock);
    }
    if listed(CI, &lower) || directories.first().is_some_and(|first| listed(CI_DIRECTORIES, first))
    {
        return Some(PathKind::Ci);
    }
    if listed(BUILD, &lower) || is_build_pattern(&lower) {
        return Some(PathKind::Build);
    }
    if is_test_name(name, &lower, source) || beneath(&["__mocks__", "__snapshots__", "__tests__"]) {
        return Some(PathKind::Test);
    }
    if source {
        return None;
    }
    if listed(TRANSLATION_EXTENSIONS, extension)
        || beneath(&["i18n", "l10n", "lang", "langs", "locale", "locales", "translations"])
    {
        return Some(PathKind::Translation);
    }
    if beneath(&["fixtures", "spec", "specs", "test", "testdata", "tests"]) {
        return Some(PathKind::Test);
    }
    let plain = ["", "txt", "html"].contains(&extension) && listed(DOCUMENTS, stem);
    let document = listed(DOCUMENT_EXTENSIONS, extension) || plain || listed(DOCUMENTS, &lower);
    (document || beneath(&["doc", "docs", "documentation"])).then_some(PathKind::Documentation)
}

/// Whether the extension is that of a file that a program runs, includes or shows.
pub(crate) fn is_source(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    name.rsplit_once('.').is_some_and(|(_, extension)| listed(SOURCE, extension))
}

fn is_build_pattern(lower: &str) -> bool {
    let tool = |start: &str| lower.starts_with(start);
    (tool("requirements") && lower.ends_with(".txt"))
        || (tool("dockerfile") && !lower.ends_with(".py"))
        || (tool("docker-compose") && (lower.ends_with(".yml") || lower.ends_with(".yaml")))
        || (tool("tsconfig.") && lower.ends_with(".json"))
        || [".eslintrc", ".prettierrc", ".stylelintrc", ".babelrc"].iter().any(|it| tool(it))
        || ["babel", "eslint", "jest", "postcss", "prettier", "rollup", "vite", "vitest", "webpack"]
            .iter()
            .any(|it| lower.strip_prefix(it).is_some_and(|rest| rest.starts_with(".config.")))
}

/// Whether the name is a test's by the conventions of its language: `test_x.py`, `x_test.go`,
/// `x.spec.ts`, `XTest.java`, `X_Tests.swift`.
fn is_test_name(name: &str, lower: &str, source: bool) -> bool {
    if !source {
        return false;
    }
    let whole = name.split('.').next().unwrap_or(name);
    let small = lower.split('.').next().unwrap_or(lower);
    // `Latest.java` is no test: the word must begin with a capital.
    let word = |end: &str| whole.strip_suffix(end).is_some_and(|rest| !rest.is_empty());
    ["conftest", "test", "tests"].contains(&small)
        || small.starts_with("test_")
        || ["_test", "_tests", "_spec"].iter().any(|end| small.ends_with(end))
        || [".test.", ".tests.", ".spec.", ".cy."].iter().any(|part| lower.contains(part))
        || ["Test", "Tests", "TestCase", "Spec", "Specs"].iter().any(|end| word(end))
}

/// Whether a sorted list contains a word.
fn listed(words: &[&str], word: &str) -> bool {
    !word.is_empty() && words.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{PathKind, path_kind};

    #[test]
    fn the_lists_are_sorted() {
        for list in [
            super::SOURCE,
            super::LOCKS,
            super::CI,
            super::CI_DIRECTORIES,
            super::BUILD,
            super::DOCUMENTS,
            super::DOCUMENT_EXTENSIONS,
            super::TRANSLATION_EXTENSIONS,
        ] {
            assert!(list.is_sorted(), "{list:?}");
        }
    }

    #[test]
    fn knows_the_usual_conventions() {
        let kinds = [
            (PathKind::Documentation, "README.md Docs/a.PNG LICENSE src/CHANGELOG.txt a/b.rst"),
            (
                PathKind::Test,
                "a/test_x.py pkg/x_test.go app/x.spec.ts src/XTest.java A/B_Tests.swift \
                 web/__tests__/a.js tests/data/a.json spec/fixtures/b.yml app/tests.py",
            ),
            (PathKind::Ci, ".github/workflows/ci.yml .gitlab-ci.yml .circleci/run.sh tox.ini"),
            (PathKind::Build, "Makefile a/Dockerfile.prod requirements-dev.txt web/package.json"),
            (PathKind::Lock, "Cargo.lock web/yarn.lock go.sum"),
            (PathKind::Translation, "locale/de/LC_MESSAGES/django.po web/locales/de.json"),
        ];
        for (kind, paths) in kinds {
            for path in paths.split_whitespace() {
                assert_eq!(path_kind(path), Some(kind), "{path}");
            }
        }
    }

    #[test]
    fn a_source_file_is_one_in_every_directory() {
        for path in [
            "src/docs/x.ts",
            "docs/conf.py",
            "tests/pay.rs",
            "locales/index.js",
            "src/Latest.java",
            "src/contest.py",
            "lib/spec/run.rb",
            "docs/x.html",
            "src/main.rs",
            "config/app.yaml",
            "github/workflows/x.py",
            "a/.github/x.py",
            "Test",
            "keys/ark.gpg",
        ] {
            assert_eq!(path_kind(path), None, "{path}");
        }
    }
}
