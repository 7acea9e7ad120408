package e2e

import (
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

func TestAgentLookupReturnsTheRegistration(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	forEachCodec(t, worker, func(t *testing.T, c client) {
		// Agents in the field register the endpoint that STUN observed, and no others.
		message := &discoveryv1.RegisterAgentRequest{
			AgentId:          t.Name(),
			MeshId:           "mesh",
			Pubkey:           "key",
			ObservedEndpoint: &discoveryv1.Endpoint{Ip: "9.9.9.9", Port: 41641, Protocol: "udp"},
			Metadata:         map[string]string{"os": "linux"},
		}
		registered := registerAgent(t, c, message)
		if !registered.GetSuccess() || registered.GetTtl() != 300 ||
			len(registered.GetStunServers()) != 1 {
			t.Errorf("registered: %v", registered)
		}
		remaining := time.Until(registered.GetExpiresAt().AsTime())
		if remaining < 300*time.Second-testTimeout || remaining > 301*time.Second {
			t.Errorf("the lease of 300 s expires in %v", remaining)
		}
		wantEqual(t, registered.GetObservedEndpoint(), message.GetObservedEndpoint())
		found, err := lookupAgent(t, c, message.GetAgentId(), "mesh")
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, found, &discoveryv1.LookupAgentResponse{
			AgentId:           message.GetAgentId(),
			MeshId:            "mesh",
			Pubkey:            "key",
			ObservedEndpoints: []*discoveryv1.Endpoint{message.GetObservedEndpoint()},
			Nat:               discoveryv1.NatHint_NAT_CONE,
			Metadata:          message.GetMetadata(),
			LastSeen:          found.GetLastSeen(),
		})
	})
}

// Clients that do not know the field mesh_id find the agent that registered last.
func TestAgentIsFoundWithAndWithoutItsMesh(t *testing.T) {
	t.Parallel()
	for _, shards := range []string{"REGISTRY_SHARDS=0", "REGISTRY_SHARDS=3"} {
		t.Run(shards, func(t *testing.T) {
			c := harness.Start(t, shards).Client()
			wantMesh := func(meshID, want string) {
				t.Helper()
				found, err := lookupAgent(t, c, "a", meshID)
				if err != nil {
					t.Fatal(err)
				}
				if found.GetMeshId() != want || found.GetPubkey() != "key of "+want {
					t.Errorf("found %v, want the agent of mesh %s", found, want)
				}
			}
			registerAgent(t, c, agent("a", "one", "key of one"))
			registerAgent(t, c, agent("a", "two", "key of two"))
			wantMesh("one", "one")
			wantMesh("two", "two")
			wantMesh("", "two")
			registerAgent(t, c, agent("a", "one", "key of one"))
			wantMesh("", "one")
			_, err := lookupAgent(t, c, "a", "three")
			wantError(t, err, connect.CodeNotFound, "agent not found: a")
		})
	}
}

func TestAgentAndColonyIdsAreSeparate(t *testing.T) {
	t.Parallel()
	for _, shards := range []string{"REGISTRY_SHARDS=0", "REGISTRY_SHARDS=1"} {
		t.Run(shards, func(t *testing.T) {
			c := harness.Start(t, shards).Client()
			registerAgent(t, c, agent("a", "m", "k1"))
			_, err := lookupColony(t, c, "a")
			wantError(t, err, connect.CodeNotFound, "colony not found: a")
			registerColony(t, c, colony("a", "k2"))
			registerColony(t, c, colony("m", "k3"))
			_, err = lookupAgent(t, c, "m", "")
			wantError(t, err, connect.CodeNotFound, "agent not found: m")
		})
	}
}

func TestRegisterAgentValidation(t *testing.T) {
	t.Parallel()
	c := harness.Start(t).Client()
	long := strings.Repeat("x", 256)
	type request = discoveryv1.RegisterAgentRequest
	for _, test := range []struct {
		name    string
		change  func(*request)
		headers []string
		text    string
	}{
		{"empty message", func(r *request) { r.Reset() }, nil, "agent_id is required"},
		{"no agent id", func(r *request) { r.AgentId = "" }, nil, "agent_id is required"},
		{"no mesh id", func(r *request) { r.MeshId = "" }, nil, "mesh_id is required"},
		{"no key", func(r *request) { r.Pubkey = "" }, nil, "pubkey is required"},
		{"long agent id", func(r *request) { r.AgentId = long }, nil,
			"agent_id must have at most 255 bytes"},
		{"long mesh id", func(r *request) { r.MeshId = long }, nil,
			"mesh_id must have at most 255 bytes"},
		{"no endpoint", func(r *request) { r.Endpoints = nil }, nil,
			"at least one endpoint or observed endpoint is required"},
		{"only an observed address", func(r *request) { r.Endpoints = nil },
			[]string{"CF-Connecting-IP", "8.8.8.8"},
			"observed endpoint must have a valid port when no static endpoints are provided " +
				"(use STUN discovery, not HTTP headers)"},
		{"observed endpoint without port", func(r *request) {
			r.Endpoints = nil
			r.ObservedEndpoint = &discoveryv1.Endpoint{Ip: "9.9.9.9"}
		}, nil, "observed endpoint must have a valid port"},
	} {
		t.Run(test.name, func(t *testing.T) {
			message := agent("a", "m", "k")
			test.change(message)
			_, err := c.RegisterAgent(testContext(t), newRequest(message, test.headers...))
			wantError(t, err, connect.CodeInvalidArgument, test.text)
		})
	}
	_, err := lookupAgent(t, c, "", "m")
	wantError(t, err, connect.CodeInvalidArgument, "agent_id is required")
}

// Colonies would dial an agent's address with port 0.
func TestAgentHasNoObservedEndpointWithoutPort(t *testing.T) {
	t.Parallel()
	c := harness.Start(t).Client()
	registered := registerAgent(t, c, agent("a", "m", "k"), "CF-Connecting-IP", "8.8.8.8")
	if registered.GetObservedEndpoint() != nil {
		t.Errorf("registered %v", registered)
	}
	found, err := lookupAgent(t, c, "a", "m")
	if err != nil {
		t.Fatal(err)
	}
	if len(found.GetObservedEndpoints()) != 0 ||
		found.GetNat() != discoveryv1.NatHint_NAT_UNKNOWN {
		t.Errorf("found %v", found)
	}
}

func TestLiveAgentLeaseRejectsAnotherKey(t *testing.T) {
	t.Parallel()
	c := harness.Start(t).Client()
	registerAgent(t, c, agent("a", "m", "first"))
	_, err := c.RegisterAgent(testContext(t), newRequest(agent("a", "m", "second")))
	wantError(t, err, connect.CodeAlreadyExists,
		"agent 'a' already registered with different public key")
	registerAgent(t, c, agent("a", "other mesh", "second"))
}

func TestAgentTakeoverAllowsAnotherKey(t *testing.T) {
	t.Parallel()
	c := harness.Start(t, "AGENT_TAKEOVER=true").Client()
	registerAgent(t, c, agent("a", "m", "first"))
	registerAgent(t, c, agent("a", "m", "second"))
	found, err := lookupAgent(t, c, "a", "m")
	if err != nil {
		t.Fatal(err)
	}
	if found.GetPubkey() != "second" {
		t.Errorf("found %v", found)
	}
	// The setting does not apply to colonies.
	registerColony(t, c, colony("m", "first"))
	_, err = c.RegisterColony(testContext(t), newRequest(colony("m", "second")))
	wantError(t, err, connect.CodeAlreadyExists)
}
