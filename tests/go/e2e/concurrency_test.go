package e2e

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"connectrpc.com/connect"

	"github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1/discoveryv1connect"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// race registers the same mesh id with many clients at the same time, each with a key and a
// connection of its own. It returns the keys whose registrations succeeded.
func race(t *testing.T, worker *harness.Worker, clients int) []string {
	t.Helper()
	errs := make([]error, clients)
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range clients {
		transport := &http.Transport{}
		t.Cleanup(transport.CloseIdleConnections)
		c := discoveryv1connect.NewDiscoveryServiceClient(
			&http.Client{Transport: harness.Record(transport)}, worker.URL)
		group.Go(func() {
			<-start
			request := newRequest(colony("contested", key(i)))
			_, errs[i] = c.RegisterColony(testContext(t), request)
		})
	}
	close(start)
	group.Wait()
	var winners []string
	for i, err := range errs {
		if err == nil {
			winners = append(winners, key(i))
		} else if connect.CodeOf(err) != connect.CodeAlreadyExists {
			t.Errorf("client %d: %v", i, err)
		}
	}
	return winners
}

func key(i int) string { return fmt.Sprintf("key-%d", i) }

func TestOneOfTwoHundredKeysWins(t *testing.T) {
	t.Parallel()
	// The race must end before the lease expires, also on a slow machine.
	worker := harness.Start(t, "DEFAULT_TTL_SECONDS=10")
	c := worker.Client()
	for _, round := range []string{"free lease", "expired lease"} {
		t.Run(round, func(t *testing.T) {
			winners := race(t, worker, 200)
			if len(winners) != 1 {
				t.Fatalf("winners: %v", winners)
			}
			found, err := lookupColony(t, c, "contested")
			if err != nil {
				t.Fatal(err)
			}
			if found.GetPubkey() != winners[0] {
				t.Errorf("%s won, but %s is stored", winners[0], found.GetPubkey())
			}
			wantError(t, waitForExpiry(t, c, "contested"), connect.CodeNotFound, "expired")
		})
	}
}
