//! Lists of live leases, for the admin service.

use connect::{Error, Runtime};

use crate::object::RegistryObject;
use crate::proto::{LeaseKind, ListLeasesRequest, ListLeasesResponse, ListedLease};
use crate::storage::{Store, StoredEntry};

/// The kinds of leases that a mesh's own object holds, beside its members.
const MESH_KINDS: [LeaseKind; 2] = [LeaseKind::Colony, LeaseKind::RendezvousRecord];

impl<S: Store, R: Runtime> RegistryObject<S, R> {
    /// Returns the live leases of that kind and id, whatever their scope.
    pub(crate) fn live_entries(
        &self,
        kind: LeaseKind,
        id: &str,
    ) -> Result<Vec<StoredEntry>, Error> {
        let now = self.now();
        let mut entries = self.store.entries(kind, id)?;
        entries.retain(|entry| entry.lease.is_live(now));
        Ok(entries)
    }

    /// Lists the live leases of a mesh, or of one agent of it.
    pub(crate) fn list(&self, request: &ListLeasesRequest) -> Result<ListLeasesResponse, Error> {
        let mut leases = Vec::new();
        let mut members = 0;
        if request.agent_id.is_empty() {
            for kind in MESH_KINDS {
                leases.extend(self.live_entries(kind, &request.mesh_id)?);
            }
            let known = self.live_entries(LeaseKind::Member, &request.mesh_id)?;
            members = u32::try_from(known.len()).unwrap_or(u32::MAX);
            let listed = usize::try_from(request.max_members).unwrap_or(usize::MAX);
            leases.extend(known.into_iter().take(listed));
        } else {
            let of_agent = self.live_entries(LeaseKind::Agent, &request.agent_id)?;
            let in_mesh = of_agent.into_iter();
            leases.extend(in_mesh.filter(|entry| entry.key.scope == request.mesh_id));
        }
        let leases = leases.into_iter().map(listed_lease).collect();
        Ok(ListLeasesResponse { leases, members })
    }
}

fn listed_lease(StoredEntry { key, lease, bytes }: StoredEntry) -> ListedLease {
    ListedLease {
        key: Some(key),
        owner: lease.state.owner,
        registered_at_ms: lease.registered_at.as_millis(),
        expires_at_ms: lease.state.expires_at.as_millis(),
        stored_bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
    }
}
