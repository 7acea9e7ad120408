package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// What `cargo xtask serve` is without any variable set.
const ownMachine = "REGISTRY_SHARDS="

// workerd keeps a file for each object that was ever asked.
func TestMadeUpIdsDoNotFillTheDisk(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, ownMachine)
	c := worker.Client()
	for i := range 500 {
		_, _ = lookupColony(t, c, fmt.Sprintf("made-up-%d", i))
		_, _ = lookupAgent(t, c, fmt.Sprintf("made-up-%d", i), "")
	}
	if files := len(worker.Databases()); files > 64+1 {
		t.Errorf("%d files", files)
	}
	if keys, alarms := worker.Stored(); len(keys) != 0 || alarms != 0 {
		t.Errorf("stored %v and %d alarms", keys, alarms)
	}
}

// A colony that goes to another object comes back with its next heartbeat, and is counted once.
func TestChangingTheNumberOfObjectsLosesNothingForLongerThanAHeartbeat(t *testing.T) {
	t.Parallel()
	const colonies = 20
	worker := harness.Start(t, "REGISTRY_SHARDS=4", "COLONY_COUNT_MAX_AGE_MS=0", "DEFAULT_TTL_SECONDS=5", "CLEANUP_INTERVAL_MS=100")
	id := func(i int) string { return fmt.Sprintf("mesh-%d", i) }
	heartbeat := func() {
		for i := range colonies {
			registerColony(t, worker.Client(), colony(id(i), "k"))
		}
	}
	heartbeat()
	worker.RestartWith("REGISTRY_SHARDS=7")
	heartbeat()
	for i := range colonies {
		if _, err := lookupColony(t, worker.Client(), id(i)); err != nil {
			t.Error(err)
		}
	}
	counted := func(want int32) func() bool {
		return func() bool {
			heartbeat()
			return health(t, worker.Client()).GetRegisteredColonies() == want
		}
	}
	harness.Eventually(t, patience, "all are counted", counted(colonies))
	// Those that moved have been buried in their old objects when those sweep: none is missed.
	harness.Eventually(t, patience, "the old leases are gone", func() bool {
		heartbeat()
		keys, _ := worker.Stored()
		leases := slices.DeleteFunc(keys, func(key string) bool { return !strings.HasPrefix(key, "lease:") })
		return len(leases) == colonies
	})
	harness.Eventually(t, patience, "all are still counted", counted(colonies))
}
