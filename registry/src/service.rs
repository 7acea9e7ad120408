//! The generated internal service, implemented by an object: each call with the alarm that it
//! needs.

use connect::{Error, Runtime, UnixMillis};

use crate::object::{RegistryObject, checked};
use crate::object_names::Role;
use crate::proto::{
    AcknowledgeRecordRequest, AcknowledgeRecordResponse, ConsumeQuotasRequest,
    ConsumeQuotasResponse, CountColoniesRequest, CountColoniesResponse, EvictRequest,
    EvictResponse, ListLeasesRequest, ListLeasesResponse, LookupRequest, LookupResponse,
    PublishRecordRequest, PublishRecordResponse, RegisterRequest, RegisterResponse,
    RegistryService, ReleaseRequest, ReleaseResponse, ReportColoniesRequest,
    ReportColoniesResponse, ReportCountRequest, ReportCountResponse, ReportMembersRequest,
    ReportMembersResponse,
};
use crate::storage::Store;

impl<S: Store, R: Runtime> RegistryService for RegistryObject<S, R> {
    async fn register(&self, request: RegisterRequest) -> Result<RegisterResponse, Error> {
        self.load_alarm().await?;
        let (outcome, alarm) = self.register_lease(request)?;
        self.set_alarm_if_needed(alarm).await?;
        Ok(RegisterResponse {
            outcome: Some(outcome),
        })
    }

    async fn lookup(&self, request: LookupRequest) -> Result<LookupResponse, Error> {
        self.lookup_lease(request)
    }

    async fn release(&self, request: ReleaseRequest) -> Result<ReleaseResponse, Error> {
        let released = self.release_lease(request.key).await?;
        Ok(ReleaseResponse { released })
    }

    async fn report_colonies(
        &self,
        request: ReportColoniesRequest,
    ) -> Result<ReportColoniesResponse, Error> {
        self.store
            .report_colonies(&request.registered, &request.expired)?;
        self.set_alarm_after_debounce().await?;
        Ok(ReportColoniesResponse {})
    }

    async fn count_colonies(
        &self,
        _: CountColoniesRequest,
    ) -> Result<CountColoniesResponse, Error> {
        let colonies = match self.role {
            Role::CensusTotal => self.store.total()?,
            Role::CensusShard(_) | Role::Leases => self.store.count_colonies(self.now())?.colonies,
        };
        Ok(CountColoniesResponse { colonies })
    }

    async fn report_count(
        &self,
        request: ReportCountRequest,
    ) -> Result<ReportCountResponse, Error> {
        let at = UnixMillis::from_millis(request.at_ms);
        self.store.put_count(request.shard, request.colonies, at)?;
        if self.settings.publishes_count {
            self.set_alarm_after_debounce().await?;
        } else {
            self.delete_all_if_empty().await?;
        }
        Ok(ReportCountResponse {})
    }

    async fn consume_quotas(
        &self,
        request: ConsumeQuotasRequest,
    ) -> Result<ConsumeQuotasResponse, Error> {
        self.load_alarm().await?;
        let (response, alarm) = self.consume(&request)?;
        self.set_alarm_if_needed(alarm).await?;
        Ok(response)
    }

    async fn publish_record(
        &self,
        request: PublishRecordRequest,
    ) -> Result<PublishRecordResponse, Error> {
        self.load_alarm().await?;
        let (response, alarm) = self.publish(request)?;
        self.set_alarm_if_needed(alarm).await?;
        Ok(response)
    }

    async fn acknowledge_record(
        &self,
        request: AcknowledgeRecordRequest,
    ) -> Result<AcknowledgeRecordResponse, Error> {
        let removed = self.acknowledge(&request)?;
        Ok(AcknowledgeRecordResponse { removed })
    }

    async fn report_members(
        &self,
        request: ReportMembersRequest,
    ) -> Result<ReportMembersResponse, Error> {
        self.load_alarm().await?;
        let alarm = self.add_members(request)?;
        self.set_alarm_if_needed(alarm).await?;
        Ok(ReportMembersResponse {})
    }

    async fn evict(&self, request: EvictRequest) -> Result<EvictResponse, Error> {
        let key = checked(request.key)?;
        let evicted = self.evict_lease(&key)?;
        if evicted {
            self.set_alarm(self.now()).await?;
        }
        Ok(EvictResponse { evicted })
    }

    async fn list_leases(&self, request: ListLeasesRequest) -> Result<ListLeasesResponse, Error> {
        self.list(&request)
    }
}
