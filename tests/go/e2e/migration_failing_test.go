package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"connectrpc.com/connect"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

func wantNotFoundNow(t *testing.T, err error) {
	t.Helper()
	// Agents that wait for their colony do so while the text says that.
	wantError(t, err, connect.CodeUnavailable, "not found", "legacy server")
	if metadata(err).Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestMigrationTheOldServerBeingDownFailsNothingThatWeKnow(t *testing.T) {
	t.Parallel()
	for _, awaited := range []string{"false", "true"} {
		t.Run("awaited "+awaited, func(t *testing.T) {
			t.Parallel()
			old, worker := migrating(t, "LEGACY_SYNC_WRITES="+awaited)
			old.Kill()
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
			health, err := c.Health(deadline(t), send(&discoveryv1.HealthRequest{}))
			if err != nil || health.Msg.Status != "ok" {
				t.Errorf("%v %v", health, err)
			}
			_, err = lookupColony(t, c, "unknown")
			wantNotFoundNow(t, err)
			// After some failures it is left in peace, and nobody waits for it.
			harness.Eventually(t, patience, "it is left in peace", func() bool {
				_, err := lookupColony(t, c, "unknown", "Cf-Ray", "peace")
				wantNotFoundNow(t, err)
				return worker.LastRequestEntry("peace").LegacyOutcome == "circuit_open"
			})
			// And found again when it is back, with all that registers there.
			old.Start()
			registerColony(t, old.Client(), colony("left", "k"))
			harness.Eventually(t, patience, "it is asked again", func() bool {
				_, err := lookupColony(t, c, "left")
				return err == nil
			})
			registerColony(t, c, colony("m", "k"))
			harness.Eventually(t, patience, "the next heartbeat brings who has moved back to it", func() bool {
				_, err := lookupColony(t, old.Client(), "m")
				return err == nil
			})
		})
	}
}

func TestMigrationASlowOldServerIsGivenUpInTime(t *testing.T) {
	t.Parallel()
	old, worker := migrating(t, "LEGACY_TIMEOUT_MS=5000")
	registerColony(t, old.Client(), colony("left", "k"))
	// Longer than anybody waits below.
	old.Delay(120_000)
	// What the server is told, not what this client keeps: it would give up by itself.
	// A busy machine may need longer than the 100 ms that are left for it.
	harness.Eventually(t, patience, "an answer in time", func() bool {
		got := post(t, worker, "LookupColony", `{"meshId":"left"}`, "Connect-Timeout-Ms", "1500")
		return got.status == http.StatusServiceUnavailable && strings.Contains(got.body, "legacy server is not responding")
	})
	// Callers in a hurry say nothing of the server: others go on asking it.
	for range 4 {
		post(t, worker, "LookupColony", `{"meshId":"left"}`, "Connect-Timeout-Ms", "150")
	}
	registerColony(t, worker.Client(), colony("m", "k"), "Cf-Ray", "nobody waits")
	if line := worker.RequestEntry("nobody waits"); line.LegacyOutcome != "" {
		t.Errorf("%+v", line)
	}
	old.Delay(0)
	if _, err := lookupColony(t, worker.Client(), "left"); err != nil {
		t.Errorf("it is left in peace: %v", err)
	}
}

// post makes a call in JSON, as curl does, with headers as name, value.
func post(t *testing.T, worker *harness.Worker, method, body string, headers ...string) answer {
	t.Helper()
	headers = append(headers, "Content-Type", "application/json")
	return raw(t, http.MethodPost, worker.URL+procedure(method), []byte(body), headers...)
}

func TestMigrationAnAwaitedSlowOldServerFailsNoRegistration(t *testing.T) {
	t.Parallel()
	old, worker := migrating(t, "LEGACY_SYNC_WRITES=true", "LEGACY_TIMEOUT_MS=300")
	old.Delay(60_000)
	registerColony(t, worker.Client(), colony("m", "k"), "Cf-Ray", "slow")
	if line := worker.RequestEntry("slow"); line.LegacyOutcome != "failed" || line.Status != http.StatusOK {
		t.Errorf("%+v", line)
	}
}

func TestMigrationAnythingElseAtThatURLIsNoAnswer(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a redirect was followed")
	}))
	t.Cleanup(elsewhere.Close)
	for name, answer := range map[string]http.HandlerFunc{
		"a page": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>hello</html>")) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		},
		"nothing":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
		"broken off": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"a flood":    func(w http.ResponseWriter, _ *http.Request) { flood(w) },
		"no message": func(w http.ResponseWriter, _ *http.Request) { garbage(w) },
		"an empty message": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/proto")
		},
		"a wall":      func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "x", http.StatusForbidden) },
		"a bad error": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "x", http.StatusBadGateway) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(answer)
			t.Cleanup(server.Close)
			worker := harness.Start(t, "LEGACY_DISCOVERY_URL="+server.URL)
			_, err := lookupColony(t, worker.Client(), "unknown", "Cf-Ray", "odd")
			wantNotFoundNow(t, err)
			if line := worker.RequestEntry("odd"); line.LegacyOutcome != "failed" || line.Level != "info" {
				t.Errorf("%+v", line)
			}
			harness.Eventually(t, patience, "a warning about LEGACY_DISCOVERY_URL", func() bool {
				return worker.HasWarning("warn", "LEGACY_DISCOVERY_URL")
			})
			registerColony(t, worker.Client(), colony("m", "k"))
		})
	}
}

func flood(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/proto")
	chunk := make([]byte, 64*1024)
	for range 1024 {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

func garbage(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/proto")
	_, _ = w.Write([]byte{0xff, 0xff, 0xff})
}
