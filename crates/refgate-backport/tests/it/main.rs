//! Stories of `git backport` on real repositories.
