//! The list of a package's messages, by which `google.protobuf.Any` finds them.

use heck::{ToSnakeCase as _, ToUpperCamelCase as _};
use proc_macro2::TokenStream;
use prost_types::{DescriptorProto, FileDescriptorProto, MessageOptions};
use quote::quote;

use crate::error::Error;
use crate::input::full_name;
use crate::rust_names::ident;

/// The list of the messages of one package, which may span files.
pub(crate) fn emit<'a>(
    files: impl Iterator<Item = &'a FileDescriptorProto>,
) -> Result<TokenStream, Error> {
    let mut types = Vec::new();
    for file in files {
        for message in &file.message_type {
            let full_name = full_name(file.package(), message.name());
            collect(&mut types, &full_name, &quote! {}, message)?;
        }
    }
    let count = types.len();
    Ok(quote! {
        /// The messages of the package, to be registered if they may stand in a
        /// `google.protobuf.Any` in JSON.
        pub static TYPES: [::connect::json::AnyType; #count] = [
            #(#types),*
        ];
    })
}

fn collect(
    types: &mut Vec<TokenStream>,
    full_name: &str,
    module: &TokenStream,
    message: &DescriptorProto,
) -> Result<(), Error> {
    if message
        .options
        .as_ref()
        .is_some_and(MessageOptions::map_entry)
    {
        return Ok(());
    }
    let ident = ident(&message.name().to_upper_camel_case())?;
    types.push(quote! { ::connect::json::AnyType::new::<#module #ident>(#full_name) });
    let nested = crate::rust_names::ident(&message.name().to_snake_case())?;
    let module = quote! { #module #nested:: };
    message.nested_type.iter().try_for_each(|nested| {
        let full_name = format!("{full_name}.{}", nested.name());
        collect(types, &full_name, &module, nested)
    })
}
