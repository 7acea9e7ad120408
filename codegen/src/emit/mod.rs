//! The Rust of a service: trait, method table with router, and client.

mod client;
mod comment;
mod no_json;
mod router;
mod service;
mod types;

use proc_macro2::TokenStream;

pub(crate) use no_json::refusals;
pub(crate) use types::types;

use crate::model::Service;

/// All that is generated for one service.
pub(crate) fn service(service: &Service) -> TokenStream {
    let mut tokens = service::emit(service);
    tokens.extend(router::emit(service));
    tokens.extend(client::emit(service));
    tokens
}
