//! Leases as the handlers use them: asked of the object that holds them.

use connect::{CallOptions, Error, Host, wkt};

use super::Discovery;
use crate::addressing::lease_object;
use crate::protos::coral::registry::v1::register_response::Outcome;
use crate::protos::coral::registry::v1::{
    Lease, LeaseKey, LeaseKind, LookupRequest, RegisterRequest, RegistryServiceClient,
    ReleaseRequest,
};
use crate::registry::client::Objects;

/// Names a lease.
pub(super) fn key(kind: LeaseKind, id: String, scope: String) -> LeaseKey {
    LeaseKey {
        kind: kind.into(),
        id,
        scope,
    }
}

impl<O: Objects, H: Host> Discovery<O, H> {
    fn object_of(&self, key: &LeaseKey) -> RegistryServiceClient<O::Transport> {
        self.objects
            .object(&lease_object(key, self.isolate.config.shards))
    }

    /// Gets or renews a lease. Returns when it lapses.
    ///
    /// # Errors
    /// `already_exists` while another owner's lease is alive; `subject` says in its text what
    /// the lease is for.
    pub(super) async fn register_lease(
        &self,
        subject: &str,
        request: RegisterRequest,
    ) -> Result<wkt::Timestamp, Error> {
        let key = request.key.clone().unwrap_or_default();
        let answer = self
            .object_of(&key)
            .register(&request, CallOptions::default())
            .await
            .map_err(hide)?;
        match answer.message.outcome {
            Some(Outcome::Granted(granted)) => {
                Ok(wkt::Timestamp::from_unix_ms(granted.expires_at_ms))
            }
            Some(Outcome::Conflict(conflict)) => {
                // Both predecessors' phrases: people search their logs for either.
                let until = wkt::Timestamp::from_unix_ms(conflict.expires_at_ms);
                Err(Error::already_exists(format!(
                    "{subject} '{}' already registered with different public key until {until} \
                     (already registered with different pubkey): this may be a split brain, \
                     wait until the lease lapses or use another id",
                    key.id
                )))
            }
            None => Err(Error::internal("the registry gave no answer")),
        }
    }

    /// A live lease.
    ///
    /// # Errors
    /// `not_found`. Clients retry while the text contains `not found`, so both texts do.
    pub(super) async fn lookup_lease(&self, subject: &str, key: LeaseKey) -> Result<Lease, Error> {
        let object = self.object_of(&key);
        let request = LookupRequest { key: Some(key) };
        let answer = object
            .lookup(&request, CallOptions::default())
            .await
            .map_err(hide)?
            .message;
        let id = request.key.unwrap_or_default().id;
        match (answer.lease, answer.expired) {
            (Some(lease), _) => Ok(lease),
            (None, true) => Err(Error::not_found(format!(
                "{subject} not found: {id} (its registration has expired)"
            ))),
            (None, false) => Err(Error::not_found(format!("{subject} not found: {id}"))),
        }
    }

    /// Ends a lease. Whether there was a live one.
    pub(super) async fn release_lease(&self, key: LeaseKey) -> Result<bool, Error> {
        let object = self.object_of(&key);
        let request = ReleaseRequest { key: Some(key) };
        let answer = object.release(&request, CallOptions::default()).await;
        Ok(answer.map_err(hide)?.message.released)
    }
}

/// Clients see of the registry's errors only that it cannot answer.
fn hide(error: Error) -> Error {
    let cause = error.cause().unwrap_or_default();
    Error::unavailable("the registry cannot answer now, try again")
        .with_cause(format!("{error} {cause}"))
}
