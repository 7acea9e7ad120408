//! Trait of a service, to be implemented by its handlers.

use proc_macro2::TokenStream;
use quote::quote;

use super::doc_comment;
use crate::model::{Method, Service};

/// Emits the trait.
pub(super) fn emit(service: &Service) -> TokenStream {
    let doc = doc_comment::emit(
        &service.comment,
        &format!("Handlers of `{}`.", service.full_name),
    );
    let ident = &service.trait_ident;
    let methods = service.methods.iter().map(method);
    quote! {
        #doc
        #[allow(async_fn_in_trait, reason = "handlers need not be Send")]
        pub trait #ident {
            #(#methods)*
        }
    }
}

/// Emits no default body: an RPC without a handler must not compile.
fn method(method: &Method) -> TokenStream {
    let doc = doc_comment::emit(&method.comment, &format!("Handles `{}`.", method.path));
    let deprecated = method.deprecated.then(|| quote! { #[deprecated] });
    let Method {
        ident,
        input,
        output,
        ..
    } = method;
    quote! {
        #doc
        #deprecated
        async fn #ident(
            &self,
            cx: &::connect::Context,
            request: #input,
        ) -> ::core::result::Result<::connect::Response<#output>, ::connect::Error>;
    }
}
