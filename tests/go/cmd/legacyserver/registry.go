package main

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
)

// entry is a registered colony or agent: the legacy server does not distinguish them.
type entry struct {
	pubkey     string
	endpoints  []string
	ipv4, ipv6 string
	port       uint32
	publicPort uint32
	public     *discoveryv1.PublicEndpointInfo
	metadata   map[string]string
	observed   *discoveryv1.Endpoint
	lastSeen   time.Time
	expiresAt  time.Time
}

// observedEndpoints returns the observed endpoint, if there is one.
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

func (e entry) lastSeenTimestamp() *timestamppb.Timestamp { return timestamppb.New(e.lastSeen) }

// registry is the state of the server. It is lost when the process ends.
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
		return entry{}, errors.New("observed endpoint must have a valid port when no static " +
			"endpoints are provided (use STUN discovery, not HTTP headers)")
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	now := time.Now()
	current, ok := r.entries[id]
	if ok && !now.After(current.expiresAt) && current.pubkey != e.pubkey {
		return entry{}, fmt.Errorf("colony/agent '%s' already registered with different public key "+
			"until %v (existing: %s, new: %s). This may indicate a split-brain scenario. "+
			"Wait for lease expiration or use a different ID",
			id, current.expiresAt, current.pubkey, e.pubkey)
	}
	e.lastSeen, e.expiresAt = now, now.Add(r.ttl)
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
	if time.Now().After(e.expiresAt) {
		return entry{}, fmt.Errorf("colony registration expired: %s", id)
	}
	return e, nil
}

// count returns the number of live entries, agents included.
func (r *registry) count() int32 {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	var live int32
	for _, e := range r.entries {
		if !time.Now().After(e.expiresAt) {
			live++
		}
	}
	return live
}

// newSession creates a relay session of half an hour.
func (r *registry) newSession() (id string, expiresAt time.Time) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	id = fmt.Sprintf("relay-%d", time.Now().UnixNano())
	r.sessions[id] = time.Now().Add(30 * time.Minute)
	return id, r.sessions[id]
}

// endSession ends a relay session. It returns false if there is none.
func (r *registry) endSession(id string) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	_, ok := r.sessions[id]
	delete(r.sessions, id)
	return ok
}
