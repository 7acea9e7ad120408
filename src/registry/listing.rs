//! What an operator sees of an object: the live leases of a mesh or an agent, and of which agents the mesh was told.

use std::collections::BTreeSet;

use connect::{Error, Host};

use super::lease::is_live;
use super::service::Registry;
use super::store::{Kept, Store, StoredLease};
use crate::protos::coral::registry::v1::{
    LeaseKey, LeaseKind, ListLeasesRequest, ListLeasesResponse, ListedLease, ReportMembersRequest,
};

/// What a mesh's own object keeps of it, beside what it knows of agents.
const OF_A_MESH: [LeaseKind; 2] = [LeaseKind::Colony, LeaseKind::Message];

/// Of how many agents a mesh's object knows at the most: whoever names the mesh can register some, and the object that
/// answers the mesh's heartbeats goes through them when it sweeps.
const MEMBERS: usize = 2_000;

impl<S: Store, H: Host> Registry<S, H> {
    /// Notes agents of a mesh, each until it says. The alarm that is now due.
    pub(super) fn note_members(&self, request: ReportMembersRequest) -> Result<Option<i64>, Error> {
        let now_ms = self.host.now_ms();
        let known = self.store.leases(LeaseKind::Member, &request.mesh_id)?;
        let mut known: BTreeSet<_> = known.into_iter().map(|kept| kept.key.scope).collect();
        let mut earliest: Option<i64> = None;
        for member in request.members {
            if known.len() >= MEMBERS && !known.contains(&member.agent_id) {
                continue;
            }
            known.insert(member.agent_id.clone());
            let key = LeaseKey {
                kind: LeaseKind::Member.into(),
                id: request.mesh_id.clone(),
                scope: member.agent_id,
            };
            let lease = StoredLease::new(String::new(), now_ms, member.until_ms, Vec::new());
            self.store.put(&key, &lease)?;
            earliest = earliest.into_iter().chain([member.until_ms]).min();
        }
        Ok(earliest.and_then(|until_ms| self.alarm_for(until_ms, now_ms)))
    }

    /// Has a live lease lapse now. The sweep finds it as it finds all that lapse, and tells the census.
    pub(super) fn expire(&self, key: &LeaseKey) -> Result<bool, Error> {
        let now_ms = self.host.now_ms();
        let lease = self.store.lease(key, now_ms)?;
        let live = lease.filter(|lease| is_live(lease.holder.expires_at_ms, now_ms));
        let Some(mut lease) = live else {
            return Ok(false);
        };
        lease.holder.expires_at_ms = now_ms.saturating_sub(1);
        self.store.put(key, &lease)?;
        Ok(true)
    }

    /// The live leases of that kind and id, whatever their scope.
    pub(super) fn live(&self, kind: LeaseKind, id: &str) -> Result<Vec<Kept>, Error> {
        let now_ms = self.host.now_ms();
        let mut leases = self.store.leases(kind, id)?;
        leases.retain(|kept| is_live(kept.lease.holder.expires_at_ms, now_ms));
        Ok(leases)
    }

    /// The live leases that are asked for.
    pub(super) fn list(&self, request: &ListLeasesRequest) -> Result<ListLeasesResponse, Error> {
        let mut leases = Vec::new();
        let mut members = 0;
        if request.agent_id.is_empty() {
            for kind in OF_A_MESH {
                leases.extend(self.live(kind, &request.mesh_id)?);
            }
            let known = self.live(LeaseKind::Member, &request.mesh_id)?;
            members = u32::try_from(known.len()).unwrap_or(u32::MAX);
            let most = usize::try_from(request.most_members).unwrap_or(usize::MAX);
            leases.extend(known.into_iter().take(most));
        } else {
            let of_agent = self.live(LeaseKind::Agent, &request.agent_id)?;
            let in_mesh = of_agent.into_iter();
            leases.extend(in_mesh.filter(|kept| kept.key.scope == request.mesh_id));
        }
        let leases = leases.into_iter().map(listed).collect();
        Ok(ListLeasesResponse { leases, members })
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
