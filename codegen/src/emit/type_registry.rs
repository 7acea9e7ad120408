//! List of a package's messages, for the registry in which `google.protobuf.Any` looks them up.

use heck::{ToSnakeCase as _, ToUpperCamelCase as _};
use proc_macro2::{Literal, TokenStream};
use prost_types::{DescriptorProto, FileDescriptorProto, MessageOptions};
use quote::quote;

use crate::error::Error;
use crate::input::full_name;
use crate::rust_names::ident;

/// Emits the list of the messages of one package, which may span files.
pub(super) fn emit(files: &[&FileDescriptorProto]) -> Result<TokenStream, Error> {
    let mut types = Vec::new();
    for file in files {
        for message in &file.message_type {
            let full_name = full_name(file.package(), message.name());
            collect(&mut types, &full_name, &quote! {}, message)?;
        }
    }
    let count = Literal::usize_unsuffixed(types.len());
    Ok(quote! {
        /// Messages of the package, for `connect::json::register`: once registered they can be
        /// in a `google.protobuf.Any` in JSON.
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
    let name = ident(&message.name().to_upper_camel_case())?;
    types.push(quote! { ::connect::json::AnyType::new::<#module #name>(#full_name) });
    let nested = ident(&message.name().to_snake_case())?;
    let module = quote! { #module #nested:: };
    message.nested_type.iter().try_for_each(|nested| {
        let full_name = format!("{full_name}.{}", nested.name());
        collect(types, &full_name, &module, nested)
    })
}
