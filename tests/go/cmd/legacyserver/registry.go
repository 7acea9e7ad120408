package main

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
)

// entry is a colony or an agent: the old server does not tell them apart.
type entry struct {
	pubkey     string
	endpoints  []string
	ipv4, ipv6 string
	port       uint32
	publicPort uint32
	public     *discoveryv1.PublicEndpointInfo
	metadata   map[string]string
	observed   *discoveryv1.Endpoint
	seen       time.Time
	expires    time.Time
}

// observedEndpoints has one or none.
func (e entry) observedEndpoints() []*discoveryv1.Endpoint {
	if e.observed == nil {
		return nil
	}
	return []*discoveryv1.Endpoint{e.observed}
}

func (e entry) nat() discoveryv1.NatHint {
	if e.observed == nil {
		return discoveryv1.NatHint_NAT_UNKNOWN
	}
	return discoveryv1.NatHint_NAT_CONE
}

func (e entry) lastSeen() *timestamppb.Timestamp { return timestamppb.New(e.seen) }

// registry is all that the old server knows, gone when it ends.
type registry struct {
	mutex    sync.Mutex
	ttl      time.Duration
	entries  map[string]entry
	sessions map[string]time.Time
}

// register replaces an entry as a whole.
func (r *registry) register(id string, e entry) (entry, error) {
	if len(e.endpoints) == 0 && e.observed == nil {
		return entry{}, errors.New("at least one endpoint or observed endpoint is required")
	}
	if len(e.endpoints) == 0 && e.observed.GetPort() == 0 {
		return entry{}, errors.New("observed endpoint must have a valid port when no static endpoints are provided " +
			"(use STUN discovery, not HTTP headers)")
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	now := time.Now()
	if held, ok := r.entries[id]; ok && !now.After(held.expires) && held.pubkey != e.pubkey {
		return entry{}, fmt.Errorf("colony/agent '%s' already registered with different public key until %v (existing: %s, new: %s). "+
			"This may indicate a split-brain scenario. Wait for lease expiration or use a different ID",
			id, held.expires, held.pubkey, e.pubkey)
	}
	e.seen, e.expires = now, now.Add(r.ttl)
	r.entries[id] = e
	return e, nil
}

func (r *registry) lookup(id string) (entry, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	e, ok := r.entries[id]
	if !ok {
		return entry{}, fmt.Errorf("colony not found: %s", id)
	}
	if time.Now().After(e.expires) {
		return entry{}, fmt.Errorf("colony registration expired: %s", id)
	}
	return e, nil
}

// count counts agents too.
func (r *registry) count() int32 {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	var live int32
	for _, e := range r.entries {
		if !time.Now().After(e.expires) {
			live++
		}
	}
	return live
}

// session makes one at the relay for half an hour.
func (r *registry) session() (string, time.Time) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	id := fmt.Sprintf("relay-%d", time.Now().UnixNano())
	r.sessions[id] = time.Now().Add(30 * time.Minute)
	return id, r.sessions[id]
}

// end ends a session, and tells whether there was one.
func (r *registry) end(id string) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	_, ok := r.sessions[id]
	delete(r.sessions, id)
	return ok
}
