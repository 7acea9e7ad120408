package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

func health(t *testing.T, c client, headers ...string) *discoveryv1.HealthResponse {
	t.Helper()
	answer, err := c.Health(deadline(t), send(&discoveryv1.HealthRequest{}, headers...))
	if err != nil {
		t.Fatal(err)
	}
	return answer.Msg
}

func TestHealthTellsVersionAndUptime(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "SERVICE_VERSION=1.2.3-test")
	forEachCodec(t, worker, func(t *testing.T, c client) {
		got := health(t, c)
		if got.GetStatus() != "ok" || got.GetVersion() != "1.2.3-test" || got.GetUptimeSeconds() < 0 {
			t.Errorf("health: %v", got)
		}
	})
	harness.Eventually(t, patience, "uptime grows", func() bool {
		return health(t, worker.Client()).GetUptimeSeconds() > 0
	})
}

func TestHealthCountsLiveColonies(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "COLONY_COUNT_MAX_AGE_MS=0", "DEFAULT_TTL_SECONDS=8", "CLEANUP_INTERVAL_MS=100")
	c := worker.Client()
	colonies := func(want int32) {
		t.Helper()
		harness.Eventually(t, patience, "the count of colonies is right", func() bool {
			return health(t, c).GetRegisteredColonies() == want
		})
	}
	colonies(0)
	registerColony(t, c, colony("m1", "k"))
	registerColony(t, c, colony("m2", "k"))
	registerAgent(t, c, agent("a", "m1", "k"))
	colonies(2)
	// A renewal is no birth; agents are not counted.
	registerColony(t, c, colony("m1", "k"))
	if counted := health(t, c).GetRegisteredColonies(); counted != 2 {
		t.Errorf("%d colonies after a renewal", counted)
	}
	colonies(0)
}

func TestHealthOverHTTP(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "SERVICE_VERSION=1.2.3-test")
	answer, err := http.Get(worker.URL + "/health")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var got struct{ Status, Version string }
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK || got.Status != "ok" || got.Version != "1.2.3-test" {
		t.Errorf("%d %+v", answer.StatusCode, got)
	}
	head, err := http.Head(worker.URL + "/health")
	if err != nil {
		t.Fatal(err)
	}
	defer head.Body.Close()
	if body, _ := io.ReadAll(head.Body); head.StatusCode != http.StatusOK || len(body) != 0 {
		t.Errorf("HEAD: %d %q", head.StatusCode, body)
	}
	post, err := http.Post(worker.URL+"/health", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer post.Body.Close()
	if post.StatusCode != http.StatusMethodNotAllowed || post.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d %v", post.StatusCode, post.Header)
	}
}

// The count that Health tells is exact within one sweep, whatever happens meanwhile.
func TestCensusIsExactAfterBirthsDeathsAndAKill(t *testing.T) {
	t.Parallel()
	const births, deaths = 2_000, 500
	// Several times what a busy machine takes to register all of them.
	ttl := 30 * time.Second
	worker := harness.Start(t, "COLONY_COUNT_MAX_AGE_MS=0", "DEFAULT_TTL_SECONDS=30", "CLEANUP_INTERVAL_MS=1000", "LOG_LEVEL=error")
	heartbeat := func(from int) {
		t.Helper()
		var all errgroup.Group
		all.SetLimit(16)
		for i := from; i < births; i++ {
			all.Go(func() error {
				request := send(colony(fmt.Sprintf("mesh-%d", i), "k"))
				_, err := worker.Client().RegisterColony(deadline(t), request)
				return err
			})
		}
		if err := all.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	colonies := func() int32 { return health(t, worker.Client()).GetRegisteredColonies() }
	var next, renewed time.Time
	harness.Eventually(t, 2*ttl+patience, "all are counted", func() bool {
		if time.Now().After(next) {
			heartbeat(0)
			renewed = time.Now()
			next = renewed.Add(ttl / 4)
		}
		return colonies() == births
	})
	worker.Restart()
	harness.Eventually(t, patience, "the count is still there", func() bool { return colonies() == births })
	// The first of them never call again.
	next = time.Now()
	harness.Eventually(t, 2*ttl+patience, "the dead are no longer counted, the living are", func() bool {
		if time.Now().After(next) {
			heartbeat(deaths)
			next = time.Now().Add(ttl / 4)
		}
		return time.Since(renewed) > ttl && colonies() == births-deaths
	})
}

// The Worker may be killed before it has told the census of a birth: the object's first alarm does it then.
func TestABirthIsCountedThoughTheWorkerIsKilledBeforeItIsTold(t *testing.T) {
	t.Parallel()
	const ttl = 4 * time.Second
	worker := harness.Start(t, "DEFAULT_TTL_SECONDS=4", "COLONY_COUNT_MAX_AGE_MS=60000", "CLEANUP_INTERVAL_MS=100")
	registerColony(t, worker.Client(), colony("m", "k"))
	worker.RestartWith("COLONY_COUNT_MAX_AGE_MS=0")
	if counted := health(t, worker.Client()).GetRegisteredColonies(); counted != 0 {
		t.Fatalf("%d colonies: the kill came too late to show anything", counted)
	}
	next := time.Now()
	harness.Eventually(t, ttl+patience, "the birth is counted", func() bool {
		if time.Now().After(next) {
			registerColony(t, worker.Client(), colony("m", "k"))
			next = time.Now().Add(ttl / 4)
		}
		return health(t, worker.Client()).GetRegisteredColonies() == 1
	})
}

// A renewal tells the census nothing, and Health asks no object while it remembers.
func TestHeartbeatsAndHealthCostTheCensusNothing(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "REGISTRY_SHARDS=0")
	c := worker.Client()
	registerColony(t, c, colony("m", "k"))
	health(t, c, "Cf-Ray", "first")
	harness.Eventually(t, patience, "the birth has gone on to the sum", func() bool {
		return slices.ContainsFunc(worker.Sweeps(), func(sweep harness.SweepEntry) bool {
			return strings.HasPrefix(sweep.Object, "census:")
		})
	})
	for i := range 10 {
		registerColony(t, c, colony("m", "k"))
		ray := fmt.Sprint("steady-", i)
		health(t, c, "Cf-Ray", ray)
		if line := worker.RequestEntry(ray); line.ObjectRequests != 0 || line.KVReads != 0 {
			t.Errorf("Health: %+v", line)
		}
	}
	if sweeps := worker.SweepsOf("colony:m"); len(sweeps) != 0 {
		t.Errorf("the heartbeats woke the object: %+v", sweeps)
	}
}
