package e2e

import (
	"strings"
	"testing"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// Whoever reads the log learns who failed at what, but nothing of what they sent.
func TestLogQuotesNoMessages(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	const secret = "c2VjcmV0"
	for _, body := range []string{
		`{"mesh_id":"m","pubkey":"` + secret + `","endpoints":["` + secret + `:1"]}`,
		`{"mesh_id":"m","pubkey":"other ` + secret + `","endpoints":["` + secret + `:1"]}`,
		`{"pubkey":"` + secret + `","observedEndpoint":"` + secret + `"}`,
		`{"mesh_id":"m","metadata":{"` + secret + `":1}}`,
		`{"connect_port":"` + secret + `"}`,
	} {
		postJSON(t, worker, "RegisterColony", body)
	}
	ray := send(colony("m", "k"), "Cf-Ray", "last")
	if _, err := worker.Client().RegisterColony(deadline(t), ray); err == nil {
		t.Fatal("registered")
	}
	if line := worker.Request("last"); line.Code != "already_exists" || line.Status != 409 {
		t.Errorf("%+v", line)
	}
	if log := worker.Log(); strings.Contains(log, secret) {
		t.Errorf("the log quotes what was sent:\n%s", log)
	}
}
