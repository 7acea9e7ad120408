package e2e

import (
	"testing"

	"connectrpc.com/connect"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// What each call costs on Cloudflare: requests to objects, and rows that those wrote. Rows of
// an object's first write are two for its table, one for the lease and one for the alarm.
func TestCostOfEachCall(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, relays)
	c := worker.Client()
	ray := ""
	headers := func() []string { return []string{"Cf-Ray", ray} }
	var session string
	for _, call := range []struct {
		name                        string
		objectRequests, rowsWritten int
		make                        func(t *testing.T)
	}{
		{"first Health", 16, 0, func(t *testing.T) { health(t, c, headers()...) }},
		{"another Health", 0, 0, func(t *testing.T) { health(t, c, headers()...) }},
		{"unknown colony", 1, 0, func(t *testing.T) {
			_, err := lookupColony(t, c, "m", headers()...)
			wantError(t, err, connect.CodeNotFound)
		}},
		{"colony registers", 1, 4, func(t *testing.T) { registerColony(t, c, colony("m", "k"), headers()...) }},
		{"colony renews", 1, 1, func(t *testing.T) { registerColony(t, c, colony("m", "k"), headers()...) }},
		{"colony renews with another record", 1, 1, func(t *testing.T) {
			request := everything("m")
			request.Pubkey = "k"
			registerColony(t, c, request, headers()...)
		}},
		{"colony is refused", 1, 0, func(t *testing.T) {
			_, err := c.RegisterColony(deadline(t), send(colony("m", "other"), headers()...))
			wantError(t, err, connect.CodeAlreadyExists)
		}},
		{"colony is looked up", 1, 0, func(t *testing.T) {
			if _, err := lookupColony(t, c, "m", headers()...); err != nil {
				t.Fatal(err)
			}
		}},
		{"agent registers", 1, 4, func(t *testing.T) { registerAgent(t, c, agent("a", "m", "k"), headers()...) }},
		{"agent renews", 1, 1, func(t *testing.T) { registerAgent(t, c, agent("a", "m", "k"), headers()...) }},
		{"agent of another mesh", 1, 1, func(t *testing.T) { registerAgent(t, c, agent("a", "m2", "k"), headers()...) }},
		{"agent is looked up", 1, 0, func(t *testing.T) {
			if _, err := lookupAgent(t, c, "a", "m", headers()...); err != nil {
				t.Fatal(err)
			}
		}},
		{"relay is requested", 1, 4, func(t *testing.T) {
			granted, err := c.RequestRelay(deadline(t), send(requestRelay(), headers()...))
			if err != nil {
				t.Fatal(err)
			}
			session = granted.Msg.GetSessionId()
		}},
		{"relay is released", 1, 1, func(t *testing.T) {
			release := &discoveryv1.ReleaseRelayRequest{SessionId: session}
			if _, err := c.ReleaseRelay(deadline(t), send(release, headers()...)); err != nil {
				t.Fatal(err)
			}
		}},
		{"refused by validation", 0, 0, func(t *testing.T) {
			_, err := lookupColony(t, c, "", headers()...)
			wantError(t, err, connect.CodeInvalidArgument)
		}},
	} {
		t.Run(call.name, func(t *testing.T) {
			ray = t.Name()
			call.make(t)
			line := worker.Request(ray)
			if line.ObjectRequests != call.objectRequests || line.RowsWritten != call.rowsWritten {
				t.Errorf("%d object requests and %d rows written, want %d and %d", line.ObjectRequests,
					line.RowsWritten, call.objectRequests, call.rowsWritten)
			}
		})
	}
	// A birth is told to the census once, by the alarm.
	harness.Eventually(t, patience, "the sweep after the birth", func() bool {
		return len(worker.Sweeps("colony:m")) > 0
	})
	if sweeps := worker.Sweeps("colony:m"); len(sweeps) != 1 || sweeps[0].RowsWritten != 2 {
		t.Errorf("sweeps: %+v", sweeps)
	}
}
