//! The admin service (RFD 107). The router authenticates the caller before.

use connect::{Context, Error, Response, UnixMillis, wkt};
use coral_registry::proto::LeaseKind as StoredKind;
use coral_registry::proto::{LeaseKey, ListedLease};
use futures_util::future::try_join_all;

use super::{Discovery, validate};
use crate::domain::lease_key;
use crate::limits;
use crate::ports::{Host, Registry as _};
use crate::proto::admin::{
    AdminService, EvictLeaseRequest, EvictLeaseResponse, Lease, LeaseKind, ListLeasesRequest,
    ListLeasesResponse,
};

/// The agents whose objects are called at the same time.
const CONCURRENT_AGENTS: usize = 16;

/// The handlers of the admin service, for one request.
#[derive(Debug)]
pub struct Admin<H>(pub Discovery<H>);

impl<H: Host> AdminService for Admin<H> {
    async fn list_leases(
        &self,
        _: &Context,
        request: ListLeasesRequest,
    ) -> Result<Response<ListLeasesResponse>, Error> {
        validate::required("mesh_id", &request.mesh_id)?;
        validate::id("mesh_id", &request.mesh_id)?;
        self.0.usage.set_mesh(&request.mesh_id);
        let mesh_id = request.mesh_id;
        let registry = self.0.host.registry();
        let of_mesh = registry
            .list_mesh_leases(&mesh_id, limits::LISTED_AGENTS)
            .await?;
        let (members, own): (Vec<_>, Vec<_>) = of_mesh
            .leases
            .into_iter()
            .partition(|lease| key(lease).kind() == StoredKind::Member);
        let mut leases: Vec<_> = own.into_iter().map(public_lease).collect();
        let agents: Vec<_> = members.iter().map(|member| key(member).scope).collect();
        for some in agents.chunks(CONCURRENT_AGENTS) {
            let found = some
                .iter()
                .map(|agent_id| registry.list_agent_leases(&mesh_id, agent_id));
            let found = try_join_all(found).await?;
            let found = found.into_iter().flat_map(|found| found.leases);
            leases.extend(found.map(public_lease));
        }
        let listed = u32::try_from(agents.len()).unwrap_or(u32::MAX);
        let not_shown = of_mesh.members.saturating_sub(listed);
        let agents_not_shown = i32::try_from(not_shown).unwrap_or(i32::MAX);
        Ok(ListLeasesResponse {
            leases,
            agents_not_shown,
        }
        .into())
    }

    async fn evict_lease(
        &self,
        _: &Context,
        request: EvictLeaseRequest,
    ) -> Result<Response<EvictLeaseResponse>, Error> {
        let kind = request.kind();
        validate::required("mesh_id", &request.mesh_id)?;
        validate::id("mesh_id", &request.mesh_id)?;
        validate::id("id", &request.id)?;
        self.0.usage.set_mesh(&request.mesh_id);
        let target = format!("{} {}", kind.as_str_name(), request.id);
        self.0.usage.set_target(&target);
        let EvictLeaseRequest { mesh_id, id, .. } = request;
        let key = match kind {
            LeaseKind::Unspecified => return Err(Error::invalid_argument("kind is required")),
            LeaseKind::Colony if id.is_empty() || id == mesh_id => lease_key::colony(&mesh_id),
            LeaseKind::Colony => {
                return Err(Error::invalid_argument("id must be the mesh_id, or empty"));
            }
            LeaseKind::Agent => {
                validate::required("id", &id)?;
                lease_key::agent(&id, &mesh_id)
            }
            LeaseKind::Rendezvous => {
                validate::required("id", &id)?;
                lease_key::rendezvous_record(&mesh_id, &id)
            }
        };
        let evicted = self.0.host.registry().evict(key.clone()).await?;
        if evicted {
            self.0.invalidate(&key);
        }
        Ok(EvictLeaseResponse { evicted }.into())
    }
}

fn key(lease: &ListedLease) -> LeaseKey {
    lease.key.clone().unwrap_or_default()
}

fn public_lease(lease: ListedLease) -> Lease {
    let timestamp = |millis| wkt::Timestamp::from(UnixMillis::from_millis(millis));
    let key = key(&lease);
    let (kind, id, pubkey) = match key.kind() {
        StoredKind::Colony => (LeaseKind::Colony, key.id, lease.owner),
        StoredKind::Agent => (LeaseKind::Agent, key.id, lease.owner),
        // Its owner is the hash of a secret.
        StoredKind::RendezvousRecord => (LeaseKind::Rendezvous, key.scope, String::new()),
        _ => (LeaseKind::Unspecified, key.id, String::new()),
    };
    Lease {
        kind: kind.into(),
        id,
        pubkey,
        registered_at: Some(timestamp(lease.registered_at_ms)),
        expires_at: Some(timestamp(lease.expires_at_ms)),
        stored_bytes: lease.stored_bytes,
    }
}
