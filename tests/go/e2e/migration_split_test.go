package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// wantColonyKey fails the test unless a lookup returns this key.
func wantColonyKey(t *testing.T, c client, meshID, pubkey string) {
	t.Helper()
	found, err := lookupColony(t, c, meshID)
	if err != nil || found.Pubkey != pubkey {
		t.Errorf("found %v %v, want key %s", found, err, pubkey)
	}
}

// wantAgentKey fails the test unless a lookup returns this key.
func wantAgentKey(t *testing.T, c client, agentID, meshID, pubkey string) {
	t.Helper()
	found, err := lookupAgent(t, c, agentID, meshID)
	if err != nil || found.Pubkey != pubkey {
		t.Errorf("found %v %v, want key %s", found, err, pubkey)
	}
}

func TestMigrationSplitBrainAtTheLegacyServerRejectsSyncWrites(t *testing.T) {
	t.Parallel()
	legacy, worker := startMigration(t, "LEGACY_SYNC_WRITES=true")
	registerColony(t, legacy.Client(), colony("m", "owner"))
	for name, headers := range map[string][]string{
		"plain": nil,
		// Clients can send the header that marks calls between servers.
		"forwarded": {"Coral-Discovery-Forwarded", "1"},
	} {
		request := newRequest(colony("m", "other"), append(headers, "Cf-Ray", name)...)
		_, err := worker.Client().RegisterColony(testContext(t), request)
		wantError(t, err, connect.CodeAlreadyExists, "already registered with different pubkey")
		entry := worker.RequestEntry(name)
		if entry.LegacyOutcome != "split_brain" || entry.Level != "warn" || entry.RowsWritten != 0 {
			t.Errorf("%+v", entry)
		}
	}
	// A short deadline must not bypass the check.
	legacy.Delay(5_000)
	const body = `{"meshId":"m","pubkey":"other","endpoints":["192.0.2.1:1"]}`
	for _, ms := range []string{"50", "150", "400"} {
		response := postJSON(t, worker, "RegisterColony", body, "Connect-Timeout-Ms", ms)
		if response.status == http.StatusOK {
			t.Errorf("registered within %s ms: %s", ms, response.body)
		}
	}
	legacy.Delay(0)
	wantColonyKey(t, worker.Client(), "m", "owner")
	// The owner itself can move.
	registerColony(t, worker.Client(), colony("m", "owner"))
}

// The legacy server has one agent of each id, whatever its mesh. A conflict there that is none here
// fails no call.
func TestMigrationAgentIdInTwoMeshesRegisters(t *testing.T) {
	t.Parallel()
	legacy, worker := startMigration(t, "LEGACY_SYNC_WRITES=true", "AGENT_TAKEOVER=true")
	registerAgent(t, legacy.Client(), agent("a", "m1", "k1"))
	registerAgent(t, worker.Client(), agent("a", "m2", "k2"), "Cf-Ray", "second")
	entry := worker.RequestEntry("second")
	if entry.LegacyOutcome != "split_brain" || entry.Level != "warn" {
		t.Errorf("%+v", entry)
	}
	wantAgentKey(t, worker.Client(), "a", "m2", "k2")
	// A takeover succeeds here, though the legacy server rejects it.
	registerAgent(t, worker.Client(), agent("a", "m2", "k3"))
	wantAgentKey(t, worker.Client(), "a", "m2", "k3")
}

func TestMigrationSplitBrainAtTheLegacyServerKeepsLiveLeases(t *testing.T) {
	t.Parallel()
	legacy, worker := startMigration(t, "LEGACY_SYNC_WRITES=true")
	registerColony(t, worker.Client(), colony("m", "owner"))
	legacy.Kill()
	legacy.Start()
	registerColony(t, legacy.Client(), colony("m", "other"))
	registerColony(t, worker.Client(), colony("m", "owner"), "Cf-Ray", "renewal")
	entry := worker.RequestEntry("renewal")
	if entry.LegacyOutcome != "split_brain" || entry.Level != "warn" {
		t.Errorf("%+v", entry)
	}
	wantColonyKey(t, worker.Client(), "m", "owner")
}

func TestMigrationSplitBrainOfAsyncWriteIsLogged(t *testing.T) {
	t.Parallel()
	legacy, worker := startMigration(t)
	registerColony(t, legacy.Client(), colony("m", "secret-legacy"))
	registerColony(t, worker.Client(), colony("m", "secret-other"))
	isSplitBrain := func(write harness.LegacyWriteEntry) bool {
		return write.Method == "RegisterColony" && write.LegacyOutcome == "split_brain" &&
			write.Level == "warn"
	}
	harness.Eventually(t, testTimeout, "the log has the split brain", func() bool {
		return slices.ContainsFunc(worker.LegacyWrites(), isSplitBrain)
	})
	if strings.Contains(worker.Log(), "secret-") {
		t.Error("the log contains keys")
	}
	// Each server returns its own registration.
	wantColonyKey(t, worker.Client(), "m", "secret-other")
	wantColonyKey(t, legacy.Client(), "m", "secret-legacy")
}

func TestMigrationRejectedRegistrationIsNotMirrored(t *testing.T) {
	t.Parallel()
	legacy, worker := startMigration(t, "LEGACY_SYNC_WRITES=true")
	registerColony(t, worker.Client(), colony("m", "k"))
	legacy.Kill()
	legacy.Start()
	request := newRequest(colony("m", "other"))
	_, err := worker.Client().RegisterColony(testContext(t), request)
	wantError(t, err, connect.CodeAlreadyExists, "already registered with different pubkey")
	_, err = lookupColony(t, legacy.Client(), "m")
	wantError(t, err, connect.CodeNotFound)
}

// Two servers may each be configured as the other's legacy server.
func TestMigrationMutualLegacyURLsDoNotLoop(t *testing.T) {
	t.Parallel()
	first := harness.Start(t)
	second := harness.Start(t, "LEGACY_DISCOVERY_URL="+first.URL, "LEGACY_SYNC_WRITES=true")
	first.RestartWith("LEGACY_DISCOVERY_URL="+second.URL, "LEGACY_SYNC_WRITES=true")
	_, err := lookupColony(t, first.Client(), "unknown")
	wantError(t, err, connect.CodeNotFound)
	registerColony(t, first.Client(), colony("m", "k"))
	found, err := lookupColony(t, second.Client(), "m", "Cf-Ray", "last")
	if err != nil || found.Pubkey != "k" {
		t.Errorf("%v %v", found, err)
	}
	second.RequestEntry("last")
	for _, test := range []struct {
		name   string
		worker *harness.Worker
		method string
		want   int
	}{
		// The client's lookup, and the second server's before it accepts the registration.
		{"first", first, "LookupColony", 2},
		{"first", first, "RegisterColony", 1},
		// The first server's fallback, its lookup before it accepts the registration, and the
		// client's lookup.
		{"second", second, "LookupColony", 3},
		{"second", second, "RegisterColony", 1},
	} {
		if calls := test.worker.RequestCount(test.method); calls != test.want {
			t.Errorf("%s has %d calls of %s, want %d", test.name, calls, test.method, test.want)
		}
	}
}

func TestMigrationLegacyURLOfItselfDoesNotLoop(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	worker.RestartWith("LEGACY_DISCOVERY_URL=" + worker.URL)
	_, err := lookupColony(t, worker.Client(), "unknown", "Cf-Ray", "self")
	wantError(t, err, connect.CodeNotFound)
	worker.RequestEntry("self")
	if calls := worker.RequestCount("LookupColony"); calls != 2 {
		t.Errorf("%d calls", calls)
	}
}
