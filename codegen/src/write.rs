//! The files: for each package its messages, their JSON and its services, and one that nests
//! the packages as modules.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proc_macro2::TokenStream;
use prost_types::FileDescriptorProto;
use quote::quote;

use crate::emit;
use crate::error::Error;
use crate::messages::Sources;
use crate::model::Service;
use crate::rust_names::{ident, module_path};

const HEADER: &str = "// Generated from a proto file at build time. Do not edit.\n\n";

/// Packages as they nest: `coral.discovery.v1` is a module in a module in a module.
#[derive(Default)]
struct Module {
    files: Vec<String>,
    children: BTreeMap<String, Self>,
}

/// Writes everything into `folder`.
pub(crate) fn write(
    folder: &Path,
    files: &[FileDescriptorProto],
    messages: Sources,
    json: Sources,
    services: &[Service],
) -> Result<(), Error> {
    let mut connect = BTreeMap::<&str, TokenStream>::new();
    for service in services {
        let tokens = emit::service(service);
        connect.entry(&service.package).or_default().extend(tokens);
    }
    for package in messages.keys() {
        let files = files
            .iter()
            .filter(|file| module_path(file.package()) == *package);
        connect
            .entry(package)
            .or_default()
            .extend(emit::type_registry(files)?);
    }
    let connect: Vec<_> = connect
        .into_iter()
        .map(|(p, tokens)| (p.to_owned(), ".connect", tokens.to_string()))
        .collect();
    let messages = messages.into_iter().map(|(p, source)| (p, "", source));
    let json = json.into_iter().map(|(p, source)| (p, ".json", source));
    let mut root = Module::default();
    for (package, suffix, source) in messages.chain(json).chain(connect) {
        let file = format!("{package}{suffix}.rs");
        write_formatted(&folder.join(&file), &source)?;
        root.descend(&package).files.push(file);
    }
    write_formatted(&folder.join("protos.rs"), &root.tokens()?.to_string())
}

impl Module {
    fn descend(&mut self, package: &str) -> &mut Self {
        package.split('.').fold(self, |module, name| {
            module.children.entry(name.to_owned()).or_default()
        })
    }

    fn tokens(&self) -> Result<TokenStream, Error> {
        let files = &self.files;
        let children = self
            .children
            .iter()
            .map(|(name, child)| {
                let ident = ident(name)?;
                let doc = format!(" The package `{name}`.");
                let content = child.tokens()?;
                let allow = (!child.files.is_empty()).then(allow);
                Ok(quote! {
                    #[doc = #doc]
                    #allow
                    pub mod #ident { #content }
                })
            })
            .collect::<Result<Vec<_>, Error>>()?;
        Ok(quote! {
            #(include!(#files);)*
            #(#children)*
        })
    }
}

/// What prost's and pbjson's code does that careful hands would not.
fn allow() -> TokenStream {
    quote! {
        #[allow(
            missing_docs,
            clippy::all,
            clippy::pedantic,
            clippy::use_self,
            reason = "prost and pbjson write for machines: undocumented helpers, wide enums"
        )]
    }
}

/// Formats, and writes only what differs: an untouched file does not make cargo build again.
fn write_formatted(path: &Path, source: &str) -> Result<(), Error> {
    let fail = |error: &dyn std::fmt::Display| Error::new(format!("{}: {error}", path.display()));
    let file = syn::parse_file(source).map_err(|error| fail(&error))?;
    let formatted = format!("{HEADER}{}", prettyplease::unparse(&file));
    if fs::read(path).is_ok_and(|old| old == formatted.as_bytes()) {
        return Ok(());
    }
    fs::write(path, formatted).map_err(|error| fail(&error))
}
