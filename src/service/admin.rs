//! The service for operators (RFD 107). Who may call it is decided before.

use connect::{CallOptions, Context, Error, Response, wkt};
use futures_util::future::try_join_all;

use super::lease::{self, hide};
use super::{Discovery, Platform, validate};
use crate::addressing::{lease_object, mesh_object};
use crate::limits;
use crate::protos::coral::discovery::admin::v1::{
    AdminService, EvictLeaseRequest, EvictLeaseResponse, Lease, LeaseKind, ListLeasesRequest,
    ListLeasesResponse,
};
use crate::protos::coral::registry::v1 as registry;
use crate::protos::coral::registry::v1::LeaseKind as Kind;
use crate::registry::client::Objects as _;

/// How many agents' objects are asked at the same time.
const AT_ONCE: usize = 16;

/// The handlers of one operator's request.
#[derive(Debug)]
pub struct Admin<P>(pub Discovery<P>);

impl<P: Platform> AdminService for Admin<P> {
    async fn list_leases(
        &self,
        _: &Context,
        request: ListLeasesRequest,
    ) -> Result<Response<ListLeasesResponse>, Error> {
        validate::required("mesh_id", &request.mesh_id)?;
        validate::id("mesh_id", &request.mesh_id)?;
        self.0.meter.note_mesh(&request.mesh_id);
        let mesh_id = request.mesh_id;
        let of_mesh = self.leases(&mesh_id, "").await?;
        let (members, own): (Vec<_>, Vec<_>) = of_mesh
            .leases
            .into_iter()
            .partition(|lease| key(lease).kind() == Kind::Member);
        let mut leases: Vec<_> = own.into_iter().map(shown).collect();
        let agents: Vec<_> = members.iter().map(|member| key(member).scope).collect();
        for some in agents.chunks(AT_ONCE) {
            let found = some.iter().map(|agent_id| self.leases(&mesh_id, agent_id));
            let found = try_join_all(found).await?;
            let found = found.into_iter().flat_map(|found| found.leases);
            leases.extend(found.map(shown));
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
        self.0.meter.note_mesh(&request.mesh_id);
        let target = format!("{} {}", kind.as_str_name(), request.id);
        self.0.meter.note_target(&target);
        let EvictLeaseRequest { mesh_id, id, .. } = request;
        let key = match kind {
            LeaseKind::Unspecified => return Err(Error::invalid_argument("kind is required")),
            LeaseKind::Colony if id.is_empty() || id == mesh_id => {
                lease::key(Kind::Colony, mesh_id, String::new())
            }
            LeaseKind::Colony => {
                return Err(Error::invalid_argument("id must be the mesh_id, or empty"));
            }
            LeaseKind::Agent => {
                validate::required("id", &id)?;
                lease::key(Kind::Agent, id, mesh_id)
            }
            LeaseKind::Rendezvous => {
                validate::required("id", &id)?;
                lease::key(Kind::Message, mesh_id, id)
            }
        };
        let object = lease_object(&key, self.0.isolate.config.shards);
        let request = registry::EvictRequest {
            key: Some(key.clone()),
        };
        let object = self.0.platform.objects().object(&object);
        let answer = object.evict(&request, CallOptions::default()).await;
        let evicted = answer.map_err(hide)?.message.evicted;
        if evicted {
            self.0.forget(&key);
        }
        Ok(EvictLeaseResponse { evicted }.into())
    }
}

impl<P: Platform> Admin<P> {
    /// What the mesh's own object has, or that of an agent.
    async fn leases(
        &self,
        mesh_id: &str,
        agent_id: &str,
    ) -> Result<registry::ListLeasesResponse, Error> {
        let shards = self.0.isolate.config.shards;
        let object = if agent_id.is_empty() {
            mesh_object(mesh_id, shards)
        } else {
            let key = lease::key(Kind::Agent, agent_id.to_owned(), mesh_id.to_owned());
            lease_object(&key, shards)
        };
        let request = registry::ListLeasesRequest {
            mesh_id: mesh_id.to_owned(),
            agent_id: agent_id.to_owned(),
            most_members: limits::LISTED_AGENTS,
        };
        let object = self.0.platform.objects().object(&object);
        let answer = object.list_leases(&request, CallOptions::default()).await;
        Ok(answer.map_err(hide)?.message)
    }
}

fn key(lease: &registry::ListedLease) -> registry::LeaseKey {
    lease.key.clone().unwrap_or_default()
}

fn shown(lease: registry::ListedLease) -> Lease {
    let registry::LeaseKey { id, scope, .. } = key(&lease);
    let (kind, id, pubkey) = match key(&lease).kind() {
        Kind::Colony => (LeaseKind::Colony, id, lease.owner),
        Kind::Agent => (LeaseKind::Agent, id, lease.owner),
        // Its owner is the hash of a secret.
        Kind::Message => (LeaseKind::Rendezvous, scope, String::new()),
        _ => (LeaseKind::Unspecified, id, String::new()),
    };
    Lease {
        kind: kind.into(),
        id,
        pubkey,
        registered_at: Some(wkt::Timestamp::from_unix_ms(lease.registered_at_ms)),
        expires_at: Some(wkt::Timestamp::from_unix_ms(lease.expires_at_ms)),
        stored_bytes: lease.stored_bytes,
    }
}
