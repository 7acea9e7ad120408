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

// Every call fails with the name of the variable, except for Health.
func TestConfigurationErrorNamesTheVariable(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, value, want string }{
		{"DEFAULT_TTL_SECONDS", "soon", "between 1 and 86400"},
		{"LOG_LEVEL", "loud", "one of debug, info, warn, error"},
		{"CORAL_RELAYS", "relay.example.org", "a JSON list of relays"},
		{"REGISTRY_SHARDS", "-1", "between 0 and 65536"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			worker := harness.Start(t, test.name+"="+test.value)
			_, err := lookupColony(t, worker.Client(), "m")
			wantError(t, err, connect.CodeFailedPrecondition, test.name, test.want)
			jsonClient := worker.Client(connect.WithProtoJSON())
			_, err = jsonClient.RegisterColony(testContext(t), newRequest(colony("m", "k")))
			wantError(t, err, connect.CodeFailedPrecondition, test.name)
			if status := health(t, worker.Client()).GetStatus(); status != "degraded" {
				t.Errorf("status of Health: %q", status)
			}
			response, err := http.Get(worker.URL + "/health")
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			var body struct{ Status string }
			if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
				t.Fatal(err)
			}
			isUnavailable := response.StatusCode == http.StatusServiceUnavailable
			if !isUnavailable || body.Status != "degraded" {
				t.Errorf("/health: %d %+v", response.StatusCode, body)
			}
			harness.Eventually(t, testTimeout, "the log has the variable and its value", func() bool {
				log := worker.Log()
				return strings.Contains(log, test.name) && strings.Contains(log, strconv.Quote(test.value))
			})
		})
	}
}
