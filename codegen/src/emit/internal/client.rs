//! Client of an internal service.

use proc_macro2::TokenStream;
use quote::quote;

use super::signature;
use crate::model::{Method, Service};

/// Emits a struct that implements the service's trait over a transport.
pub(super) fn emit(service: &Service) -> TokenStream {
    let doc = format!(" Client of the internal service `{}`.", service.full_name);
    let ident = &service.client_ident;
    let trait_ident = &service.trait_ident;
    let methods = service.methods.iter().map(|each| method(service, each));
    quote! {
        #[doc = #doc]
        #[derive(Clone, Debug)]
        pub struct #ident<T>(
            /// Transport of encoded messages to the service.
            pub T,
        );

        impl<T: ::connect::internal::ObjectTransport> #trait_ident for #ident<T> {
            #(#methods)*
        }
    }
}

fn method(service: &Service, method: &Method) -> TokenStream {
    let signature = signature(method);
    let module_ident = &service.module_ident;
    let const_ident = &method.const_ident;
    quote! {
        #signature {
            ::connect::internal::call(&self.0, &#module_ident::methods::#const_ident, &request)
                .await
        }
    }
}
