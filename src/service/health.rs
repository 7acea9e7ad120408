//! Health. Colonies call it before every renewal and do not renew if it fails: it never fails,
//! and it hardly ever asks an object.

use connect::{Error, Host as _, Response};
use futures_util::future::{Either, select};
use http::{HeaderName, HeaderValue};

use std::pin::pin;
use std::time::Duration;

use super::{Discovery, Platform};
use crate::cache::Kv as _;
use crate::isolate::Counted;
use crate::protos::coral::discovery::v1::HealthResponse;
use crate::registry::census;

/// How long Health waits for the census before it reports the number it last knew: well within
/// the two seconds after which `coral status` gives up.
const PATIENCE: Duration = Duration::from_secs(1);

/// Which version answers, as the platform calls it: what is tried during a rollout is sure to be the new one.
const DEPLOYED: HeaderName = HeaderName::from_static("coral-discovery-version");

pub(super) async fn report<P: Platform>(service: &Discovery<P>) -> Response<HealthResponse> {
    let isolate = &service.isolate;
    let up_ms = service.now_ms().saturating_sub(isolate.started_at_ms);
    let mut answer = Response::from(HealthResponse {
        status: isolate.status().to_owned(),
        version: isolate.config.version.clone(),
        uptime_seconds: up_ms / 1_000,
        registered_colonies: i32::try_from(colonies(service).await).unwrap_or(i32::MAX),
    });
    if let Ok(deployed) = HeaderValue::try_from(&isolate.deployed) {
        answer.headers.insert(DEPLOYED, deployed);
    }
    answer
}

/// The number of colonies: counted at most once in the configured time, else remembered.
async fn colonies<P: Platform>(service: &Discovery<P>) -> i64 {
    let memory = &service.isolate.colonies;
    let at_ms = service.now_ms();
    let known = memory.get();
    let refresh_ms = service.isolate.config.census_refresh_ms;
    if let Some(known) = known
        && at_ms.saturating_sub(known.at_ms) < refresh_ms
    {
        return known.colonies;
    }
    let known = known.map_or(0, |known| known.colonies);
    // Others that ask meanwhile do not count too, and a failed count is not repeated at once.
    memory.set(Some(Counted {
        colonies: known,
        at_ms,
    }));
    let counting = pin!(count(service));
    let waiting = pin!(service.platform.host().sleep(PATIENCE));
    match select(counting, waiting).await {
        Either::Left((Ok(colonies), _)) => {
            memory.set(Some(Counted { colonies, at_ms }));
            colonies
        }
        _ => known,
    }
}

/// As it was published, or else as the registry knows it.
async fn count<P: Platform>(service: &Discovery<P>) -> Result<i64, Error> {
    let published = service.platform.kv().get(census::PUBLISHED).await;
    let published = published.ok().flatten().and_then(|text| {
        let text = String::from_utf8(text).ok()?;
        text.parse().ok()
    });
    match published {
        Some(colonies) => Ok(colonies),
        None => census::count(service.platform.objects()).await,
    }
}
