//! The access log: an entry and a data point for each request, and an entry for each call of the
//! admin service.

use std::rc::Rc;

use bytes::Bytes;
use connect::UnixMillis;
use http::HeaderValue;

use super::admin_auth::is_admin_path;
use super::client_info::RAY;
use crate::domain::client::ClientInfo;
use crate::state::AppState;
use crate::telemetry::{AdminEntry, DataPoint, RequestEntry, RequestUsage};

/// A request that is not logged yet.
pub(super) struct AccessLog<'a> {
    state: &'a Rc<AppState>,
    client: Rc<ClientInfo>,
    received_at: UnixMillis,
    /// The path, of a call of the admin service.
    admin_path: Option<String>,
}

impl<'a> AccessLog<'a> {
    /// Begins the entry of a request to `path` that was received at `received_at`.
    pub(super) fn begin(
        state: &'a Rc<AppState>,
        client: Rc<ClientInfo>,
        received_at: UnixMillis,
        path: &str,
    ) -> Self {
        let is_audited = state.config.admin_key_hash.is_some() && is_admin_path(path);
        Self {
            state,
            client,
            received_at,
            admin_path: is_audited.then(|| path.to_owned()),
        }
    }

    /// Writes the entries of a request, and adds the id of the request to its response where the
    /// edge does not.
    pub(super) fn finish(
        self,
        response: &mut http::Response<Bytes>,
        usage: &RequestUsage,
        now: impl FnOnce() -> UnixMillis,
    ) {
        let AppState { config, log, .. } = &**self.state;
        if let Some(path) = &self.admin_path {
            let caller = (self.client.address, self.client.ray.as_str());
            AdminEntry::new(path, caller, response, usage).write(log);
        }
        if config.sends_ray()
            && !self.client.ray.is_empty()
            && let Ok(ray) = HeaderValue::try_from(&self.client.ray)
        {
            response.headers_mut().insert(RAY, ray);
        }
        let collects_metrics = log.collects_metrics();
        if collects_metrics || RequestEntry::is_logged(log, response, usage) {
            let times = (self.received_at, now());
            let deployment = (config.environment.as_str(), self.state.version_id.as_str());
            let entry = RequestEntry::new(self.client, times, response, usage, deployment);
            entry.write(log);
            if collects_metrics {
                log.record(&DataPoint::of_request(&entry));
            }
        }
    }
}
