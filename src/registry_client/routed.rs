//! The verbs of the registry, each routed to the object that handles it.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use connect::Error;
use coral_registry::census::reports_by_shard;
use coral_registry::object_names::{
    CENSUS_TOTAL, census_object, client_object, lease_object, mesh_object,
};
use coral_registry::proto::register_response::Outcome;
use coral_registry::proto::{
    AcknowledgeRecordRequest, CensusEntry, ConsumeQuotasRequest, ConsumeQuotasResponse,
    CountColoniesRequest, EvictRequest, LeaseKey, ListLeasesRequest, ListLeasesResponse,
    LookupRequest, LookupResponse, MailboxRecord, MailboxRecords, Member, PublishRecordRequest,
    PublishRecordResponse, Quota, RegisterRequest, RegistryService, ReleaseRequest,
    ReportCountRequest, ReportMembersRequest,
};
use futures_util::future::try_join_all;

use crate::domain::lease_key;
use crate::ports::{QuotaOwner, Registry};

/// The time after which a retry is worthwhile: an object that was reset or moved is back by then.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The meshes that one report of members reaches: each is a request, of which Workers allows an
/// event a limited number.
const MAX_MESHES: usize = 500;

/// The members of one message: with ids of full length, a quarter of a MiB.
const MAX_MEMBERS: usize = 1_000;

/// The objects of a registry, by name: clients of remote ones, or the local ones themselves.
#[allow(
    async_fn_in_trait,
    reason = "a host runs a request on one thread: its futures need not be Send"
)]
pub trait Objects: Clone + 'static {
    /// An object's internal service: the generated client, or a local object, which is called
    /// without encoding anything.
    type Object: RegistryService;

    /// Returns the object of that name, which need not exist yet.
    fn object(&self, name: String) -> Self::Object;

    /// Returns the objects for background tasks, whose calls are no part of a request's usage.
    #[must_use]
    fn unmetered(&self) -> Self;

    /// Returns the records of a mailbox, or the first to be published within `wait`.
    ///
    /// # Errors
    /// Fails when the object cannot be reached.
    async fn wait_for_records(
        &self,
        object: &str,
        mesh_id: &str,
        wait: Duration,
    ) -> Result<MailboxRecords, Error>;
}

/// The registry over named objects.
#[derive(Clone, Debug)]
pub struct RoutedRegistry<O> {
    /// The objects.
    pub objects: O,
    /// The number of objects that share all leases; `None` gives each lease its own object.
    pub shards: Option<NonZeroU32>,
}

impl<O: Objects> RoutedRegistry<O> {
    fn object_of(&self, key: &LeaseKey) -> O::Object {
        self.objects.object(lease_object(key, self.shards))
    }

    fn object_of_mesh(&self, mesh_id: &str) -> O::Object {
        self.objects.object(mesh_object(mesh_id, self.shards))
    }

    async fn call_quotas(
        &self,
        owner: QuotaOwner<'_>,
        quotas: &[Quota],
        refund: bool,
    ) -> Result<ConsumeQuotasResponse, Error> {
        let (id, object) = match owner {
            QuotaOwner::Client(client) => (client, client_object(client, self.shards)),
            QuotaOwner::Mesh(mesh_id) => (mesh_id, mesh_object(mesh_id, self.shards)),
        };
        let request = ConsumeQuotasRequest {
            id: id.to_owned(),
            quotas: quotas.to_vec(),
            refund,
        };
        let object = self.objects.object(object);
        object.consume_quotas(request).await.map_err(to_unavailable)
    }
}

impl<O: Objects> Registry for RoutedRegistry<O> {
    fn unmetered(&self) -> Self {
        Self {
            objects: self.objects.unmetered(),
            shards: self.shards,
        }
    }

    async fn register(&self, request: RegisterRequest) -> Result<Outcome, Error> {
        let object = match &request.key {
            Some(key) => self.object_of(key),
            None => self.object_of(&LeaseKey::default()),
        };
        let response = object.register(request).await.map_err(to_unavailable)?;
        response
            .outcome
            .ok_or_else(|| to_unavailable(Error::internal("the response has no outcome")))
    }

    async fn lookup(&self, key: LeaseKey) -> Result<LookupResponse, Error> {
        let object = self.object_of(&key);
        let request = LookupRequest { key: Some(key) };
        object.lookup(request).await.map_err(to_unavailable)
    }

    async fn release(&self, key: LeaseKey) -> Result<bool, Error> {
        let object = self.object_of(&key);
        let request = ReleaseRequest { key: Some(key) };
        let response = object.release(request).await.map_err(to_unavailable)?;
        Ok(response.released)
    }

    async fn evict(&self, key: LeaseKey) -> Result<bool, Error> {
        let object = self.object_of(&key);
        let request = EvictRequest { key: Some(key) };
        let response = object.evict(request).await.map_err(to_unavailable)?;
        Ok(response.evicted)
    }

    async fn consume_quotas(
        &self,
        owner: QuotaOwner<'_>,
        quotas: &[Quota],
    ) -> Result<ConsumeQuotasResponse, Error> {
        self.call_quotas(owner, quotas, false).await
    }

    async fn refund_quotas(&self, owner: QuotaOwner<'_>, quotas: &[Quota]) -> Result<(), Error> {
        self.call_quotas(owner, quotas, true).await.map(drop)
    }

    async fn publish_record(
        &self,
        request: PublishRecordRequest,
    ) -> Result<PublishRecordResponse, Error> {
        let object = self.object_of_mesh(&request.mesh_id);
        object.publish_record(request).await.map_err(to_unavailable)
    }

    async fn acknowledge_record(&self, request: AcknowledgeRecordRequest) -> Result<bool, Error> {
        let object = self.object_of_mesh(&request.mesh_id);
        let response = object.acknowledge_record(request).await;
        Ok(response.map_err(to_unavailable)?.removed)
    }

    async fn wait_for_records(
        &self,
        mesh_id: &str,
        wait: Duration,
    ) -> Result<Vec<MailboxRecord>, Error> {
        let object = mesh_object(mesh_id, self.shards);
        let mailbox = self.objects.wait_for_records(&object, mesh_id, wait).await;
        Ok(mailbox.map_err(to_unavailable)?.records)
    }

    async fn count_colonies(&self) -> Result<i64, Error> {
        let object = self.objects.object(CENSUS_TOTAL.to_owned());
        let response = object.count_colonies(CountColoniesRequest {}).await;
        Ok(response.map_err(to_unavailable)?.colonies)
    }

    async fn report_colonies(
        &self,
        registered: &[CensusEntry],
        expired: &[CensusEntry],
    ) -> Result<(), Error> {
        let reports = reports_by_shard(registered, expired).into_iter();
        let sent = reports.map(|(shard, report)| async move {
            let object = self.objects.object(census_object(shard));
            object.report_colonies(report).await
        });
        try_join_all(sent).await.map(drop).map_err(to_unavailable)
    }

    async fn report_count(&self, count: ReportCountRequest) -> Result<(), Error> {
        let object = self.objects.object(CENSUS_TOTAL.to_owned());
        let reported = object.report_count(count).await;
        reported.map(drop).map_err(to_unavailable)
    }

    async fn report_members(&self, members: Vec<(String, Member)>) -> Result<(), Error> {
        let mut meshes: BTreeMap<String, Vec<Member>> = BTreeMap::new();
        for (mesh_id, member) in members {
            meshes.entry(mesh_id).or_default().push(member);
        }
        let reports = meshes
            .iter()
            .take(MAX_MESHES)
            .flat_map(|(mesh_id, members)| {
                members
                    .chunks(MAX_MEMBERS)
                    .map(|members| ReportMembersRequest {
                        mesh_id: mesh_id.clone(),
                        members: members.to_vec(),
                    })
            });
        let sent = reports.map(|report| async move {
            let object = self.object_of_mesh(&report.mesh_id);
            object.report_members(report).await
        });
        try_join_all(sent).await.map(drop).map_err(to_unavailable)
    }

    async fn list_mesh_leases(
        &self,
        mesh_id: &str,
        max_members: u32,
    ) -> Result<ListLeasesResponse, Error> {
        let request = ListLeasesRequest {
            mesh_id: mesh_id.to_owned(),
            agent_id: String::new(),
            max_members,
        };
        let object = self.object_of_mesh(mesh_id);
        object.list_leases(request).await.map_err(to_unavailable)
    }

    async fn list_agent_leases(
        &self,
        mesh_id: &str,
        agent_id: &str,
    ) -> Result<ListLeasesResponse, Error> {
        let key = lease_key::agent(agent_id, mesh_id);
        let request = ListLeasesRequest {
            mesh_id: mesh_id.to_owned(),
            agent_id: agent_id.to_owned(),
            max_members: 0,
        };
        let object = self.object_of(&key);
        object.list_leases(request).await.map_err(to_unavailable)
    }
}

/// Replaces an object's error by the one that callers get, with the object's as the cause.
fn to_unavailable(error: Error) -> Error {
    Error::unavailable("the registry is unavailable, try again")
        .with_retry_after(RETRY_AFTER)
        .with_cause(error.log_text())
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use coral_registry::testing::{TestObject, TestObjects};
    use futures_executor::block_on;

    use super::*;
    use crate::testing::TestHost;

    /// Objects in this process: a verb is a call of a method, and nothing is encoded.
    #[derive(Clone)]
    struct LocalObjects(TestObjects);

    impl Objects for LocalObjects {
        type Object = Rc<TestObject>;

        fn object(&self, name: String) -> Rc<TestObject> {
            self.0.get(&name)
        }

        fn unmetered(&self) -> Self {
            self.clone()
        }

        async fn wait_for_records(
            &self,
            object: &str,
            mesh_id: &str,
            _: Duration,
        ) -> Result<MailboxRecords, Error> {
            self.0.get(object).mailbox(mesh_id)
        }
    }

    #[test]
    fn local_and_remote_objects_serve_the_same_registry() {
        let host = TestHost::default();
        let local = RoutedRegistry {
            objects: LocalObjects(host.objects.clone()),
            shards: None,
        };
        let key = lease_key::colony("m");
        let request = RegisterRequest {
            key: Some(key.clone()),
            owner: "k".to_owned(),
            ttl_ms: 60_000,
            record: b"record".to_vec(),
            ..RegisterRequest::default()
        };
        let outcome = block_on(local.register(request)).unwrap();
        assert!(matches!(outcome, Outcome::Granted(_)));
        assert_eq!(host.objects.requests.get(), 0, "no bytes were sent");
        let remote = block_on(host.registry.lookup(key.clone())).unwrap();
        assert_eq!(host.objects.requests.get(), 1);
        assert_eq!(remote, block_on(local.lookup(key)).unwrap());
        assert_eq!(remote.lease.unwrap().record, b"record");
    }
}
