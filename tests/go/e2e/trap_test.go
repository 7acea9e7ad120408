package e2e

import (
	"strings"
	"testing"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// A trap may leave the module's memory in any state. The Worker starts a new instance, objects
// included, and their storage is intact.
func TestOnCloudflareTrapRestartsTheInstance(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t, "CACHE_HOT_LOOKUPS_PER_MINUTE=0")
	client := worker.Client()
	registerColony(t, client, colony("m", "k"))
	traps := []string{"handler", "after_object", "object", "handler"}
	for _, trap := range traps {
		registerColony(t, client, colony(trap, "k"))
		if _, err := lookupColony(t, client, trap, harness.TrapHeader, trap); err == nil {
			t.Fatalf("%s: the call succeeded: nothing trapped", trap)
		}
		for _, id := range []string{"m", trap} {
			if found, err := lookupColony(t, client, id); err != nil || found.GetPubkey() != "k" {
				t.Fatalf("%s after trap %s: %v, %v", id, trap, found, err)
			}
		}
		registerColony(t, client, colony("m", "k"))
	}
	harness.Eventually(t, testTimeout, "the log has a line for each trap", func() bool {
		const text = "the WebAssembly instance trapped; starting a new one"
		return strings.Count(worker.Log(), text) >= len(traps)
	})
}
