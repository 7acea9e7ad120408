package e2e

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"connectrpc.com/connect"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// onlyKV are variables with which every key is hot from its first lookup, and the memory cache is
// off.
var onlyKV = []string{"CACHE_HOT_LOOKUPS_PER_MINUTE=1", "MEMORY_CACHE_TTL_MS=0"}

// lookupSource looks a colony up, and also returns the source of the response.
func lookupSource(
	t *testing.T, worker *harness.Worker, meshID string,
) (string, *discoveryv1.LookupColonyResponse) {
	t.Helper()
	ray := fmt.Sprintf("%s-%d", t.Name(), time.Now().UnixNano())
	headers := []string{"Cf-Ray", ray, "Cf-Connecting-Ip", randomAddress()}
	found, err := lookupColony(t, worker.Client(), meshID, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return worker.RequestEntry(ray).LookupSource, found
}

// randomAddress returns an address that has hardly called before, so that it reaches no rate limit.
func randomAddress() string {
	address := rand.Uint32()
	return fmt.Sprintf("9.%d.%d.%d", byte(address>>16), byte(address>>8), byte(address))
}

// waitForKV looks a colony up until KV has it: a background task writes the copy.
func waitForKV(t *testing.T, worker *harness.Worker, meshID string) {
	t.Helper()
	harness.Eventually(t, testTimeout, "a lookup is served from KV", func() bool {
		source, _ := lookupSource(t, worker, meshID)
		return source == "kv"
	})
}

// changedColony returns a registration with another endpoint.
func changedColony(meshID, pubkey, endpoint string) *discoveryv1.RegisterColonyRequest {
	changed := colony(meshID, pubkey)
	changed.Endpoints = []string{endpoint}
	return changed
}

func TestOnCloudflareHotLookupsAreServedFromKV(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t, onlyKV...)
	want := fullColony("m")
	registerColony(t, worker.Client(), want)
	if source, _ := lookupSource(t, worker, "m"); source != "object" {
		t.Errorf("source of the first lookup: %s", source)
	}
	waitForKV(t, worker, "m")
	_, found := lookupSource(t, worker, "m")
	wantEqual(t, found.GetPublicEndpoint(), want.GetPublicEndpoint())
	if found.GetLastSeen() == nil || found.GetPubkey() != want.GetPubkey() {
		t.Errorf("found %v", found)
	}
	// Lookups of agents are cached too, but not without a mesh id.
	registerAgent(t, worker.Client(), agent("a", "m", "k"))
	harness.Eventually(t, testTimeout, "a lookup of the agent is served from KV", func() bool {
		if _, err := lookupAgent(t, worker.Client(), "a", "m", "Cf-Ray", "agent"); err != nil {
			t.Fatal(err)
		}
		return worker.LastRequestEntry("agent").LookupSource == "kv"
	})
	for range 3 {
		if _, err := lookupAgent(t, worker.Client(), "a", "", "Cf-Ray", "no mesh"); err != nil {
			t.Fatal(err)
		}
	}
	if source := worker.LastRequestEntry("no mesh").LookupSource; source != "object" {
		t.Errorf("source without a mesh id: %s", source)
	}
}

func TestOnCloudflareColdLookupsAndRegistrationsDoNotUseKV(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t, "CACHE_HOT_LOOKUPS_PER_MINUTE=100", "LOG_LEVEL=info")
	for i := range 10 {
		id := fmt.Sprint("m", i)
		registerColony(t, worker.Client(), colony(id, "k"))
		registerColony(t, worker.Client(), colony(id, "k"))
		if _, err := lookupColony(t, worker.Client(), id); err != nil {
			t.Fatal(err)
		}
		_, _ = lookupColony(t, worker.Client(), "unknown")
	}
	if counts := worker.BindingCounts(); counts.KV.Gets+counts.KV.Puts+counts.KV.Deletes != 0 {
		t.Errorf("%+v", counts)
	}
}

func TestOnCloudflareHotLookupsAreServedFromMemory(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t,
		"CACHE_HOT_LOOKUPS_PER_MINUTE=1", "MEMORY_CACHE_TTL_MS=30000")
	registerColony(t, worker.Client(), colony("m", "k"))
	lookupSource(t, worker, "m")
	before := worker.BindingCounts()
	for range 50 {
		if source, _ := lookupSource(t, worker, "m"); source != "memory" {
			t.Errorf("source: %s", source)
		}
	}
	if after := worker.BindingCounts(); after != before {
		t.Errorf("uses of bindings: %+v, before %+v", after, before)
	}
	// A registration updates the memory cache of its own isolate.
	registerColony(t, worker.Client(), changedColony("m", "k", "192.0.2.99:1"))
	source, found := lookupSource(t, worker, "m")
	if source != "memory" || found.GetEndpoints()[0] != "192.0.2.99:1" {
		t.Errorf("found %v, from %s", found, source)
	}
}

func TestOnCloudflareChangedRecordIsWrittenToKV(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t, onlyKV...)
	registerColony(t, worker.Client(), colony("m", "k"))
	waitForKV(t, worker, "m")
	before := worker.BindingCounts().KV.Puts
	registerColony(t, worker.Client(), colony("m", "k"))
	if puts := worker.BindingCounts().KV.Puts; puts != before {
		t.Errorf("an unchanged renewal wrote %d times to KV", puts-before)
	}
	registerColony(t, worker.Client(), changedColony("m", "k", "192.0.2.99:1"))
	harness.Eventually(t, testTimeout, "KV has the new record", func() bool {
		source, found := lookupSource(t, worker, "m")
		return source == "kv" && found.GetEndpoints()[0] == "192.0.2.99:1"
	})
	if puts := worker.BindingCounts().KV.Puts; puts != before+1 {
		t.Errorf("the change wrote %d times to KV", puts-before)
	}
}

// A cached copy expires with its lease, and no lookup returns it after another key took the lease.
func TestOnCloudflareCachedCopyExpiresWithItsLease(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t, append(onlyKV, "DEFAULT_TTL_SECONDS=4")...)
	registerColony(t, worker.Client(), colony("m", "first"))
	waitForKV(t, worker, "m")
	expired := false
	harness.Eventually(t, testTimeout, "another key takes the lease", func() bool {
		found, err := lookupColony(t, worker.Client(), "m", "Cf-Connecting-Ip", randomAddress())
		if err != nil {
			wantError(t, err, connect.CodeNotFound)
			expired = true
		} else if expired {
			t.Fatalf("found %v after its lease has expired", found)
		}
		if !expired {
			return false
		}
		request := newRequest(colony("m", "second"))
		_, err = worker.Client().RegisterColony(testContext(t), request)
		return err == nil
	})
	for range 20 {
		found, err := lookupColony(t, worker.Client(), "m")
		if err != nil || found.GetPubkey() != "second" {
			t.Fatalf("found %v, %v", found, err)
		}
	}
}

func TestOnCloudflareFailingKVFailsNoCall(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"throws", "absent", "lossy"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			worker := harness.StartMiniflare(t, append(onlyKV, "COLONY_COUNT_MAX_AGE_MS=0")...)
			registerColony(t, worker.Client(), colony("m", "k"))
			waitForKV(t, worker, "m")
			worker.InjectFaults(fmt.Sprintf(`{"kv":%q}`, fault))
			registerColony(t, worker.Client(), changedColony("m", "k", "192.0.2.99:1"))
			source, found := lookupSource(t, worker, "m")
			isChanged := source == "object" && found.GetEndpoints()[0] == "192.0.2.99:1"
			// A write that KV drops leaves the previous copy.
			if fault != "lossy" && !isChanged {
				t.Errorf("found %v, from %s", found, source)
			}
			harness.Eventually(t, testTimeout, "Health counts the colony", func() bool {
				return health(t, worker.Client()).GetRegisteredColonies() == 1
			})
			// The next change, or the next lookup from the object, writes the copy again.
			worker.InjectFaults(`{}`)
			registerColony(t, worker.Client(), changedColony("m", "k", "192.0.2.98:1"))
			waitForKV(t, worker, "m")
		})
	}
}

// The census publishes the colony count in KV, so that Health calls no object.
func TestOnCloudflareHealthReadsTheColonyCountFromKV(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t, "COLONY_COUNT_MAX_AGE_MS=0")
	registerColony(t, worker.Client(), colony("m1", "k"))
	registerColony(t, worker.Client(), colony("m2", "k"))
	harness.Eventually(t, testTimeout, "Health reads the count of both from KV", func() bool {
		count := health(t, worker.Client(), "Cf-Ray", "health").GetRegisteredColonies()
		entry := worker.LastRequestEntry("health")
		return count == 2 && entry.KVReads == 1 && entry.ObjectRequests == 0
	})
}
