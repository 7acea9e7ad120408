//! The sink of telemetry: the console, and Analytics Engine where it is bound.

use coral_discovery::telemetry::{DataPoint, LogFormat, LogLevel, Sink};
use wasm_bindgen::JsValue;
use worker::js_sys::JSON;
use worker::{AnalyticsEngineDataPointBuilder, Env};

use crate::bindings::is_bound;

/// The binding of the dataset in `wrangler.toml`.
const BINDING: &str = "METRICS";

/// The console and the dataset.
#[derive(Debug)]
pub(crate) struct ConsoleSink {
    env: Env,
    collects_metrics: bool,
}

impl ConsoleSink {
    /// Returns the sink of an isolate, which reads once if the dataset is bound.
    pub(crate) fn new(env: &Env) -> Self {
        Self {
            env: env.clone(),
            collects_metrics: is_bound(env, BINDING),
        }
    }
}

impl Sink for ConsoleSink {
    fn write(&self, level: LogLevel, format: LogFormat, entry: &str) {
        let line = JsValue::from_str(entry);
        let entry = match format {
            LogFormat::Line => line,
            // The runtime parses: building the object member by member would cross over for each.
            LogFormat::Object => JSON::parse(entry).unwrap_or(line),
        };
        match level {
            LogLevel::Debug => web_sys::console::debug_1(&entry),
            LogLevel::Info => web_sys::console::log_1(&entry),
            LogLevel::Warn => web_sys::console::warn_1(&entry),
            LogLevel::Error => web_sys::console::error_1(&entry),
        }
    }

    fn collects_metrics(&self) -> bool {
        self.collects_metrics
    }

    fn record(&self, point: &DataPoint<'_>) {
        let Ok(dataset) = self.env.analytics_engine(BINDING) else {
            return;
        };
        let mut builder = AnalyticsEngineDataPointBuilder::new().indexes([point.index]);
        for blob in point.blobs {
            builder = builder.add_blob(blob);
        }
        for double in &point.doubles {
            builder = builder.add_double(*double);
        }
        let _ = builder.write_to(&dataset);
    }
}
