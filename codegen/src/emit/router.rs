//! The module of a service: its name, its method table and its router.

use proc_macro2::TokenStream;
use prost_types::method_options::IdempotencyLevel;
use quote::quote;

use crate::model::{Method, Service};

pub(super) fn emit(service: &Service) -> TokenStream {
    let Service {
        full_name,
        trait_ident,
        module_ident,
        ..
    } = service;
    let doc = format!(" Name, methods and router of `{full_name}`.");
    let methods = service.methods.iter().map(|method| table(service, method));
    let method_idents = service.methods.iter().map(|method| &method.const_ident);
    let count = service.methods.len();
    let arms = service.methods.iter().map(|method| arm(service, method));
    let service_argument = if count == 0 {
        quote! { _ }
    } else {
        quote! { service }
    };
    let deprecated = service
        .methods
        .iter()
        .any(|method| method.deprecated)
        .then(|| {
            quote! { #[allow(deprecated, reason = "deprecated methods are still answered")] }
        });
    quote! {
        #[doc = #doc]
        pub mod #module_ident {
            /// The full name of the service.
            pub const NAME: &str = #full_name;

            /// All methods, in the order of the proto.
            pub static METHODS: [&::connect::Method; #count] = [#(&methods::#method_idents),*];

            /// The methods one by one, in a module of their own as they may have any name.
            pub mod methods {
                #(#methods)*
            }

            /// Answers an HTTP request with the method of `service` that its path names.
            #deprecated
            pub async fn route<S, R, B>(
                #service_argument: &S,
                server: &::connect::Server<R>,
                request: ::connect::http::Request<B>,
            ) -> ::connect::http::Response<::connect::bytes::Bytes>
            where
                S: super::#trait_ident,
                R: ::connect::Runtime,
                B: ::connect::Body,
            {
                match request.uri().path() {
                    #(#arms)*
                    _ => server.unknown_path(request).await,
                }
            }
        }
    }
}

fn table(service: &Service, method: &Method) -> TokenStream {
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

/// The call is written out in full, as a method may be called like one of another trait.
fn arm(service: &Service, method: &Method) -> TokenStream {
    let Method {
        path,
        ident,
        const_ident,
        ..
    } = method;
    let trait_ident = &service.trait_ident;
    quote! {
        #path => {
            let handler = async |cx: &_, message| {
                <S as super::#trait_ident>::#ident(service, cx, message).await
            };
            server.unary(&methods::#const_ident, request, handler).await
        }
    }
}
