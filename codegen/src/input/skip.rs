//! RPCs that are not generated, as the author of the build script wants it.

use prost_types::FileDescriptorProto;

use super::default_package::full_name;
use crate::error::Error;

/// Which RPCs are left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Skipped {
    /// All that stream.
    pub(crate) streaming: bool,
    /// Full names: `package.Service.Method`.
    pub(crate) named: Vec<String>,
}

impl Skipped {
    /// Whether an RPC is left out. `service` is its service's full name.
    pub(crate) fn has(&self, service: &str, rpc: &str, streams: bool) -> bool {
        let is_it = |name: &String| {
            name.rsplit_once('.')
                .is_some_and(|name| name == (service, rpc))
        };
        (streams && self.streaming) || self.named.iter().any(is_it)
    }

    /// Checks that what is named is there: a misspelt name would leave out nothing.
    pub(crate) fn check(&self, files: &[FileDescriptorProto]) -> Result<(), Error> {
        let rpcs: Vec<_> = files
            .iter()
            .flat_map(|file| file.service.iter().map(move |service| (file, service)))
            .flat_map(|(file, service)| {
                let scope = full_name(file.package(), service.name());
                service
                    .method
                    .iter()
                    .map(move |rpc| format!("{scope}.{}", rpc.name()))
            })
            .collect();
        match self.named.iter().find(|name| !rpcs.contains(name)) {
            Some(missing) => Err(Error::new(format!(
                "{missing} is to be left out, but there is no such RPC: there are {}",
                rpcs.join(", ")
            ))),
            None => Ok(()),
        }
    }
}
