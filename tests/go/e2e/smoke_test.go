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

// runSmoke runs the smoke test. It returns its output, and false if it failed.
func runSmoke(t *testing.T, url string, arguments ...string) (string, bool) {
	t.Helper()
	arguments = append([]string{"-url", url}, arguments...)
	output, err := exec.Command(harness.Build(t, "smoke"), arguments...).CombinedOutput()
	return string(output), err == nil
}

func TestOnCloudflareSmokePassesOnACompleteDeployment(t *testing.T) {
	t.Parallel()
	key, _ := harness.SigningKey(t, "K1")
	worker := harness.StartMiniflare(t,
		relays, "DISCOVERY_SIGNING_KEY="+key, "DEFAULT_TTL_SECONDS=8")
	if output, ok := runSmoke(t, worker.URL, "-strict", "-expiry"); !ok {
		t.Error(output)
	}
}

func TestSmokeSkipsUnconfiguredFeaturesAndPrintsTheVersion(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "SERVICE_VERSION=1.2.3-test")
	output, ok := runSmoke(t, worker.URL, "-calls", "4", "-version", "1.2.3-test")
	if !ok || !strings.Contains(output, "version 1.2.3-test") ||
		!strings.Contains(output, "DISCOVERY_SIGNING_KEY") {
		t.Error(output)
	}
	if output, ok := runSmoke(t, worker.URL, "-calls", "4", "-strict"); ok {
		t.Errorf("passed without a signing key: %s", output)
	}
	output, ok = runSmoke(t, worker.URL,
		"-calls", "4", "-version", "another", "-worker", "coral-discovery")
	if ok {
		t.Errorf("passed with another version: %s", output)
	}
}

func TestSmokeJSONReport(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	output, ok := runSmoke(t, worker.URL, "-calls", "4", "-json")
	var report struct {
		OK        bool
		Checks    []struct{ Name, Outcome string }
		Latencies []struct {
			Name string
			P99  float64
		}
	}
	if err := json.Unmarshal([]byte(output), &report); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	if !ok || !report.OK || len(report.Checks) < 30 || len(report.Latencies) != 6 ||
		report.Latencies[0].P99 <= 0 {
		t.Errorf("%+v", report)
	}
}

func TestSmokeFailsOnBrokenDeployments(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(*testing.T) (url string){
		"no server": func(*testing.T) string { return "http://127.0.0.1:1" },
		"web page": func(t *testing.T) string {
			handler := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }
			server := httptest.NewServer(http.HandlerFunc(handler))
			t.Cleanup(server.Close)
			return server.URL
		},
		"configuration error": func(t *testing.T) string {
			return harness.Start(t, "LOG_LEVEL=loud").URL
		},
		"legacy server": func(t *testing.T) string { return harness.StartLegacyServer(t).URL },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if output, ok := runSmoke(t, start(t), "-calls", "2"); ok {
				t.Error(output)
			}
		})
	}
}

// The smoke test must detect a Worker whose lookups find expired leases.
func TestOnCloudflareSmokeDetectsExpiredLookups(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t, harness.WithFaults(`{"expired_lookups":true}`),
		"DEFAULT_TTL_SECONDS=1", "CACHE_HOT_LOOKUPS_PER_MINUTE=0")
	output, ok := runSmoke(t, worker.URL, "-calls", "2", "-expiry")
	if ok || !strings.Contains(output, "failed   proto an expired lease is not found") {
		t.Error(output)
	}
}
