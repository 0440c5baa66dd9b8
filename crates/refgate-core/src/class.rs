//! Defines the classes of change, their order and the limits on their diffs.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::{Change, EntryKind, Glob};

/// A class of a policy, by its index in [`Classes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(u8);

impl ClassId {
    /// The class of a change without evidence. It counts as the strictest class
    /// (docs/design/model.md, "Class").
    pub const UNCLASSIFIED: Self = Self(u8::MAX);
}

/// One class of change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// Its name in policies and trailers.
    pub name: String,
    /// How much a change of this class may disturb. Classes can share a rank.
    pub rank: u8,
    /// The limits on its diff.
    pub bounds: Bounds,
}

/// The limits on the diff of a class. An empty list sets no limit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bounds {
    /// The only paths that it may change.
    pub only: Vec<Glob>,
    /// The only paths at which it may add files.
    pub adds: Vec<Glob>,
    /// Paths that it may not change.
    pub never: Vec<Glob>,
}

impl Bounds {
    /// Whether there is a limit, so that the diff must be computed.
    #[must_use]
    pub fn any(&self) -> bool {
        !(self.only.is_empty() && self.adds.is_empty() && self.never.is_empty())
    }

    /// Whether the limits allow one changed path. A submodule or a symbolic link can stand for
    /// any code (docs/design/threats.md, H8), so no pattern of `only` or `adds` allows one.
    #[must_use]
    pub fn allow(&self, change: &Change) -> bool {
        let foreign = change.kind != EntryKind::File;
        let added = change.mode == crate::ChangeMode::Added;
        let adds = || !foreign && hit(&self.adds, change);
        self.allow_path(change) && (self.adds.is_empty() || !(added || foreign) || adds())
    }

    /// Whether the limits `only` and `never` allow one changed path.
    pub(crate) fn allow_path(&self, change: &Change) -> bool {
        let only = || change.kind == EntryKind::File && hit(&self.only, change);
        !hit(&self.never, change) && (self.only.is_empty() || only())
    }
}

fn hit(globs: &[Glob], change: &Change) -> bool {
    globs.iter().any(|glob| glob.matches(&change.path))
}

/// The classes of a policy, from the least to the most disturbing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Classes(Vec<Class>);

impl Classes {
    /// The list of classes; `None` if it has more than 250.
    #[must_use]
    pub fn new(classes: Vec<Class>) -> Option<Self> {
        (classes.len() <= 250).then_some(Self(classes))
    }

    /// The class with this name, without regard to case.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<ClassId> {
        let place = self.0.iter().position(|class| class.name.eq_ignore_ascii_case(name))?;
        u8::try_from(place).ok().map(ClassId)
    }

    /// The class itself; `None` for [`ClassId::UNCLASSIFIED`].
    #[must_use]
    pub fn get(&self, id: ClassId) -> Option<&Class> {
        self.0.get(usize::from(id.0))
    }

    /// The name of a class.
    #[must_use]
    pub fn name(&self, id: ClassId) -> String {
        self.get(id).map_or_else(|| "unclassified".to_string(), |class| class.name.clone())
    }

    /// How much a class may disturb. [`ClassId::UNCLASSIFIED`] has the highest rank.
    #[must_use]
    pub fn rank(&self, id: ClassId) -> u8 {
        self.get(id).map_or(u8::MAX, |class| class.rank)
    }

    /// All ids, in order.
    pub fn ids(&self) -> impl Iterator<Item = ClassId> {
        (0..self.0.len()).filter_map(|place| u8::try_from(place).ok().map(ClassId))
    }

    /// All names, in order, for suggestions of similar names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|class| class.name.as_str())
    }

    /// Whether any class has limits, so that diffs must be computed.
    #[must_use]
    pub fn has_bounds(&self) -> bool {
        self.0.iter().any(|class| class.bounds.any())
    }
}
