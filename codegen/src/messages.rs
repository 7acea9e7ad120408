//! Messages and enums, by prost-build, which also describes the services.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use prost_build::{Module, ServiceGenerator};
use prost_types::FileDescriptorProto;

use crate::error::Error;
use crate::input::{Input, WELL_KNOWN_MODULE, WELL_KNOWN_PACKAGE};
use crate::model::Service;
use crate::rust_names::module_path;

/// Rust source by package.
pub(crate) type Sources = BTreeMap<String, String>;

/// Collects services instead of generating them: prost's generator cannot report errors.
struct Collector(Rc<RefCell<Vec<prost_build::Service>>>);

impl ServiceGenerator for Collector {
    fn generate(&mut self, service: prost_build::Service, _: &mut String) {
        self.0.borrow_mut().push(service);
    }
}

/// Generates the messages of all files, and returns them with the services. The `bytes` fields of
/// those paths are `bytes::Bytes`.
pub(crate) fn generate(
    input: &Input,
    bytes_fields: &[String],
) -> Result<(Sources, Vec<Service>), Error> {
    let collected = Rc::new(RefCell::new(Vec::new()));
    let requests = input
        .files
        .iter()
        .map(|file| {
            let module = Module::from_protobuf_package_name(file.package());
            (module, file.clone())
        })
        .collect();
    let sources = prost_build::Config::new()
        // Ordered maps give the same bytes for the same message: for caches and golden files.
        .btree_map(["."])
        .bytes(bytes_fields)
        // prost's own mapping of the well-known types has no JSON form.
        .compile_well_known_types()
        .extern_path(format!(".{WELL_KNOWN_PACKAGE}"), WELL_KNOWN_MODULE)
        .service_generator(Box::new(Collector(Rc::clone(&collected))))
        .generate(requests)
        .map_err(|error| Error::new(error.to_string()))?;
    let packages = input
        .files
        .iter()
        .map(FileDescriptorProto::package)
        .filter(|package| *package != WELL_KNOWN_PACKAGE)
        .filter_map(|package| {
            let source = sources.get(&Module::from_protobuf_package_name(package))?;
            Some((module_path(package), source.clone()))
        });
    let services = collected
        .borrow()
        .iter()
        .map(|service| Service::new(service, input))
        .collect::<Result<_, _>>()?;
    Ok((packages.collect(), services))
}
