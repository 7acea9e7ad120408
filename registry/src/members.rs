//! The members of a mesh: the agents that its object knows of, for the admin service.

use std::collections::BTreeSet;

use connect::{Error, Runtime, UnixMillis};

use crate::alarm::earlier;
use crate::object::RegistryObject;
use crate::proto::{LeaseKey, LeaseKind, ReportMembersRequest};
use crate::storage::{Store, StoredLease};

/// The number of members that a mesh's object stores at most. Any client that knows the mesh id can
/// register some, and the object that handles the mesh's heartbeats reads them all when it sweeps.
const MAX_MEMBERS: usize = 2_000;

impl<S: Store, R: Runtime> RegistryObject<S, R> {
    /// Adds members to a mesh, each until its own end. Returns the alarm that they need.
    pub(crate) fn add_members(
        &self,
        request: ReportMembersRequest,
    ) -> Result<Option<UnixMillis>, Error> {
        let now = self.now();
        let known = self.store.entries(LeaseKind::Member, &request.mesh_id)?;
        let mut known: BTreeSet<_> = known.into_iter().map(|entry| entry.key.scope).collect();
        let mut earliest = None;
        for member in request.members {
            if known.len() >= MAX_MEMBERS && !known.contains(&member.agent_id) {
                continue;
            }
            known.insert(member.agent_id.clone());
            let key = LeaseKey {
                kind: LeaseKind::Member.into(),
                id: request.mesh_id.clone(),
                scope: member.agent_id,
            };
            let until = UnixMillis::from_millis(member.until_ms);
            let lease = StoredLease::new(String::new(), now, until, Vec::new());
            self.store.put(&key, &lease)?;
            earliest = earlier(earliest, Some(until));
        }
        Ok(earliest.and_then(|until| self.alarm_for(until, now)))
    }
}
