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

// publicAddress is the caller's address, in the header of a proxy in front of the server.
var publicAddress = []string{"X-Forwarded-For", "9.9.9.9"}

// startMigration runs a legacy server, and a Worker that falls back to it.
func startMigration(t *testing.T, vars ...string) (*harness.LegacyServer, *harness.Worker) {
	t.Helper()
	legacy := harness.StartLegacyServer(t)
	vars = append([]string{"LEGACY_DISCOVERY_URL=" + legacy.URL}, vars...)
	return legacy, harness.Start(t, vars...)
}

// forEachSyncMode runs a test with writes to the legacy server after the response and before it.
func forEachSyncMode(t *testing.T, test func(t *testing.T, isSync bool, syncWrites string)) {
	t.Helper()
	t.Run("async writes", func(t *testing.T) {
		t.Parallel()
		test(t, false, "LEGACY_SYNC_WRITES=false")
	})
	t.Run("sync writes", func(t *testing.T) {
		t.Parallel()
		test(t, true, "LEGACY_SYNC_WRITES=true")
	})
}

func TestMigrationLookupFallsBackToTheLegacyServer(t *testing.T) {
	t.Parallel()
	legacy, worker := startMigration(t)
	registration := colony("legacy-colony", "k")
	registration.Metadata = map[string]string{"wireguard_port": "51820"}
	registerColony(t, legacy.Client(), registration, publicAddress...)
	registerAgent(t, legacy.Client(), agent("legacy-agent", "legacy-colony", "a"))
	forEachCodec(t, worker, func(t *testing.T, c client) {
		message := &discoveryv1.LookupColonyRequest{MeshId: "legacy-colony"}
		response, err := c.LookupColony(testContext(t), newRequest(message, "Cf-Ray", t.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if source := response.Header().Get("Coral-Discovery-Source"); source != "legacy" {
			t.Errorf("source %q", source)
		}
		found := response.Msg
		if found.Pubkey != "k" || found.Metadata["wireguard_port"] != "51820" ||
			found.LastSeen == nil {
			t.Errorf("%v", found)
		}
		if len(found.ObservedEndpoints) != 1 || found.ObservedEndpoints[0].Ip != "9.9.9.9" {
			t.Errorf("observed %v", found.ObservedEndpoints)
		}
		if len(found.Relays) != 0 {
			t.Errorf("the legacy server's relay does not exist: %v", found.Relays)
		}
		entry := worker.RequestEntry(t.Name())
		if entry.LookupSource != "legacy" || entry.LegacyOutcome != "ok" {
			t.Errorf("%+v", entry)
		}
		foundAgent, err := lookupAgent(t, c, "legacy-agent", "legacy-colony")
		if err != nil {
			t.Fatal(err)
		}
		if foundAgent.MeshId != "legacy-colony" || foundAgent.Pubkey != "a" {
			t.Errorf("%v", foundAgent)
		}
	})
}

func TestMigrationUnknownOnBothServersIsNotFound(t *testing.T) {
	t.Parallel()
	_, worker := startMigration(t)
	_, err := lookupColony(t, worker.Client(), "unknown", "Cf-Ray", "unknown")
	wantError(t, err, connect.CodeNotFound, "colony not found: unknown")
	entry := worker.RequestEntry("unknown")
	if entry.LegacyOutcome != "not_found" || entry.LookupSource != "object" {
		t.Errorf("%+v", entry)
	}
	_, err = lookupAgent(t, worker.Client(), "unknown", "")
	wantError(t, err, connect.CodeNotFound, "agent not found: unknown")
}

func TestMigrationLocalLookupDoesNotCallTheLegacyServer(t *testing.T) {
	t.Parallel()
	legacy, worker := startMigration(t)
	registerColony(t, worker.Client(), colony("m", "k"))
	legacy.Kill()
	if _, err := lookupColony(t, worker.Client(), "m", "Cf-Ray", "local"); err != nil {
		t.Fatal(err)
	}
	entry := worker.RequestEntry("local")
	if entry.LegacyOutcome != "" || entry.LookupSource != "object" {
		t.Errorf("%+v", entry)
	}
}

func TestMigrationRegistrationsAreMirrored(t *testing.T) {
	t.Parallel()
	forEachSyncMode(t, func(t *testing.T, isSync bool, syncWrites string) {
		legacy, worker := startMigration(t, syncWrites)
		sentColony := colony("m", "k")
		sentColony.Metadata = map[string]string{"a": "b"}
		sentColony.PublicEndpoint = &discoveryv1.PublicEndpointInfo{
			Enabled: true, Url: "https://example.org",
		}
		registered := registerColony(t, worker.Client(), sentColony, publicAddress...)
		sentAgent := agent("a", "m", "a")
		sentAgent.Endpoints = nil
		sentAgent.ObservedEndpoint = &discoveryv1.Endpoint{
			Ip: "9.9.9.10", Port: 40000, Protocol: "udp",
		}
		registerAgent(t, worker.Client(), sentAgent, publicAddress...)
		// A sync write first looks up whether the caller holds the lease here.
		wantRequests := 1
		if isSync {
			wantRequests = 2
		}
		registerColony(t, worker.Client(), sentColony, append(publicAddress, "Cf-Ray", "renewal")...)
		entry := worker.RequestEntry("renewal")
		if entry.ObjectRequests != wantRequests || entry.RowsWritten != 1 {
			t.Errorf("%+v", entry)
		}
		areMirrored := func() bool {
			foundColony, err := lookupColony(t, legacy.Client(), "m")
			if err != nil {
				return false
			}
			foundAgent, err := lookupAgent(t, legacy.Client(), "a", "")
			return err == nil && foundColony.Metadata["a"] == "b" &&
				proto.Equal(foundColony.PublicEndpoint, sentColony.PublicEndpoint) &&
				proto.Equal(foundColony.ObservedEndpoints[0], registered.ObservedEndpoint) &&
				proto.Equal(foundAgent.ObservedEndpoints[0], sentAgent.ObservedEndpoint)
		}
		if !isSync {
			harness.Eventually(t, testTimeout, "the legacy server has both", areMirrored)
		} else if !areMirrored() {
			t.Error("the legacy server lacks a registration after the response")
		}
	})
}

func TestMigrationRollbackLosesNoRegistration(t *testing.T) {
	t.Parallel()
	legacy, worker := startMigration(t, "LEGACY_SYNC_WRITES=true")
	registerColony(t, legacy.Client(), colony("never-moved", "k"))
	registerColony(t, worker.Client(), colony("moved", "k"))
	worker.Kill()
	for _, id := range []string{"never-moved", "moved"} {
		if _, err := lookupColony(t, legacy.Client(), id); err != nil {
			t.Error(err)
		}
	}
	// The next heartbeat goes to the legacy server.
	registerColony(t, legacy.Client(), colony("moved", "k"))
}

func TestMigrationHeartbeatsMirrorChanges(t *testing.T) {
	t.Parallel()
	legacy, worker := startMigration(t)
	for _, endpoint := range []string{"203.0.113.7:1", "203.0.113.99:1"} {
		registerColony(t, worker.Client(), changedColony("m", "k", endpoint))
		// Two writes at the same time have no guaranteed order: wait for the first.
		harness.Eventually(t, testTimeout, "the legacy server has "+endpoint, func() bool {
			found, err := lookupColony(t, legacy.Client(), "m")
			return err == nil && found.Endpoints[0] == endpoint
		})
	}
}

// Coral's TypeScript worker supports only JSON.
func TestMigrationFromAJSONOnlyServer(t *testing.T) {
	t.Parallel()
	legacy := harness.StartLegacyServer(t)
	target, err := url.Parse(legacy.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Type") != "application/json" {
			const body = `{"code":"invalid_argument","message":"Only JSON encoding is supported"}`
			http.Error(w, body, http.StatusBadRequest)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	worker := harness.Start(t, "LEGACY_DISCOVERY_URL="+server.URL, "LEGACY_CODEC=json",
		"LEGACY_SYNC_WRITES=true")
	registerColony(t, legacy.Client(), colony("there", "k"))
	if found, err := lookupColony(t, worker.Client(), "there"); err != nil || found.Pubkey != "k" {
		t.Errorf("%v %v", found, err)
	}
	registerColony(t, worker.Client(), colony("here", "k"))
	if found, err := lookupColony(t, legacy.Client(), "here"); err != nil || found.Pubkey != "k" {
		t.Errorf("%v %v", found, err)
	}
}

// Data points show whether clients still depend on the legacy server.
func TestOnCloudflareMigrationWritesDataPoints(t *testing.T) {
	t.Parallel()
	legacy := harness.StartLegacyServer(t)
	worker := harness.StartMiniflare(t, "LEGACY_DISCOVERY_URL="+legacy.URL)
	registerColony(t, legacy.Client(), colony("there", "k"))
	registerColony(t, worker.Client(), colony("here", "k"))
	if _, err := lookupColony(t, worker.Client(), "there"); err != nil {
		t.Fatal(err)
	}
	points := waitForPoints(t, worker, "LegacyWriteRegisterColony", "LookupColony")
	lookup := points["LookupColony"]
	if lookup.Blobs[3] != "legacy" || lookup.Blobs[8] != "ok" {
		t.Errorf("%+v", lookup)
	}
	write := points["LegacyWriteRegisterColony"]
	if write.Indexes[0] != "LegacyWrite" || write.Blobs[6] == "" || len(write.Blobs[7]) != 16 ||
		write.Blobs[8] != "ok" || len(write.Doubles) != 1 {
		t.Errorf("%+v", write)
	}
}
