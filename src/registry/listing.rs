//! What an operator sees of an object: the live leases of a mesh or an agent, and of which agents the mesh was told.

use connect::{Error, Host};

use super::lease::{Holder, is_live};
use super::service::Registry;
use super::store::{Kept, Store, StoredLease};
use crate::protos::coral::registry::v1::{
    LeaseKey, LeaseKind, ListLeasesRequest, ListedLease, ReportMembersRequest,
};

/// What a mesh's own object keeps of it.
const OF_A_MESH: [LeaseKind; 3] = [LeaseKind::Colony, LeaseKind::Message, LeaseKind::Member];

impl<S: Store, H: Host> Registry<S, H> {
    /// Notes agents of a mesh, each until it says. The alarm that is now due.
    pub(super) fn note_members(&self, request: ReportMembersRequest) -> Result<Option<i64>, Error> {
        let now_ms = self.host.now_ms();
        let mut earliest: Option<i64> = None;
        for member in request.members {
            let key = LeaseKey {
                kind: LeaseKind::Member.into(),
                id: request.mesh_id.clone(),
                scope: member.agent_id,
            };
            let lease = StoredLease {
                holder: Holder {
                    owner: String::new(),
                    expires_at_ms: member.until_ms,
                    counted: false,
                    cached_until_ms: 0,
                    told_until_ms: 0,
                },
                registered_at_ms: now_ms,
                record: Vec::new(),
            };
            self.store.put(&key, &lease)?;
            earliest = earliest.into_iter().chain([member.until_ms]).min();
        }
        Ok(earliest.and_then(|until_ms| self.alarm_for(until_ms, now_ms)))
    }

    /// The live leases that are asked for.
    pub(super) fn list(&self, request: &ListLeasesRequest) -> Result<Vec<ListedLease>, Error> {
        let now_ms = self.host.now_ms();
        let mut leases = Vec::new();
        if request.agent_id.is_empty() {
            for kind in OF_A_MESH {
                leases.extend(self.store.leases(kind, &request.mesh_id)?);
            }
        } else {
            let of_agent = self.store.leases(LeaseKind::Agent, &request.agent_id)?;
            let in_mesh = of_agent.into_iter();
            leases.extend(in_mesh.filter(|kept| kept.key.scope == request.mesh_id));
        }
        let live = leases
            .into_iter()
            .filter(|kept| is_live(kept.lease.holder.expires_at_ms, now_ms));
        Ok(live.map(listed).collect())
    }
}

fn listed(Kept { key, lease, bytes }: Kept) -> ListedLease {
    ListedLease {
        key: Some(key),
        owner: lease.holder.owner,
        registered_at_ms: lease.registered_at_ms,
        expires_at_ms: lease.holder.expires_at_ms,
        stored_bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
    }
}
