package e2e

import (
	"os"
	"strings"
	"testing"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// startBroken runs a build that is broken on purpose: its lookups find leases that have lapsed, and it traps when it is asked to.
func startBroken(t *testing.T, vars ...string) *harness.Worker {
	t.Helper()
	folder := os.Getenv("BROKEN_WORKER")
	if folder == "" {
		t.Skip("BROKEN_WORKER is not set: cargo xtask test builds it")
	}
	return harness.StartFolder(t, folder, append([]string{"REGISTRY_SHARDS=0"}, vars...)...)
}

// After a trap the module's memory may be in any state: it is started anew, objects included, and what they
// stored is there.
func TestATrapStartsTheModuleAnew(t *testing.T) {
	t.Parallel()
	worker := startBroken(t, "CACHE_HOT_LOOKUPS_PER_MINUTE=0")
	client := worker.Client()
	registerColony(t, client, colony("m", "k"))
	// At once, after the object has answered, and inside the object.
	for _, place := range []string{"trap", "trap-later", "trap-inside", "trap"} {
		registerColony(t, client, colony(place, "k"))
		if _, err := lookupColony(t, client, place); err == nil {
			t.Fatalf("%s: it does not trap", place)
		}
		if answer, err := lookupColony(t, client, "m"); err != nil || answer.Pubkey != "k" {
			t.Fatalf("after %s: %v, %v", place, answer, err)
		}
		registerColony(t, client, colony("m", "k"))
	}
	harness.Eventually(t, patience, "the log tells", func() bool {
		return strings.Contains(worker.Log(), "trapped and is started anew")
	})
}
