//! Module of a service: its name, method table and router.

use proc_macro2::TokenStream;
use quote::quote;

use super::method_table;
use crate::model::{Method, Service};

/// Emits the module.
pub(super) fn emit(service: &Service) -> TokenStream {
    let Service {
        full_name,
        trait_ident,
        module_ident,
        ..
    } = service;
    let doc = format!(" Name, methods and router of `{full_name}`.");
    let table = method_table::emit(service);
    let arms = service.methods.iter().map(|method| arm(service, method));
    let service_argument = if service.methods.is_empty() {
        quote! { _ }
    } else {
        quote! { service }
    };
    let deprecated = service
        .has_deprecated()
        .then(|| quote! { #[allow(deprecated, reason = "deprecated methods still work")] });
    quote! {
        #[doc = #doc]
        pub mod #module_ident {
            #table

            /// Routes an HTTP request to the method of `service` named by its path.
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

/// Emits the call in full, as the service may have a method of that name in another trait.
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
