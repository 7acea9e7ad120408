//! Services as the emitters need them, converted from prost's description.

use proc_macro2::Ident;
use prost_types::method_options::IdempotencyLevel;
use quote::format_ident;

use crate::error::Error;
use crate::input::{Input, full_name};
use crate::rust_names::{ident, module_path};

/// Names of type parameters in generated code. A message may have the same name.
const TYPE_PARAMETERS: [&str; 2] = ["S", "T"];

/// Service with its Rust names.
pub(crate) struct Service {
    /// Module of its package, as [`module_path`] returns it.
    pub(crate) package: String,
    /// `package.Service`
    pub(crate) full_name: String,
    /// All its callers belong to the same deployment.
    pub(crate) is_internal: bool,
    pub(crate) trait_ident: Ident,
    pub(crate) client_ident: Ident,
    /// Module with the method table and the router.
    pub(crate) module_ident: Ident,
    pub(crate) comment: Vec<String>,
    pub(crate) methods: Vec<Method>,
}

/// Unary RPC with its Rust names and types.
pub(crate) struct Method {
    pub(crate) name: String,
    /// `/package.Service/Method`
    pub(crate) path: String,
    /// Function in trait and client.
    pub(crate) ident: Ident,
    /// Entry in the method table.
    pub(crate) const_ident: Ident,
    /// Type of the request, as seen from the package's module.
    pub(crate) input: syn::Path,
    /// Type of the response, as seen from the package's module.
    pub(crate) output: syn::Path,
    pub(crate) idempotency: IdempotencyLevel,
    pub(crate) deprecated: bool,
    pub(crate) comment: Vec<String>,
}

impl Service {
    /// Converts a service, without the RPCs that are skipped.
    pub(crate) fn new(service: &prost_build::Service, input: &Input) -> Result<Self, Error> {
        use heck::ToSnakeCase as _;
        let full_name = full_name(&service.package, &service.proto_name);
        let methods = service
            .methods
            .iter()
            .filter(|method| {
                let streams = method.client_streaming || method.server_streaming;
                !input.is_skipped(&full_name, &method.proto_name, streams)
            })
            .map(|method| Method::new(&full_name, method))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            package: module_path(&service.package),
            is_internal: input.is_internal_service(&full_name),
            trait_ident: ident(&service.name)?,
            client_ident: format_ident!("{}Client", service.name),
            module_ident: ident(&service.proto_name.to_snake_case())?,
            comment: service.comments.leading.clone(),
            full_name,
            methods,
        })
    }

    /// Returns true if a method is deprecated, so that calls of it need an `#[allow]`.
    pub(crate) fn has_deprecated(&self) -> bool {
        self.methods.iter().any(|method| method.deprecated)
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
            input: type_path(&method.input_type)?,
            output: type_path(&method.output_type)?,
            idempotency: method.options.idempotency_level(),
            deprecated: method.options.deprecated(),
            comment: method.comments.leading.clone(),
        })
    }
}

/// Parses the path of a message's type. One that a type parameter would hide starts with `self`.
fn type_path(path: &str) -> Result<syn::Path, Error> {
    let path = if TYPE_PARAMETERS.contains(&path) {
        format!("self::{path}")
    } else {
        path.to_owned()
    };
    syn::parse_str(&path)
        .map_err(|error| Error::new(format!("`{path}` is not a valid Rust type: {error}")))
}
