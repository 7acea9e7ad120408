//! Client of a service over HTTP.

use proc_macro2::TokenStream;
use quote::quote;

use super::doc_comment;
use crate::model::{Method, Service};

/// Emits a tuple struct: a constructor `new` could collide with an RPC of that name.
pub(super) fn emit(service: &Service) -> TokenStream {
    let doc = format!(" Calls `{}` over a transport.", service.full_name);
    let ident = &service.client_ident;
    let methods = service.methods.iter().map(|each| method(service, each));
    quote! {
        #[doc = #doc]
        #[derive(Clone, Debug)]
        pub struct #ident<T>(
            /// Client that sends the calls of all RPCs.
            pub ::connect::Client<T>,
        );

        impl<T: ::connect::Transport> #ident<T> {
            #(#methods)*
        }
    }
}

fn method(service: &Service, method: &Method) -> TokenStream {
    let doc = doc_comment::emit(&method.comment, &format!("Calls `{}`.", method.path));
    let deprecated = method.deprecated.then(|| quote! { #[deprecated] });
    let module_ident = &service.module_ident;
    let Method {
        ident,
        const_ident,
        input,
        output,
        ..
    } = method;
    quote! {
        #doc
        ///
        /// # Errors
        /// Returns the service's error, or a local one if there is no response.
        #deprecated
        pub async fn #ident(
            &self,
            request: &#input,
            options: ::connect::CallOptions,
        ) -> ::core::result::Result<::connect::Response<#output>, ::connect::Error> {
            self.0.unary(&#module_ident::methods::#const_ident, request, options).await
        }
    }
}
