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

// Every lookup is hot at once, and the isolate never answers by itself.
var onlyKV = []string{"CACHE_HOT_LOOKUPS_PER_MINUTE=1", "MEMORY_CACHE_TTL_MS=0"}

// answeredBy looks a colony up and says where the answer came from.
func answeredBy(t *testing.T, worker *harness.Worker, meshID string) (string, *discoveryv1.LookupColonyResponse) {
	t.Helper()
	ray := fmt.Sprintf("%s-%d", t.Name(), time.Now().UnixNano())
	found, err := lookupColony(t, worker.Client(), meshID, "Cf-Ray", ray, "Cf-Connecting-Ip", someone())
	if err != nil {
		t.Fatal(err)
	}
	return worker.RequestEntry(ray).LookupSource, found
}

// someone is an address that hardly called before, so that no limit is reached.
func someone() string {
	address := rand.Uint32()
	return fmt.Sprintf("9.%d.%d.%d", byte(address>>16), byte(address>>8), byte(address))
}

// untilCached looks a colony up until KV has it: it is written after the answer.
func untilCached(t *testing.T, worker *harness.Worker, meshID string) {
	t.Helper()
	harness.Eventually(t, patience, "KV answers", func() bool {
		by, _ := answeredBy(t, worker, meshID)
		return by == "kv"
	})
}

func TestOnCloudflareHotLookupsAreAnsweredByKV(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t, onlyKV...)
	want := everything("m")
	registerColony(t, worker.Client(), want)
	if by, _ := answeredBy(t, worker, "m"); by != "object" {
		t.Errorf("the first answer is from %s", by)
	}
	untilCached(t, worker, "m")
	_, found := answeredBy(t, worker, "m")
	wantEqual(t, found.GetPublicEndpoint(), want.GetPublicEndpoint())
	if found.GetLastSeen() == nil || found.GetPubkey() != want.GetPubkey() {
		t.Errorf("found %v", found)
	}
	// An agent too, but not when its mesh is left to the registry.
	registerAgent(t, worker.Client(), agent("a", "m", "k"))
	harness.Eventually(t, patience, "KV answers for the agent", func() bool {
		if _, err := lookupAgent(t, worker.Client(), "a", "m", "Cf-Ray", "agent"); err != nil {
			t.Fatal(err)
		}
		return worker.LastRequestEntry("agent").LookupSource == "kv"
	})
	for range 3 {
		if _, err := lookupAgent(t, worker.Client(), "a", "", "Cf-Ray", "any mesh"); err != nil {
			t.Fatal(err)
		}
	}
	if by := worker.LastRequestEntry("any mesh").LookupSource; by != "object" {
		t.Errorf("an agent of any mesh is answered by %s", by)
	}
}

func TestOnCloudflareColdLookupsAndRegistrationsTouchNoKV(t *testing.T) {
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
	if counts := worker.Counts(); counts.KV.Gets+counts.KV.Puts+counts.KV.Deletes != 0 {
		t.Errorf("%+v", counts)
	}
}

func TestOnCloudflareAnIsolateAnswersAHerdByItself(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t, "CACHE_HOT_LOOKUPS_PER_MINUTE=1", "MEMORY_CACHE_TTL_MS=30000")
	registerColony(t, worker.Client(), colony("m", "k"))
	answeredBy(t, worker, "m")
	before := worker.Counts()
	for range 50 {
		if by, _ := answeredBy(t, worker, "m"); by != "memory" {
			t.Errorf("answered by %s", by)
		}
	}
	if after := worker.Counts(); after != before {
		t.Errorf("from %+v to %+v", before, after)
	}
	// Whoever registers here is not told what was before.
	changed := colony("m", "k")
	changed.Endpoints = []string{"192.0.2.99:1"}
	registerColony(t, worker.Client(), changed)
	if by, found := answeredBy(t, worker, "m"); by != "memory" || found.GetEndpoints()[0] != "192.0.2.99:1" {
		t.Errorf("%s answers %v", by, found)
	}
}

func TestOnCloudflareARenewalThatChangesTheRecordRewritesTheCopy(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t, onlyKV...)
	registerColony(t, worker.Client(), colony("m", "k"))
	untilCached(t, worker, "m")
	before := worker.Counts().KV.Puts
	registerColony(t, worker.Client(), colony("m", "k"))
	if puts := worker.Counts().KV.Puts; puts != before {
		t.Errorf("a heartbeat wrote KV %d times", puts-before)
	}
	changed := colony("m", "k")
	changed.Endpoints = []string{"192.0.2.99:1"}
	registerColony(t, worker.Client(), changed)
	harness.Eventually(t, patience, "KV has the new record", func() bool {
		by, found := answeredBy(t, worker, "m")
		return by == "kv" && found.GetEndpoints()[0] == "192.0.2.99:1"
	})
	if puts := worker.Counts().KV.Puts; puts != before+1 {
		t.Errorf("the change wrote KV %d times", puts-before)
	}
}

// A copy is given up when its lease lapses, and the next owner is never taken for the last one.
func TestOnCloudflareNoCopyOutlivesItsLease(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t, append(onlyKV, "DEFAULT_TTL_SECONDS=4")...)
	registerColony(t, worker.Client(), colony("m", "first"))
	untilCached(t, worker, "m")
	lapsed := false
	harness.Eventually(t, patience, "another key gets the lease", func() bool {
		found, err := lookupColony(t, worker.Client(), "m", "Cf-Connecting-Ip", someone())
		if err != nil {
			wantError(t, err, connect.CodeNotFound)
			lapsed = true
		} else if lapsed {
			t.Fatalf("found %v after its lease had lapsed", found)
		}
		if !lapsed {
			return false
		}
		_, err = worker.Client().RegisterColony(deadline(t), send(colony("m", "second")))
		return err == nil
	})
	for range 20 {
		if found, err := lookupColony(t, worker.Client(), "m"); err != nil || found.GetPubkey() != "second" {
			t.Fatalf("found %v, %v", found, err)
		}
	}
}

// Whatever KV does, only speed is lost.
func TestOnCloudflareWithoutKVAllIsAnswered(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"throws", "absent", "lossy"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			worker := harness.StartMiniflare(t, append(onlyKV, "COLONY_COUNT_MAX_AGE_MS=0")...)
			registerColony(t, worker.Client(), colony("m", "k"))
			untilCached(t, worker, "m")
			// In the middle of it.
			worker.Faults(t, fmt.Sprintf(`{"kv":%q}`, fault))
			changed := colony("m", "k")
			changed.Endpoints = []string{"192.0.2.99:1"}
			registerColony(t, worker.Client(), changed)
			by, found := answeredBy(t, worker, "m")
			if fault != "lossy" && (by != "object" || found.GetEndpoints()[0] != "192.0.2.99:1") {
				t.Errorf("%s answers %v", by, found)
			}
			harness.Eventually(t, patience, "Health counts", func() bool {
				return health(t, worker.Client()).GetRegisteredColonies() == 1
			})
			// What was lost meanwhile is made up for by the next change, or by the next filling.
			worker.Faults(t, `{}`)
			changed.Endpoints = []string{"192.0.2.98:1"}
			registerColony(t, worker.Client(), changed)
			untilCached(t, worker, "m")
		})
	}
}

// What is published in KV is what Health tells, so that it asks no object.
func TestOnCloudflareHealthReadsThePublishedNumber(t *testing.T) {
	t.Parallel()
	worker := harness.StartMiniflare(t, "COLONY_COUNT_MAX_AGE_MS=0")
	registerColony(t, worker.Client(), colony("m1", "k"))
	registerColony(t, worker.Client(), colony("m2", "k"))
	harness.Eventually(t, patience, "both are counted without asking an object", func() bool {
		counted := health(t, worker.Client(), "Cf-Ray", "health").GetRegisteredColonies()
		line := worker.LastRequestEntry("health")
		return counted == 2 && line.KVReads == 1 && line.ObjectRequests == 0
	})
}
