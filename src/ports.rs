//! The ports: everything that the service needs of the host it runs on.

use std::time::Duration;

use connect::{Error, Transport};
use coral_registry::proto::register_response::Outcome;
use coral_registry::proto::{
    AcknowledgeRecordRequest, CensusEntry, ConsumeQuotasResponse, LeaseKey, ListLeasesResponse,
    LookupResponse, MailboxRecord, Member, PublishRecordRequest, PublishRecordResponse, Quota,
    RegisterRequest, ReportCountRequest,
};

use crate::domain::rate_limit::Limit;

/// The ports of one request, and the transport to the legacy server.
pub trait Host {
    /// The clock, the timer and the executor.
    type Runtime: Runtime;
    /// The registry.
    type Registry: Registry;
    /// The KV store.
    type KeyValue: KeyValue;
    /// The rate limiter.
    type RateLimiter: RateLimiter;
    /// The HTTP transport to the legacy server.
    type LegacyTransport: Transport + Clone + 'static;

    /// Returns the clock, the timer and the executor.
    fn runtime(&self) -> &Self::Runtime;
    /// Returns the registry.
    fn registry(&self) -> &Self::Registry;
    /// Returns the KV store.
    fn key_value(&self) -> &Self::KeyValue;
    /// Returns the rate limiter.
    fn rate_limiter(&self) -> &Self::RateLimiter;
    /// Returns the transport to the legacy server.
    fn legacy_transport(&self) -> &Self::LegacyTransport;
}

/// A clock and a timer, and an executor for background tasks.
pub trait Runtime: connect::Runtime + Clone + 'static {
    /// Runs a task that may outlive the response.
    fn spawn(&self, task: impl Future<Output = ()> + 'static);
}

/// The owner of a quota, whose object keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaOwner<'a> {
    /// A caller's address, as [`client_key`](crate::domain::rate_limit::client_key) writes it.
    Client(&'a str),
    /// A mesh.
    Mesh(&'a str),
}

/// The registry, in verbs. An implementation owns the naming of objects, retries, the mapping of
/// errors and the accounting of costs: every verb fails with `unavailable`, with the cause for the
/// log.
#[allow(
    async_fn_in_trait,
    reason = "a host runs a request on one thread: its futures need not be Send"
)]
#[allow(
    clippy::missing_errors_doc,
    reason = "the trait's documentation names the error of all"
)]
pub trait Registry: Clone + 'static {
    /// Returns the registry for background tasks, whose calls are no part of a request's usage.
    #[must_use]
    fn unmetered(&self) -> Self;

    /// Grants, renews or refuses a lease.
    async fn register(&self, request: RegisterRequest) -> Result<Outcome, Error>;

    /// Looks up a lease.
    async fn lookup(&self, key: LeaseKey) -> Result<LookupResponse, Error>;

    /// Ends a lease. Returns whether there was a live one.
    async fn release(&self, key: LeaseKey) -> Result<bool, Error>;

    /// Expires a lease now. Returns whether there was a live one.
    async fn evict(&self, key: LeaseKey) -> Result<bool, Error>;

    /// Consumes one unit of each quota, or of none.
    async fn consume_quotas(
        &self,
        owner: QuotaOwner<'_>,
        quotas: &[Quota],
    ) -> Result<ConsumeQuotasResponse, Error>;

    /// Returns one unit to each quota.
    async fn refund_quotas(&self, owner: QuotaOwner<'_>, quotas: &[Quota]) -> Result<(), Error>;

    /// Publishes a rendezvous record, or replaces one.
    async fn publish_record(
        &self,
        request: PublishRecordRequest,
    ) -> Result<PublishRecordResponse, Error>;

    /// Removes a rendezvous record. Returns whether it no longer exists.
    async fn acknowledge_record(&self, request: AcknowledgeRecordRequest) -> Result<bool, Error>;

    /// Returns the records of a mesh's mailbox, or the first to be published within `wait`; none
    /// when the time is over.
    async fn wait_for_records(
        &self,
        mesh_id: &str,
        wait: Duration,
    ) -> Result<Vec<MailboxRecord>, Error>;

    /// Counts all live colonies.
    async fn count_colonies(&self) -> Result<i64, Error>;

    /// Reports registered and expired colonies to the census.
    async fn report_colonies(
        &self,
        registered: &[CensusEntry],
        expired: &[CensusEntry],
    ) -> Result<(), Error>;

    /// Reports the count of one shard of the census to the total.
    async fn report_count(&self, count: ReportCountRequest) -> Result<(), Error>;

    /// Reports members to their meshes, each with its mesh id.
    async fn report_members(&self, members: Vec<(String, Member)>) -> Result<(), Error>;

    /// Lists the leases that a mesh's own object holds, with its first `max_members` members.
    async fn list_mesh_leases(
        &self,
        mesh_id: &str,
        max_members: u32,
    ) -> Result<ListLeasesResponse, Error>;

    /// Lists the leases of one agent in a mesh.
    async fn list_agent_leases(
        &self,
        mesh_id: &str,
        agent_id: &str,
    ) -> Result<ListLeasesResponse, Error>;
}

/// A key-value store that may be slow, may lose writes, and may not be there.
#[allow(
    async_fn_in_trait,
    reason = "a host runs a request on one thread: its futures need not be Send"
)]
pub trait KeyValue: Clone + 'static {
    /// Returns whether the host has a store.
    fn is_available(&self) -> bool;

    /// Reads a value; `None` if there is none, or no store.
    ///
    /// # Errors
    /// `unavailable` when the store fails.
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error>;

    /// Writes a value. It expires after `ttl`, or stays until it is written again.
    ///
    /// # Errors
    /// `unavailable` when the store fails.
    async fn put(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<(), Error>;
}

/// The verdict on one more call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateVerdict {
    /// It is within the limit.
    Allowed,
    /// It is beyond the limit.
    Limited,
    /// The host has no such limit.
    NotConfigured,
}

/// A limiter of calls per minute.
#[allow(
    async_fn_in_trait,
    reason = "a host runs a request on one thread: its futures need not be Send"
)]
pub trait RateLimiter {
    /// Counts one more call of `key`.
    ///
    /// # Errors
    /// `unavailable` when the limiter fails.
    async fn count(&self, limit: Limit, key: &str) -> Result<RateVerdict, Error>;
}
