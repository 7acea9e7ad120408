package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// public is where a caller is, as a proxy in front of the Worker tells.
var public = []string{"X-Forwarded-For", "9.9.9.9"}

// migrating runs an old server, and a Worker that knows of it.
func migrating(t *testing.T, vars ...string) (*harness.LegacyServer, *harness.Worker) {
	t.Helper()
	old := harness.StartLegacyServer(t)
	return old, harness.Start(t, append([]string{"LEGACY_DISCOVERY_URL=" + old.URL}, vars...)...)
}

// wantNotFoundNow is the answer to a lookup that only the old server could have answered.
func TestMigrationFindsWhoIsOnlyAtTheOldServer(t *testing.T) {
	t.Parallel()
	old, worker := migrating(t)
	left := colony("left", "k")
	left.Metadata = map[string]string{"wireguard_port": "51820"}
	registerColony(t, old.Client(), left, public...)
	registerAgent(t, old.Client(), agent("left-agent", "left", "a"))
	forEachCodec(t, worker, func(t *testing.T, c client) {
		answer, err := c.LookupColony(deadline(t), send(&discoveryv1.LookupColonyRequest{MeshId: "left"}, "Cf-Ray", t.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if source := answer.Header().Get("Coral-Discovery-Source"); source != "legacy" {
			t.Errorf("source %q", source)
		}
		found := answer.Msg
		if found.Pubkey != "k" || found.Metadata["wireguard_port"] != "51820" || found.LastSeen == nil {
			t.Errorf("%v", found)
		}
		if len(found.ObservedEndpoints) != 1 || found.ObservedEndpoints[0].Ip != "9.9.9.9" {
			t.Errorf("observed %v", found.ObservedEndpoints)
		}
		if len(found.Relays) != 0 {
			t.Errorf("the old server's relay does not exist: %v", found.Relays)
		}
		if line := worker.RequestEntry(t.Name()); line.LookupSource != "legacy" || line.LegacyOutcome != "ok" {
			t.Errorf("%+v", line)
		}
		found2, err := lookupAgent(t, c, "left-agent", "left")
		if err != nil {
			t.Fatal(err)
		}
		if found2.MeshId != "left" || found2.Pubkey != "a" {
			t.Errorf("%v", found2)
		}
	})
}

func TestMigrationWhatNeitherServerKnowsIsNotFound(t *testing.T) {
	t.Parallel()
	_, worker := migrating(t)
	_, err := lookupColony(t, worker.Client(), "unknown", "Cf-Ray", "neither")
	wantError(t, err, connect.CodeNotFound, "colony not found: unknown")
	if line := worker.RequestEntry("neither"); line.LegacyOutcome != "not_found" || line.LookupSource != "object" {
		t.Errorf("%+v", line)
	}
	_, err = lookupAgent(t, worker.Client(), "unknown", "")
	wantError(t, err, connect.CodeNotFound, "agent not found: unknown")
}

func TestMigrationWhoIsRegisteredHereIsNotAskedFor(t *testing.T) {
	t.Parallel()
	old, worker := migrating(t)
	registerColony(t, worker.Client(), colony("m", "k"))
	old.Kill()
	if _, err := lookupColony(t, worker.Client(), "m", "Cf-Ray", "known"); err != nil {
		t.Fatal(err)
	}
	if line := worker.RequestEntry("known"); line.LegacyOutcome != "" || line.LookupSource != "object" {
		t.Errorf("%+v", line)
	}
}

func TestMigrationRegistrationsReachTheOldServer(t *testing.T) {
	t.Parallel()
	for _, awaited := range []string{"false", "true"} {
		t.Run("awaited "+awaited, func(t *testing.T) {
			t.Parallel()
			old, worker := migrating(t, "LEGACY_SYNC_WRITES="+awaited)
			moved := colony("moved", "k")
			moved.Metadata = map[string]string{"a": "b"}
			moved.PublicEndpoint = &discoveryv1.PublicEndpointInfo{Enabled: true, Url: "https://example.org"}
			here := registerColony(t, worker.Client(), moved, public...)
			stun := agent("moved-agent", "moved", "a")
			stun.Endpoints = nil
			stun.ObservedEndpoint = &discoveryv1.Endpoint{Ip: "9.9.9.10", Port: 40000, Protocol: "udp"}
			registerAgent(t, worker.Client(), stun, public...)
			// Who waits is also asked for whether they hold their id here.
			registerColony(t, worker.Client(), moved, append(public, "Cf-Ray", "heartbeat")...)
			requests := map[string]int{"false": 1, "true": 2}[awaited]
			if line := worker.RequestEntry("heartbeat"); line.ObjectRequests != requests || line.RowsWritten != 1 {
				t.Errorf("%+v", line)
			}
			wantMoved := func() bool {
				colony, err := lookupColony(t, old.Client(), "moved")
				if err != nil {
					return false
				}
				agent, err := lookupAgent(t, old.Client(), "moved-agent", "")
				return err == nil && colony.Metadata["a"] == "b" && proto.Equal(colony.PublicEndpoint, moved.PublicEndpoint) &&
					proto.Equal(colony.ObservedEndpoints[0], here.ObservedEndpoint) &&
					proto.Equal(agent.ObservedEndpoints[0], stun.ObservedEndpoint)
			}
			if awaited == "true" {
				if !wantMoved() {
					t.Error("not there after the answer")
				}
				return
			}
			harness.Eventually(t, patience, "both at the old server", wantMoved)
		})
	}
}

func TestMigrationRollbackLosesNobody(t *testing.T) {
	t.Parallel()
	old, worker := migrating(t, "LEGACY_SYNC_WRITES=true")
	registerColony(t, old.Client(), colony("never-moved", "k"))
	registerColony(t, worker.Client(), colony("moved", "k"))
	worker.Kill()
	for _, id := range []string{"never-moved", "moved"} {
		if _, err := lookupColony(t, old.Client(), id); err != nil {
			t.Error(err)
		}
	}
	// They come back with their next heartbeats.
	registerColony(t, old.Client(), colony("moved", "k"))
}

func TestMigrationChangesReachTheOldServerWithTheNextHeartbeat(t *testing.T) {
	t.Parallel()
	old, worker := migrating(t)
	for _, endpoint := range []string{"203.0.113.7:1", "203.0.113.99:1"} {
		heartbeat := colony("m", "k")
		heartbeat.Endpoints = []string{endpoint}
		registerColony(t, worker.Client(), heartbeat)
		// Nobody promises an order of two that are under way at once.
		harness.Eventually(t, patience, endpoint, func() bool {
			found, err := lookupColony(t, old.Client(), "m")
			return err == nil && found.Endpoints[0] == endpoint
		})
	}
}

// post makes a call as curl does, with headers as name, value.
// The old server has one agent of an id, whatever its mesh: what is no split brain here fails no call.
// As the TypeScript worker does.
func TestMigrationFromAServerThatSpeaksJSONAlone(t *testing.T) {
	t.Parallel()
	old := harness.StartLegacyServer(t)
	target, err := url.Parse(old.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Type") != "application/json" {
			http.Error(w, `{"code":"invalid_argument","message":"Only JSON encoding is supported"}`, http.StatusBadRequest)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	worker := harness.Start(t, "LEGACY_DISCOVERY_URL="+server.URL, "LEGACY_CODEC=json", "LEGACY_SYNC_WRITES=true")
	registerColony(t, old.Client(), colony("left", "k"))
	if found, err := lookupColony(t, worker.Client(), "left"); err != nil || found.Pubkey != "k" {
		t.Errorf("%v %v", found, err)
	}
	registerColony(t, worker.Client(), colony("moved", "k"))
	if found, err := lookupColony(t, old.Client(), "moved"); err != nil || found.Pubkey != "k" {
		t.Errorf("%v %v", found, err)
	}
}

// Whether anybody still needs the old server is told by data points.
func TestOnCloudflareMigrationIsCounted(t *testing.T) {
	t.Parallel()
	old := harness.StartLegacyServer(t)
	worker := harness.StartMiniflare(t, "LEGACY_DISCOVERY_URL="+old.URL)
	registerColony(t, old.Client(), colony("left", "k"))
	registerColony(t, worker.Client(), colony("moved", "k"))
	if _, err := lookupColony(t, worker.Client(), "left"); err != nil {
		t.Fatal(err)
	}
	points := points(t, worker, "LegacyWriteRegisterColony", "LookupColony")
	if lookup := points["LookupColony"]; lookup.Blobs[3] != "legacy" || lookup.Blobs[8] != "ok" {
		t.Errorf("%+v", lookup)
	}
	forward := points["LegacyWriteRegisterColony"]
	if forward.Indexes[0] != "LegacyWrite" || forward.Blobs[6] == "" || len(forward.Blobs[7]) != 16 || forward.Blobs[8] != "ok" || len(forward.Doubles) != 1 {
		t.Errorf("%+v", forward)
	}
}
