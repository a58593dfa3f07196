//! Where the tree breaks a rule today, and why. The list only gets shorter: a paid debt must be crossed out.

/// One known breach.
pub(super) struct Debt {
    /// The rule's name.
    pub(super) rule: &'static str,
    /// The file.
    pub(super) path: &'static str,
    /// Part of what is found there; empty for anything.
    pub(super) what: &'static str,
    /// Why it is so, and what would end it.
    pub(super) reason: &'static str,
}

pub(super) const DEBTS: &[Debt] = &[];
