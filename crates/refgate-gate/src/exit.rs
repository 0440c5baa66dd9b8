//! With which exit code does each outcome end? One table for hook and command line.

/// The exit codes. All lie between 0 and 9: an exit code of 256 would read as
/// success (docs/design/threats.md, "When Git accepts because the hook did not run").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Accepted, or done.
    Accepted = 0,
    /// Refused by the policy.
    Rejected = 1,
    /// The command line is not understood.
    Usage = 2,
    /// The hook's input is not what Git writes, or not what is at rest.
    BadInput = 3,
    /// There is no usable policy.
    BadPolicy = 4,
    /// The repository cannot be read, or is of a kind that is not supported.
    BadRepository = 5,
    /// The push goes beyond the server's limits.
    TooMuch = 6,
    /// refgate is not set up on this server, or wrongly.
    BadSetup = 7,
    /// It could not be decided; this refuses.
    Undecided = 8,
    /// Something did not turn out as announced (`demo`, `test`, `doctor`).
    Failed = 9,
}

impl Exit {
    /// All of them, with what they mean.
    pub const ALL: [(Self, &'static str); 10] = [
        (Self::Accepted, "accepted, or done"),
        (Self::Rejected, "refused by the policy"),
        (Self::Usage, "the command line is not understood"),
        (Self::BadInput, "the hook's input is not what Git writes, or not what is at rest"),
        (Self::BadPolicy, "there is no usable policy"),
        (Self::BadRepository, "the repository cannot be read, or is not supported"),
        (Self::TooMuch, "the push goes beyond the server's limits"),
        (Self::BadSetup, "refgate is not set up here, or wrongly"),
        (Self::Undecided, "it could not be decided, and so is refused"),
        (Self::Failed, "something did not turn out as announced"),
    ];

    /// As the operating system takes it.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}
