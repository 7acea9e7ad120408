package e2e

import (
	"fmt"
	"slices"
	"testing"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// selfHosted unsets the number of shards, so that the default of a self-hosted Worker applies.
const selfHosted = "REGISTRY_SHARDS="

// workerd keeps a file for each object that was ever called.
func TestUnknownIdsDoNotFillTheDisk(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, selfHosted)
	c := worker.Client()
	for i := range 500 {
		id := fmt.Sprintf("unknown-%d", i)
		_, _ = lookupColony(t, c, id)
		_, _ = lookupAgent(t, c, id, "")
	}
	// One file for each of the 64 objects, and one of their namespace.
	if files := len(worker.Databases()); files > 64+1 {
		t.Errorf("%d files", files)
	}
	if keys, alarms := worker.Stored(); len(keys) != 0 || alarms != 0 {
		t.Errorf("stored %v and %d alarms", keys, alarms)
	}
}

// A colony whose lease belongs to another object after the change registers there with its next
// heartbeat, and is counted once.
func TestChangedShardCountRecoversWithTheNextHeartbeat(t *testing.T) {
	t.Parallel()
	const colonies = 20
	worker := harness.Start(t, "REGISTRY_SHARDS=4", "COLONY_COUNT_MAX_AGE_MS=0",
		"DEFAULT_TTL_SECONDS=5", "CLEANUP_INTERVAL_MS=100")
	id := func(i int) string { return fmt.Sprintf("mesh-%d", i) }
	registerAll := func() {
		for i := range colonies {
			registerColony(t, worker.Client(), colony(id(i), "k"))
		}
	}
	registerAll()
	worker.RestartWith("REGISTRY_SHARDS=7")
	registerAll()
	for i := range colonies {
		if _, err := lookupColony(t, worker.Client(), id(i)); err != nil {
			t.Error(err)
		}
	}
	areCounted := func() bool {
		registerAll()
		return colonyCountIs(t, worker, colonies)()
	}
	harness.Eventually(t, testTimeout, "all colonies are counted", areCounted)
	// The expiry of leases in the previous objects must not remove colonies from the count.
	harness.Eventually(t, testTimeout, "the leases in the previous objects expire", func() bool {
		registerAll()
		keys, _ := worker.Stored()
		isOther := func(key string) bool { return !isLeaseKey(key) }
		return len(slices.DeleteFunc(keys, isOther)) == colonies
	})
	harness.Eventually(t, testTimeout, "all colonies are still counted", areCounted)
}
