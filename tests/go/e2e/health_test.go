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
	request := newRequest(&discoveryv1.HealthRequest{}, headers...)
	response, err := c.Health(testContext(t), request)
	if err != nil {
		t.Fatal(err)
	}
	return response.Msg
}

// colonyCountIs returns a condition: Health reports this number of colonies.
func colonyCountIs(t *testing.T, worker *harness.Worker, want int32) func() bool {
	return func() bool { return health(t, worker.Client()).GetRegisteredColonies() == want }
}

func TestHealthReturnsVersionAndUptime(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "SERVICE_VERSION=1.2.3-test")
	forEachCodec(t, worker, func(t *testing.T, c client) {
		got := health(t, c)
		if got.GetStatus() != "ok" || got.GetVersion() != "1.2.3-test" ||
			got.GetUptimeSeconds() < 0 {
			t.Errorf("health: %v", got)
		}
	})
	harness.Eventually(t, testTimeout, "the uptime grows", func() bool {
		return health(t, worker.Client()).GetUptimeSeconds() > 0
	})
}

func TestHealthCountsLiveColonies(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t,
		"COLONY_COUNT_MAX_AGE_MS=0", "DEFAULT_TTL_SECONDS=8", "CLEANUP_INTERVAL_MS=100")
	c := worker.Client()
	wantCount := func(want int32) {
		t.Helper()
		description := fmt.Sprintf("Health counts %d colonies", want)
		harness.Eventually(t, testTimeout, description, colonyCountIs(t, worker, want))
	}
	wantCount(0)
	registerColony(t, c, colony("m1", "k"))
	registerColony(t, c, colony("m2", "k"))
	registerAgent(t, c, agent("a", "m1", "k"))
	wantCount(2)
	// A renewal is not counted again, and agents are not counted at all.
	registerColony(t, c, colony("m1", "k"))
	if count := health(t, c).GetRegisteredColonies(); count != 2 {
		t.Errorf("%d colonies after a renewal", count)
	}
	wantCount(0)
}

func TestHealthOverHTTP(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "SERVICE_VERSION=1.2.3-test")
	response, err := http.Get(worker.URL + "/health")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var got struct{ Status, Version string }
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK || got.Status != "ok" || got.Version != "1.2.3-test" {
		t.Errorf("%d %+v", response.StatusCode, got)
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
	allow := post.Header.Get("Allow")
	if post.StatusCode != http.StatusMethodNotAllowed || allow != "GET, HEAD" {
		t.Errorf("POST: %d %v", post.StatusCode, post.Header)
	}
}

// The colony count is exact after one sweep, whatever happened before.
func TestColonyCountIsExactAfterExpiriesAndAKill(t *testing.T) {
	t.Parallel()
	const registered, expired = 2_000, 500
	// Several times the time that a busy machine takes to register all colonies.
	ttl := 30 * time.Second
	worker := harness.Start(t, "COLONY_COUNT_MAX_AGE_MS=0", "DEFAULT_TTL_SECONDS=30",
		"CLEANUP_INTERVAL_MS=1000", "LOG_LEVEL=error")
	// renewFrom registers or renews all colonies from this number on.
	renewFrom := func(first int) {
		t.Helper()
		var group errgroup.Group
		group.SetLimit(16)
		for i := first; i < registered; i++ {
			group.Go(func() error {
				request := newRequest(colony(fmt.Sprintf("mesh-%d", i), "k"))
				_, err := worker.Client().RegisterColony(testContext(t), request)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	isCounted := colonyCountIs(t, worker, registered)
	var next, renewedAt time.Time
	harness.Eventually(t, 2*ttl+testTimeout, "all colonies are counted", func() bool {
		if time.Now().After(next) {
			renewFrom(0)
			renewedAt = time.Now()
			next = renewedAt.Add(ttl / 4)
		}
		return isCounted()
	})
	worker.Restart()
	harness.Eventually(t, testTimeout, "the count survives a kill", isCounted)
	// The first colonies do not renew again.
	isCountedWithoutExpired := colonyCountIs(t, worker, registered-expired)
	next = time.Now()
	harness.Eventually(t, 2*ttl+testTimeout, "only live colonies are counted", func() bool {
		if time.Now().After(next) {
			renewFrom(expired)
			next = time.Now().Add(ttl / 4)
		}
		return time.Since(renewedAt) > ttl && isCountedWithoutExpired()
	})
}

// The Worker may be killed before it has reported a registration to the census. The first alarm of
// the lease's object reports it again.
func TestRegistrationIsCountedThoughTheWorkerIsKilledBeforeItsReport(t *testing.T) {
	t.Parallel()
	const ttl = 4 * time.Second
	worker := harness.Start(t, "DEFAULT_TTL_SECONDS=4", "COLONY_COUNT_MAX_AGE_MS=60000",
		"CLEANUP_INTERVAL_MS=100")
	registerColony(t, worker.Client(), colony("m", "k"))
	worker.RestartWith("COLONY_COUNT_MAX_AGE_MS=0")
	if count := health(t, worker.Client()).GetRegisteredColonies(); count != 0 {
		t.Fatalf("%d colonies: the kill came after the report", count)
	}
	next := time.Now()
	harness.Eventually(t, ttl+testTimeout, "the colony is counted", func() bool {
		if time.Now().After(next) {
			registerColony(t, worker.Client(), colony("m", "k"))
			next = time.Now().Add(ttl / 4)
		}
		return colonyCountIs(t, worker, 1)()
	})
}

// A renewal sends no report to the census, and Health calls no object while its count is fresh.
func TestRenewalsAndHealthDoNotCallTheCensus(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "REGISTRY_SHARDS=0")
	c := worker.Client()
	registerColony(t, c, colony("m", "k"))
	health(t, c, "Cf-Ray", "first")
	harness.Eventually(t, testTimeout, "the total of the census is updated", func() bool {
		return slices.ContainsFunc(worker.Sweeps(), func(sweep harness.SweepEntry) bool {
			return strings.HasPrefix(sweep.Object, "census:")
		})
	})
	for i := range 10 {
		registerColony(t, c, colony("m", "k"))
		ray := fmt.Sprint("steady-", i)
		health(t, c, "Cf-Ray", ray)
		if entry := worker.RequestEntry(ray); entry.ObjectRequests != 0 || entry.KVReads != 0 {
			t.Errorf("Health: %+v", entry)
		}
	}
	if sweeps := worker.SweepsOf("colony:m"); len(sweeps) != 0 {
		t.Errorf("the renewals caused sweeps: %+v", sweeps)
	}
}
