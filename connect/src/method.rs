//! What the generator tells about a method.

/// One RPC of a service, as its proto describes it.
#[derive(Debug, PartialEq, Eq)]
pub struct Method {
    /// The path of its URL: `/package.Service/Method`.
    pub path: &'static str,
    /// The full name of its service: `package.Service`.
    pub service: &'static str,
    /// Its own name: `Method`.
    pub name: &'static str,
    /// What repeating a call may do.
    pub idempotency: Idempotency,
    /// Whether the proto marks it as deprecated.
    pub deprecated: bool,
}

/// The `idempotency_level` option of a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// Nothing is promised.
    Unknown,
    /// A call changes nothing, so it may also be made with GET (Connect spec: "Unary-Get").
    NoSideEffects,
    /// A repeated call changes nothing more.
    Idempotent,
}
