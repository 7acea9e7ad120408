//! Health. Colonies call it before every renewal and do not renew if it fails: it never fails, and
//! hardly ever calls an object.

use std::pin::pin;
use std::time::Duration;

use connect::{Error, Response, Runtime as _};
use coral_registry::census::PUBLISHED_COUNT;
use futures_util::future::{Either, select};

use super::Discovery;
use crate::ports::{Host, KeyValue as _, Registry as _};
use crate::proto::discovery::HealthResponse;
use crate::state::ColonyCount;

/// The longest wait for the colony count before Health reports the last known one: well within the
/// two seconds after which `coral status` gives up.
const COUNT_TIMEOUT: Duration = Duration::from_secs(1);

/// The header with the deployed version as the platform names it, so that a smoke test during a
/// rollout is sure to see the new one.
const VERSION_HEADER: &str = "coral-discovery-version";

pub(super) async fn report<H: Host>(service: &Discovery<H>) -> Response<HealthResponse> {
    let state = &service.state;
    let uptime = service.now().duration_since(state.started_at);
    let response = Response::from(HealthResponse {
        status: state.status().to_owned(),
        version: state.config.version.clone(),
        uptime_seconds: i64::try_from(uptime.as_secs()).unwrap_or(i64::MAX),
        registered_colonies: i32::try_from(colonies(service).await).unwrap_or(i32::MAX),
    });
    response.with_metadata(VERSION_HEADER, &state.version_id)
}

/// Returns the colony count: counted at most once in the configured time, else the last known one.
async fn colonies<H: Host>(service: &Discovery<H>) -> i64 {
    let last = &service.state.colony_count;
    let at = service.now();
    let known = last.get();
    if let Some(known) = known
        && at.duration_since(known.at) < service.state.config.colony_count_max_age
    {
        return known.colonies;
    }
    let known = known.map_or(0, |known| known.colonies);
    // Calls that arrive meanwhile do not count too, and a failed count is not repeated at once.
    last.set(Some(ColonyCount {
        colonies: known,
        at,
    }));
    let counting = pin!(count(service));
    let waiting = pin!(service.host.runtime().sleep(COUNT_TIMEOUT));
    match select(counting, waiting).await {
        Either::Left((Ok(colonies), _)) => {
            last.set(Some(ColonyCount { colonies, at }));
            colonies
        }
        _ => known,
    }
}

/// Reads the published colony count from KV, or else from the registry.
async fn count<H: Host>(service: &Discovery<H>) -> Result<i64, Error> {
    let key_value = service.host.key_value();
    if key_value.is_available() {
        service.usage.update(|usage| usage.kv_reads += 1);
        let published = key_value.get(PUBLISHED_COUNT).await;
        if let Err(error) = &published {
            let log = &service.state.log;
            log.warn_error("KV cannot be read", error, service.now());
        }
        let published = published.ok().flatten().and_then(|text| {
            let text = String::from_utf8(text).ok()?;
            text.parse().ok()
        });
        if let Some(colonies) = published {
            return Ok(colonies);
        }
    }
    service.host.registry().count_colonies().await
}
