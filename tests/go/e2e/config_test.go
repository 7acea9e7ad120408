package e2e

import (
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// What is wrong is for the operator to know, in the log, and not for the client.
func TestWrongConfigurationIsNamedInTheLog(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "DEFAULT_TTL_SECONDS=soon")
	_, err := lookupColony(t, worker.Client(), "m")
	wantError(t, err, connect.CodeInternal, "the service is not configured correctly")
	if strings.Contains(err.Error(), "DEFAULT_TTL_SECONDS") {
		t.Errorf("%v", err)
	}
	harness.Eventually(t, patience, "the variable is named in the log", func() bool {
		return strings.Contains(worker.Log(), "DEFAULT_TTL_SECONDS must be between 1 and 86400")
	})
}
