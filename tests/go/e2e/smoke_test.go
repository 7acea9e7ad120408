package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// smoke looks at a deployment, and returns what it prints and whether it found it in order.
func smoke(t *testing.T, url string, arguments ...string) (string, bool) {
	t.Helper()
	command := exec.Command(harness.Build(t, "smoke"), append([]string{"-url", url}, arguments...)...)
	output, err := command.CombinedOutput()
	return string(output), err == nil
}

func TestOnCloudflareSmokeFindsAWholeDeploymentInOrder(t *testing.T) {
	t.Parallel()
	key, _ := harness.SigningKey(t, "K1")
	worker := harness.StartMiniflare(t, relays, "DISCOVERY_SIGNING_KEY="+key, "DEFAULT_TTL_SECONDS=8")
	if said, ok := smoke(t, worker.URL, "-strict", "-expiry"); !ok {
		t.Error(said)
	}
}

func TestSmokeSkipsWhatIsNotConfiguredAndNamesTheVersion(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "SERVICE_VERSION=1.2.3-test")
	said, ok := smoke(t, worker.URL, "-calls", "4", "-version", "1.2.3-test")
	if !ok || !strings.Contains(said, "version 1.2.3-test") || !strings.Contains(said, "DISCOVERY_SIGNING_KEY") {
		t.Error(said)
	}
	if said, ok := smoke(t, worker.URL, "-calls", "4", "-strict"); ok {
		t.Errorf("a key is missing: %s", said)
	}
	if said, ok := smoke(t, worker.URL, "-calls", "4", "-version", "another", "-worker", "coral-discovery"); ok {
		t.Errorf("another version answers: %s", said)
	}
}

func TestSmokeInJSONTellsTheSame(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	said, ok := smoke(t, worker.URL, "-calls", "4", "-json")
	var told struct {
		OK        bool
		Checks    []struct{ Name, Outcome string }
		Latencies []struct {
			Name string
			P99  float64
		}
	}
	if err := json.Unmarshal([]byte(said), &told); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	if !ok || !told.OK || len(told.Checks) < 30 || len(told.Latencies) != 6 || told.Latencies[0].P99 <= 0 {
		t.Errorf("%+v", told)
	}
}

func TestSmokeNoticesWhatIsBroken(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]func(*testing.T) string{
		"nobody there": func(*testing.T) string { return "http://127.0.0.1:1" },
		"a page": func(t *testing.T) string {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }))
			t.Cleanup(server.Close)
			return server.URL
		},
		"a wrong configuration": func(t *testing.T) string { return harness.Start(t, "LOG_LEVEL=loud").URL },
		"the old server":        func(t *testing.T) string { return harness.StartLegacyServer(t).URL },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if said, ok := smoke(t, broken(t), "-calls", "2"); ok {
				t.Error(said)
			}
		})
	}
}

// The smoke test must notice a Worker whose lookups find expired leases.
func TestOnCloudflareSmokeDetectsExpiredLookups(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t, harness.WithFaults(`{"expired_lookups":true}`),
		"DEFAULT_TTL_SECONDS=1", "CACHE_HOT_LOOKUPS_PER_MINUTE=0")
	said, ok := smoke(t, worker.URL, "-calls", "2", "-expiry")
	if ok || !strings.Contains(said, "broken   proto a lease that lapses") {
		t.Error(said)
	}
}
