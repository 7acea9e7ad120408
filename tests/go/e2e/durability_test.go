package e2e

import (
	"fmt"
	"testing"

	"connectrpc.com/connect"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

func TestAcknowledgedRegistrationsSurviveAKill(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	const colonies = 20
	id := func(i int) string { return fmt.Sprintf("mesh-%d", i) }
	for i := range colonies {
		registerColony(t, worker.Client(), fullColony(id(i)))
		registerAgent(t, worker.Client(), agent(id(i), "mesh", "k"))
	}
	worker.Restart()
	for i := range colonies {
		want := fullColony(id(i))
		found, err := lookupColony(t, worker.Client(), id(i))
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, found.GetPublicEndpoint(), want.GetPublicEndpoint())
		if found.GetPubkey() != want.GetPubkey() {
			t.Errorf("found %v", found)
		}
		if _, err := lookupAgent(t, worker.Client(), id(i), ""); err != nil {
			t.Error(err)
		}
		_, err = worker.Client().RegisterColony(testContext(t), newRequest(colony(id(i), "another")))
		wantError(t, err, connect.CodeAlreadyExists)
	}
}

func TestSweepsSurviveAKill(t *testing.T) {
	t.Parallel()
	worker := startWithShortTTL(t, "CLEANUP_INTERVAL_MS=100")
	registerColony(t, worker.Client(), colony("m", "k"))
	registerAgent(t, worker.Client(), agent("a", "m", "k"))
	worker.Restart()
	harness.Eventually(t, testTimeout, "storage is empty", storageIsEmpty(worker))
}
