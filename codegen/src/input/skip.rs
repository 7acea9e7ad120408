//! RPCs that the build script skips.

use prost_types::FileDescriptorProto;

use super::default_package::full_name;
use crate::error::Error;

/// RPCs that are not generated.
#[derive(Clone, Debug, Default)]
pub(crate) struct Skipped {
    /// Skips all RPCs that stream.
    pub(crate) streaming: bool,
    /// Full names of single RPCs: `package.Service.Method`.
    pub(crate) methods: Vec<String>,
}

impl Skipped {
    /// Returns true for an RPC that is skipped. `service` is a full name.
    pub(super) fn contains(&self, service: &str, rpc: &str, streams: bool) -> bool {
        let matches = |name: &String| {
            name.rsplit_once('.')
                .is_some_and(|name| name == (service, rpc))
        };
        (streams && self.streaming) || self.methods.iter().any(matches)
    }

    /// Checks that the named RPCs exist: a misspelt name would skip nothing.
    pub(super) fn check(&self, files: &[FileDescriptorProto]) -> Result<(), Error> {
        let rpcs: Vec<_> = files
            .iter()
            .flat_map(|file| file.service.iter().map(move |service| (file, service)))
            .flat_map(|(file, service)| {
                let service_name = full_name(file.package(), service.name());
                service
                    .method
                    .iter()
                    .map(move |rpc| format!("{service_name}.{}", rpc.name()))
            })
            .collect();
        match self.methods.iter().find(|name| !rpcs.contains(name)) {
            Some(missing) => Err(Error::new(format!(
                "`.skip_method(\"{missing}\")` names no RPC; the RPCs are {}",
                rpcs.join(", ")
            ))),
            None => Ok(()),
        }
    }
}
