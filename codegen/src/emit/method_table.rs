//! Name and method table of a service.

use proc_macro2::{Literal, TokenStream};
use prost_types::method_options::IdempotencyLevel;
use quote::quote;

use crate::model::{Method, Service};

/// Emits the items with which the module of a service begins.
pub(super) fn emit(service: &Service) -> TokenStream {
    let full_name = &service.full_name;
    let count = Literal::usize_unsuffixed(service.methods.len());
    let idents = service.methods.iter().map(|method| &method.const_ident);
    let methods = service.methods.iter().map(|each| method(service, each));
    quote! {
        /// Full name of the service.
        pub const NAME: &str = #full_name;

        /// All methods, in the order of the proto.
        pub static METHODS: [&::connect::Method; #count] = [#(&methods::#idents),*];

        /// Single methods. Their own module keeps their names apart from all others.
        pub mod methods {
            #(#methods)*
        }
    }
}

fn method(service: &Service, method: &Method) -> TokenStream {
    let Method {
        name,
        path,
        const_ident,
        deprecated,
        ..
    } = method;
    let doc = format!(" `{path}`");
    let service = &service.full_name;
    let idempotency = match method.idempotency {
        IdempotencyLevel::IdempotencyUnknown => quote! { Unknown },
        IdempotencyLevel::NoSideEffects => quote! { NoSideEffects },
        IdempotencyLevel::Idempotent => quote! { Idempotent },
    };
    quote! {
        #[doc = #doc]
        pub static #const_ident: ::connect::Method = ::connect::Method {
            path: #path,
            service: #service,
            name: #name,
            idempotency: ::connect::Idempotency::#idempotency,
            deprecated: #deprecated,
        };
    }
}
