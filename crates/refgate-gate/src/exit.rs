//! Defines the exit codes. The hook and the commands use the same table.

/// The exit codes. All are between 0 and 9, because Git reads an exit code of 256 as
/// success (docs/design/threats.md, "When Git accepts because the hook did not run").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Accepted, or done.
    Accepted = 0,
    /// Rejected by the policy.
    Rejected = 1,
    /// The command line is not valid.
    Usage = 2,
    /// The input of the hook is malformed, or contradicts the refs on the server.
    BadInput = 3,
    /// There is no usable policy.
    BadPolicy = 4,
    /// The repository cannot be read, or its format is not supported.
    BadRepository = 5,
    /// The push exceeds a limit of the server.
    TooMuch = 6,
    /// refgate is not installed on this server, or its settings are not valid.
    BadSetup = 7,
    /// Undecided: the push could not be decided and is rejected.
    Undecided = 8,
    /// A check failed (`demo`, `test`, `doctor`, `audit`), or the command cannot go on.
    Failed = 9,
}

impl Exit {
    /// All exit codes with their meaning.
    pub const ALL: [(Self, &'static str); 10] = [
        (Self::Accepted, "accepted, or done"),
        (Self::Rejected, "rejected by the policy"),
        (Self::Usage, "the command line is not valid"),
        (Self::BadInput, "the hook input is malformed, or contradicts the refs on the server"),
        (Self::BadPolicy, "there is no usable policy"),
        (Self::BadRepository, "the repository cannot be read, or is not supported"),
        (Self::TooMuch, "the push exceeds the limits of the server"),
        (Self::BadSetup, "refgate is not installed here, or the installation is wrong"),
        (Self::Undecided, "undecided: the push could not be decided and is rejected"),
        (Self::Failed, "a check failed: the result differs from the expected result"),
    ];

    /// The exit code as a number for the operating system.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}
