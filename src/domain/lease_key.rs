//! Keys of the leases that handlers use.

use coral_registry::proto::{LeaseKey, LeaseKind};

/// Returns the key of a colony's lease.
#[must_use]
pub fn colony(mesh_id: &str) -> LeaseKey {
    key(LeaseKind::Colony, mesh_id, "")
}

/// Returns the key of an agent's lease in a mesh; without a mesh, of any of its leases.
#[must_use]
pub fn agent(agent_id: &str, mesh_id: &str) -> LeaseKey {
    key(LeaseKind::Agent, agent_id, mesh_id)
}

/// Returns the key of a relay session.
#[must_use]
pub fn relay_session(session_id: &str) -> LeaseKey {
    key(LeaseKind::RelaySession, session_id, "")
}

/// Returns the key of a rendezvous record in a mesh's mailbox.
#[must_use]
pub fn rendezvous_record(mesh_id: &str, record_id: &str) -> LeaseKey {
    key(LeaseKind::RendezvousRecord, mesh_id, record_id)
}

fn key(kind: LeaseKind, id: &str, scope: &str) -> LeaseKey {
    LeaseKey {
        kind: kind.into(),
        id: id.to_owned(),
        scope: scope.to_owned(),
    }
}
