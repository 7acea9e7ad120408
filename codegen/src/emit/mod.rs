//! Rust code of services and type registries.

mod client;
mod doc_comment;
mod internal;
mod method_table;
mod router;
mod server_trait;
mod type_registry;

use std::collections::BTreeMap;

use proc_macro2::TokenStream;

use crate::error::Error;
use crate::input::{Input, WELL_KNOWN_PACKAGE};
use crate::messages::Sources;
use crate::model::Service;
use crate::rust_names::module_path;

/// Generates the services and, on request, the type registry of each package.
pub(crate) fn generate(
    input: &Input,
    services: &[Service],
    type_registry: bool,
) -> Result<Sources, Error> {
    let mut packages = BTreeMap::<String, TokenStream>::new();
    for service in services {
        let tokens = emit_service(service);
        let package = packages.entry(service.package.clone()).or_default();
        package.extend(tokens);
    }
    if type_registry {
        let mut files = BTreeMap::<_, Vec<_>>::new();
        for file in input.public_files() {
            if file.package() != WELL_KNOWN_PACKAGE {
                let package = module_path(file.package());
                files.entry(package).or_default().push(file);
            }
        }
        for (package, files) in files {
            let tokens = type_registry::emit(&files)?;
            packages.entry(package).or_default().extend(tokens);
        }
    }
    Ok(packages
        .into_iter()
        .map(|(package, tokens)| (package, tokens.to_string()))
        .collect())
}

fn emit_service(service: &Service) -> TokenStream {
    if service.is_internal {
        return internal::emit(service);
    }
    let mut tokens = server_trait::emit(service);
    tokens.extend(router::emit(service));
    tokens.extend(client::emit(service));
    tokens
}
