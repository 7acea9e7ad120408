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
use crate::registry::census;
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
            .into_iter()
            .partition(|lease| key(lease).kind() == Kind::Member);
        let mut leases: Vec<_> = own.into_iter().map(shown).collect();
        let agents: Vec<_> = members
            .into_iter()
            .map(|member| member.key.unwrap_or_default().scope)
            .collect();
        let shown_agents = agents.iter().take(limits::LISTED_AGENTS);
        let shown_agents: Vec<_> = shown_agents.collect();
        for some in shown_agents.chunks(AT_ONCE) {
            let found = some.iter().map(|agent_id| self.leases(&mesh_id, agent_id));
            let found = try_join_all(found).await?;
            leases.extend(found.into_iter().flatten().map(shown));
        }
        let not_shown = agents.len().saturating_sub(limits::LISTED_AGENTS);
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
        self.0.meter.note_target(&request.id);
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
        let evicted = self.0.release_lease(key.clone()).await?;
        self.0.forget(&key);
        if evicted && kind == LeaseKind::Colony {
            let death = registry::CensusEntry {
                mesh_id: key.id,
                at_ms: self.0.now_ms(),
                until_ms: 0,
            };
            let objects = self.0.platform.objects();
            census::report(objects, &[], &[death]).await.map_err(hide)?;
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
    ) -> Result<Vec<registry::ListedLease>, Error> {
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
        };
        let object = self.0.platform.objects().object(&object);
        let answer = object.list_leases(&request, CallOptions::default()).await;
        Ok(answer.map_err(hide)?.message.leases)
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
