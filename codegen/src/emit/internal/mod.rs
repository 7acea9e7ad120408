//! Internal services, which receive and return encoded messages without HTTP.

mod client;
mod dispatch;
mod service_trait;

use proc_macro2::TokenStream;

use crate::model::{Method, Service};

/// Emits all code of an internal service.
pub(super) fn emit(service: &Service) -> TokenStream {
    let mut tokens = service_trait::emit(service);
    tokens.extend(dispatch::emit(service));
    tokens.extend(client::emit(service));
    tokens
}

/// Emits the signature of a method of the trait.
fn signature(method: &Method) -> TokenStream {
    let Method {
        ident,
        input,
        output,
        ..
    } = method;
    quote::quote! {
        async fn #ident(
            &self,
            request: #input,
        ) -> ::core::result::Result<#output, ::connect::Error>
    }
}
