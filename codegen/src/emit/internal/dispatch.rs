//! Module of an internal service: its name, method table and dispatch function.

use proc_macro2::TokenStream;
use quote::quote;

use crate::emit::method_table;
use crate::model::{Method, Service};

/// Emits the module.
pub(super) fn emit(service: &Service) -> TokenStream {
    let Service {
        full_name,
        trait_ident,
        module_ident,
        ..
    } = service;
    let doc = format!(" Name, methods and dispatch of the internal service `{full_name}`.");
    let table = method_table::emit(service);
    let unknown = quote! { Err(::connect::internal::unknown_method(method)) };
    let (parameters, body) = if service.methods.is_empty() {
        (
            quote! { _: &S, method: &str, _: ::connect::bytes::Bytes },
            unknown,
        )
    } else {
        let arms = service.methods.iter().map(|each| arm(service, each));
        (
            quote! { service: &S, method: &str, request: ::connect::bytes::Bytes },
            quote! {
                match method {
                    #(#arms)*
                    _ => #unknown,
                }
            },
        )
    };
    let deprecated = service
        .has_deprecated()
        .then(|| quote! { #[allow(deprecated, reason = "deprecated RPCs still work")] });
    quote! {
        #[doc = #doc]
        pub mod #module_ident {
            #table

            /// Calls the method of `service` named `method`, without its package and service.
            /// Decodes the request and encodes the response.
            ///
            /// # Errors
            /// Returns the error of the method, `internal` if the request cannot be decoded, and
            /// `unimplemented` if there is no such method: the caller may run a newer version.
            #deprecated
            pub async fn dispatch<S: super::#trait_ident>(
                #parameters
            ) -> ::core::result::Result<::connect::bytes::Bytes, ::connect::Error> {
                #body
            }
        }
    }
}

/// Emits the call in full, as the service may have a method of that name in another trait.
fn arm(service: &Service, method: &Method) -> TokenStream {
    let trait_ident = &service.trait_ident;
    let Method { name, ident, .. } = method;
    quote! {
        #name => {
            let handler = async |message| {
                <S as super::#trait_ident>::#ident(service, message).await
            };
            ::connect::internal::dispatch(request, handler).await
        }
    }
}
