//! Names of protobuf elements in Rust.

use proc_macro2::Ident;

use crate::error::Error;

/// Returns the path of a package's module, before keywords are escaped: `Foo.v1` is `foo.v1`.
pub(crate) fn module_path(package: &str) -> String {
    let modules = package.split('.').map(heck::ToSnakeCase::to_snake_case);
    modules.collect::<Vec<_>>().join(".")
}

/// Returns `name` as an identifier, escaped as prost escapes it: a keyword is raw, or gets an
/// underscore where a raw identifier is not allowed.
pub(crate) fn ident(name: &str) -> Result<Ident, Error> {
    syn::parse_str(name)
        .or_else(|_| syn::parse_str(&format!("r#{name}")))
        .or_else(|_| syn::parse_str(&format!("{name}_")))
        .map_err(|error| Error::new(format!("`{name}` is not a valid Rust name: {error}")))
}
