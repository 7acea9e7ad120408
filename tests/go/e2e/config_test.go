package e2e

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// What is wrong is named to everyone who calls, but Health goes on answering.
func TestWrongConfigurationIsNamed(t *testing.T) {
	t.Parallel()
	for _, wrong := range []struct{ name, value, must string }{
		{"DEFAULT_TTL_SECONDS", "soon", "between 1 and 86400"},
		{"LOG_LEVEL", "loud", "one of debug, info, warn, error"},
		{"CORAL_RELAYS", "relay.example.org", "a JSON list of relays"},
		{"REGISTRY_SHARDS", "-1", "between 0 and 65536"},
	} {
		t.Run(wrong.name, func(t *testing.T) {
			t.Parallel()
			worker := harness.Start(t, wrong.name+"="+wrong.value)
			_, err := lookupColony(t, worker.Client(), "m")
			wantError(t, err, connect.CodeFailedPrecondition, wrong.name, wrong.must)
			_, err = worker.Client(connect.WithProtoJSON()).RegisterColony(deadline(t), send(colony("m", "k")))
			wantError(t, err, connect.CodeFailedPrecondition, wrong.name)
			if status := health(t, worker.Client()).GetStatus(); status != "degraded" {
				t.Errorf("Health says %q", status)
			}
			answer, err := http.Get(worker.URL + "/health")
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			var told struct{ Status string }
			if err := json.NewDecoder(answer.Body).Decode(&told); err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode != http.StatusServiceUnavailable || told.Status != "degraded" {
				t.Errorf("/health: %d %+v", answer.StatusCode, told)
			}
			harness.Eventually(t, patience, "variable and value are in the log", func() bool {
				log := worker.Log()
				return strings.Contains(log, wrong.name) && strings.Contains(log, strconv.Quote(wrong.value))
			})
		})
	}
}
