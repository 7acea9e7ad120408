package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// wantLegacyUnavailable fails the test unless err is the error of a lookup that only the legacy
// server could resolve.
func wantLegacyUnavailable(t *testing.T, err error) {
	t.Helper()
	// Agents retry the lookup of their colony while the error contains "not found".
	wantError(t, err, connect.CodeUnavailable,
		"not found", "the legacy server is not responding")
	if errorMetadata(err).Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestMigrationLegacyServerDownFailsOnlyUnknownLookups(t *testing.T) {
	t.Parallel()
	forEachSyncMode(t, func(t *testing.T, _ bool, syncWrites string) {
		legacy, worker := startMigration(t, syncWrites)
		legacy.Kill()
		c := worker.Client()
		registerColony(t, c, colony("m", "k"))
		registerColony(t, c, colony("m", "k"))
		registerAgent(t, c, agent("a", "m", "k"))
		if _, err := lookupColony(t, c, "m"); err != nil {
			t.Fatal(err)
		}
		if _, err := lookupAgent(t, c, "a", "m"); err != nil {
			t.Fatal(err)
		}
		if status := health(t, c).GetStatus(); status != "ok" {
			t.Errorf("status of Health: %s", status)
		}
		_, err := lookupColony(t, c, "unknown")
		wantLegacyUnavailable(t, err)
		// After some failures the circuit breaker opens: calls no longer wait for the server.
		harness.Eventually(t, testTimeout, "the circuit breaker opens", func() bool {
			_, err := lookupColony(t, c, "unknown", "Cf-Ray", "breaker")
			wantLegacyUnavailable(t, err)
			return worker.LastRequestEntry("breaker").LegacyOutcome == "circuit_open"
		})
		// Once the server is up, the breaker closes, and the server gets all registrations.
		legacy.Start()
		registerColony(t, legacy.Client(), colony("there", "k"))
		harness.Eventually(t, testTimeout, "a lookup falls back again", func() bool {
			_, err := lookupColony(t, c, "there")
			return err == nil
		})
		registerColony(t, c, colony("m", "k"))
		harness.Eventually(t, testTimeout, "the next heartbeat is mirrored", func() bool {
			_, err := lookupColony(t, legacy.Client(), "m")
			return err == nil
		})
	})
}

func TestMigrationSlowLegacyServerIsBoundedByTheDeadline(t *testing.T) {
	t.Parallel()
	legacy, worker := startMigration(t, "LEGACY_TIMEOUT_MS=5000")
	registerColony(t, legacy.Client(), colony("there", "k"))
	// Longer than all deadlines below.
	legacy.Delay(120_000)
	lookup := func(timeoutMs string) httpResponse {
		return postJSON(t, worker, "LookupColony", `{"meshId":"there"}`,
			"Connect-Timeout-Ms", timeoutMs)
	}
	// The header sets a deadline only for the Worker: a Connect client would keep it too. A busy
	// machine may take longer than the 100 ms that the Worker reserves for its response.
	harness.Eventually(t, testTimeout, "a response before the deadline", func() bool {
		response := lookup("1500")
		return response.status == http.StatusServiceUnavailable &&
			strings.Contains(response.body, "the legacy server is not responding")
	})
	// Calls with a short deadline do not count as failures of the server.
	for range 4 {
		lookup("150")
	}
	// A registration without sync writes does not wait for the server.
	registerColony(t, worker.Client(), colony("m", "k"), "Cf-Ray", "async")
	if entry := worker.RequestEntry("async"); entry.LegacyOutcome != "" {
		t.Errorf("%+v", entry)
	}
	legacy.Delay(0)
	if _, err := lookupColony(t, worker.Client(), "there"); err != nil {
		t.Errorf("the circuit breaker is open: %v", err)
	}
}

func TestMigrationSlowLegacyServerFailsNoSyncWrite(t *testing.T) {
	t.Parallel()
	legacy, worker := startMigration(t, "LEGACY_SYNC_WRITES=true", "LEGACY_TIMEOUT_MS=300")
	legacy.Delay(60_000)
	registerColony(t, worker.Client(), colony("m", "k"), "Cf-Ray", "slow")
	entry := worker.RequestEntry("slow")
	if entry.LegacyOutcome != "failed" || entry.Status != http.StatusOK {
		t.Errorf("%+v", entry)
	}
}

func TestMigrationInvalidLegacyResponsesAreFailures(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a redirect was followed")
	}))
	t.Cleanup(elsewhere.Close)
	for name, handler := range map[string]http.HandlerFunc{
		"web page": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("<html>hello</html>"))
		},
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		},
		"plain 404": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
		},
		"aborted response": func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		},
		"huge response":  func(w http.ResponseWriter, _ *http.Request) { writeHuge(w) },
		"invalid binary": func(w http.ResponseWriter, _ *http.Request) { writeInvalid(w) },
		"empty message": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/proto")
		},
		"plain 403": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "x", http.StatusForbidden)
		},
		"plain 502": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "x", http.StatusBadGateway)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(handler)
			t.Cleanup(server.Close)
			worker := harness.Start(t, "LEGACY_DISCOVERY_URL="+server.URL)
			_, err := lookupColony(t, worker.Client(), "unknown", "Cf-Ray", "invalid")
			wantLegacyUnavailable(t, err)
			entry := worker.RequestEntry("invalid")
			if entry.LegacyOutcome != "failed" || entry.Level != "info" {
				t.Errorf("%+v", entry)
			}
			harness.Eventually(t, testTimeout, "the log has a warning", func() bool {
				return worker.HasWarning("warn", "LEGACY_DISCOVERY_URL")
			})
			registerColony(t, worker.Client(), colony("m", "k"))
		})
	}
}

// writeHuge writes more than the Worker reads of a response.
func writeHuge(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/proto")
	chunk := make([]byte, 64*1024)
	for range 1024 {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

func writeInvalid(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/proto")
	_, _ = w.Write([]byte{0xff, 0xff, 0xff})
}
