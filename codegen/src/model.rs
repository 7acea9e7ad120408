//! A service as the emitters see it, taken over from prost's description.

use proc_macro2::Ident;
use prost_types::method_options::IdempotencyLevel;
use quote::format_ident;

use crate::error::Error;
use crate::input::{Skipped, full_name};
use crate::rust_names::{ident, module_path};

/// A service with its Rust names.
pub(crate) struct Service {
    /// The modules of its package, as [`crate::rust_names::module_path`] calls them.
    pub(crate) package: String,
    /// `package.Service`
    pub(crate) full_name: String,
    /// The trait.
    pub(crate) trait_ident: Ident,
    /// The client.
    pub(crate) client_ident: Ident,
    /// The module with the method table and the router.
    pub(crate) module_ident: Ident,
    pub(crate) comment: Vec<String>,
    pub(crate) methods: Vec<Method>,
}

/// A unary RPC with its Rust names and types.
pub(crate) struct Method {
    pub(crate) name: String,
    /// `/package.Service/Method`
    pub(crate) path: String,
    /// The function in trait and client.
    pub(crate) ident: Ident,
    /// The entry in the method table.
    pub(crate) const_ident: Ident,
    /// As seen from the package's module.
    pub(crate) input: syn::Path,
    pub(crate) output: syn::Path,
    pub(crate) idempotency: IdempotencyLevel,
    pub(crate) deprecated: bool,
    pub(crate) comment: Vec<String>,
}

impl Service {
    pub(crate) fn new(service: &prost_build::Service, skipped: &Skipped) -> Result<Self, Error> {
        use heck::ToSnakeCase as _;
        let full_name = full_name(&service.package, &service.proto_name);
        let methods = service
            .methods
            .iter()
            .filter(|method| {
                let streams = method.client_streaming || method.server_streaming;
                !skipped.has(&full_name, &method.proto_name, streams)
            })
            .map(|method| Method::new(&full_name, method))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            package: module_path(&service.package),
            trait_ident: ident(&service.name)?,
            client_ident: format_ident!("{}Client", service.name),
            module_ident: ident(&service.proto_name.to_snake_case())?,
            comment: service.comments.leading.clone(),
            full_name,
            methods,
        })
    }
}

impl Method {
    fn new(service: &str, method: &prost_build::Method) -> Result<Self, Error> {
        use heck::ToShoutySnakeCase as _;
        Ok(Self {
            name: method.proto_name.clone(),
            path: format!("/{service}/{}", method.proto_name),
            ident: ident(&method.name)?,
            const_ident: ident(&method.proto_name.to_shouty_snake_case())?,
            input: path(&method.input_type)?,
            output: path(&method.output_type)?,
            idempotency: method.options.idempotency_level(),
            deprecated: method.options.deprecated(),
            comment: method.comments.leading.clone(),
        })
    }
}

fn path(path: &str) -> Result<syn::Path, Error> {
    syn::parse_str(path).map_err(|error| Error::new(format!("`{path}` is no Rust type: {error}")))
}
