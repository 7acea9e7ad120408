//! Messages without a JSON form: what Connect's codecs ask of every message is there, and refuses.

use heck::{ToSnakeCase as _, ToUpperCamelCase as _};
use proc_macro2::TokenStream;
use prost_types::{DescriptorProto, FileDescriptorProto, MessageOptions};
use quote::quote;

use crate::error::Error;
use crate::rust_names::ident;

/// Implementations for all messages of a file.
pub(crate) fn refusals(file: &FileDescriptorProto) -> Result<TokenStream, Error> {
    let mut tokens = TokenStream::new();
    for message in &file.message_type {
        refuse(&mut tokens, &quote! {}, message)?;
    }
    Ok(tokens)
}

fn refuse(
    tokens: &mut TokenStream,
    module: &TokenStream,
    message: &DescriptorProto,
) -> Result<(), Error> {
    let options = message.options.as_ref();
    if options.is_some_and(MessageOptions::map_entry) {
        return Ok(());
    }
    let name = ident(&message.name().to_upper_camel_case())?;
    tokens.extend(quote! {
        impl ::serde::Serialize for #module #name {
            fn serialize<S: ::serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(::serde::ser::Error::custom("this message has no JSON form"))
            }
        }
        impl<'de> ::serde::Deserialize<'de> for #module #name {
            fn deserialize<D: ::serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
                Err(::serde::de::Error::custom("this message has no JSON form"))
            }
        }
    });
    let nested = ident(&message.name().to_snake_case())?;
    let module = quote! { #module #nested:: };
    message
        .nested_type
        .iter()
        .try_for_each(|nested| refuse(tokens, &module, nested))
}
