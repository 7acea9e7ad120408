//! Descriptions of RPC methods.

/// One RPC of a service, as its proto describes it. Generated code has one for each RPC.
///
/// ```
/// use connect::{Idempotency, Method};
///
/// static GREET: Method = Method {
///     path: "/greeter.v1.GreeterService/Greet",
///     service: "greeter.v1.GreeterService",
///     name: "Greet",
///     idempotency: Idempotency::NoSideEffects,
///     deprecated: false,
/// };
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Method {
    /// Path of the URL: `/package.Service/Method`.
    pub path: &'static str,
    /// Full name of the service: `package.Service`.
    pub service: &'static str,
    /// Name of the method: `Method`.
    pub name: &'static str,
    /// Effect of repeated calls.
    pub idempotency: Idempotency,
    /// True if the proto marks the method as deprecated.
    pub deprecated: bool,
}

/// The option `idempotency_level` of a method.
///
/// ```
/// use connect::{Idempotency, Method};
///
/// /// Returns whether a client may repeat a call whose response was lost.
/// fn is_retryable(method: &Method) -> bool {
///     method.idempotency != Idempotency::Unknown
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// The proto promises nothing.
    Unknown,
    /// A call changes nothing, so clients may also use GET (Connect spec: "Unary-Get").
    NoSideEffects,
    /// A repeated call changes nothing more than the first.
    Idempotent,
}
