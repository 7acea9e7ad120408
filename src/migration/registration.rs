//! A registration that is written to the legacy server as well.

use std::time::Duration;

use connect::{CallOptions, Error, Runtime, Transport};

use super::LegacyOutcome;
use crate::proto::discovery::{
    DiscoveryServiceClient, RegisterAgentRequest, RegisterColonyRequest,
};

/// The time after which a failed registration is repeated.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A registration at the legacy server.
#[derive(Clone, Debug)]
pub enum Registration {
    /// A colony.
    Colony(RegisterColonyRequest),
    /// An agent.
    Agent(RegisterAgentRequest),
}

impl Registration {
    /// Returns the name of the method.
    #[must_use]
    pub fn method(&self) -> &'static str {
        match self {
            Self::Colony(_) => "RegisterColony",
            Self::Agent(_) => "RegisterAgent",
        }
    }

    /// Returns the name of the data point.
    #[must_use]
    pub fn metric(&self) -> &'static str {
        match self {
            Self::Colony(_) => "LegacyWriteRegisterColony",
            Self::Agent(_) => "LegacyWriteRegisterAgent",
        }
    }

    /// Returns the mesh of the registration.
    #[must_use]
    pub fn mesh_id(&self) -> &str {
        match self {
            Self::Colony(request) => &request.mesh_id,
            Self::Agent(request) => &request.mesh_id,
        }
    }

    /// Sends the registration. If that fails, and `may_retry` allows it, sends it once more: agents
    /// register only once.
    ///
    /// # Errors
    /// The legacy server's error, or the reason why no response came.
    pub async fn send_with_retry<T: Transport>(
        &self,
        client: &DiscoveryServiceClient<T>,
        options: CallOptions,
        runtime: &impl Runtime,
        may_retry: impl FnOnce() -> bool,
    ) -> Result<(), Error> {
        let response = self.send(client, options.clone()).await;
        if LegacyOutcome::of(&response) != LegacyOutcome::Failed || !may_retry() {
            return response;
        }
        runtime.sleep(RETRY_AFTER).await;
        self.send(client, options).await
    }

    /// Sends the registration.
    ///
    /// # Errors
    /// The legacy server's error, or the reason why no response came.
    pub async fn send<T: Transport>(
        &self,
        client: &DiscoveryServiceClient<T>,
        options: CallOptions,
    ) -> Result<(), Error> {
        match self {
            Self::Colony(request) => client.register_colony(request, options).await.map(drop),
            Self::Agent(request) => client.register_agent(request, options).await.map(drop),
        }
    }
}
