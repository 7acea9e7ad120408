//! The Rust of a service: trait, method table with router, and client.

mod client;
mod doc_comment;
mod no_json;
mod router;
mod server_trait;
mod type_registry;

use proc_macro2::TokenStream;

pub(crate) use no_json::refusals;
pub(crate) use type_registry::emit as type_registry;

use crate::model::Service;

/// All that is generated for one service.
pub(crate) fn service(service: &Service) -> TokenStream {
    let mut tokens = server_trait::emit(service);
    tokens.extend(router::emit(service));
    tokens.extend(client::emit(service));
    tokens
}
