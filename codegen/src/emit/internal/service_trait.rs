//! Trait of an internal service, and its implementation for an `Rc`.

use proc_macro2::TokenStream;
use quote::quote;

use super::signature;
use crate::emit::doc_comment;
use crate::model::{Method, Service};

/// Emits a trait that both the service and its client implement.
pub(super) fn emit(service: &Service) -> TokenStream {
    let doc = doc_comment::emit(
        &service.comment,
        &format!("RPCs of the internal service `{}`.", service.full_name),
    );
    let ident = &service.trait_ident;
    let client = format!(
        " [`{}`] implements it by calls over a transport.",
        service.client_ident
    );
    let methods = service.methods.iter().map(declaration);
    let shared = service.methods.iter().map(|each| shared(service, each));
    let deprecated = service
        .has_deprecated()
        .then(|| quote! { #[allow(deprecated, reason = "deprecated RPCs still work")] });
    quote! {
        #doc
        ///
        #[doc = #client]
        #[allow(async_fn_in_trait, reason = "futures need not be Send")]
        pub trait #ident {
            #(#methods)*
        }

        #deprecated
        impl<S: #ident + ?Sized> #ident for ::std::rc::Rc<S> {
            #(#shared)*
        }
    }
}

/// Emits no default body: an RPC without a handler must not compile.
fn declaration(method: &Method) -> TokenStream {
    let doc = doc_comment::emit(&method.comment, &format!("RPC `{}`.", method.path));
    let deprecated = method.deprecated.then(|| quote! { #[deprecated] });
    let signature = signature(method);
    quote! {
        #doc
        #deprecated
        #signature;
    }
}

/// Emits the call in full, as an `Rc` has methods of other traits too, such as `clone`.
fn shared(service: &Service, method: &Method) -> TokenStream {
    let (trait_ident, ident) = (&service.trait_ident, &method.ident);
    let signature = signature(method);
    quote! {
        #signature {
            <S as #trait_ident>::#ident(self, request).await
        }
    }
}
