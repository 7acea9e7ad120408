package e2e

import (
	"context"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// startWithShortTTL starts a Worker whose leases expire after a second and are swept a minute
// later.
func startWithShortTTL(t *testing.T, vars ...string) *harness.Worker {
	t.Helper()
	return harness.Start(t, append(vars, "DEFAULT_TTL_SECONDS=1")...)
}

// waitForExpiry waits until a lookup of a colony fails, and returns its error.
func waitForExpiry(t *testing.T, c client, meshID string) error {
	t.Helper()
	var err error
	harness.Eventually(t, testTimeout, "the lease expires", func() bool {
		_, err = lookupColony(t, c, meshID)
		return err != nil
	})
	return err
}

func TestExpiredLeaseIsNotFoundBeforeTheSweep(t *testing.T) {
	t.Parallel()
	worker := startWithShortTTL(t)
	c := worker.Client()
	registerColony(t, c, colony("m", "k"))
	err := waitForExpiry(t, c, "m")
	wantError(t, err, connect.CodeNotFound, "colony not found: m", "expired")
}

func TestExpiredAgentIsNotFoundWithOrWithoutItsMesh(t *testing.T) {
	t.Parallel()
	c := startWithShortTTL(t).Client()
	registerAgent(t, c, agent("a", "m", "k"))
	var err error
	harness.Eventually(t, testTimeout, "the lease expires", func() bool {
		_, err = lookupAgent(t, c, "a", "m")
		return err != nil
	})
	wantError(t, err, connect.CodeNotFound, "agent not found: a")
	_, err = lookupAgent(t, c, "a", "")
	wantError(t, err, connect.CodeNotFound, "agent not found: a")
}

func TestAnotherKeyTakesAnExpiredLeaseBeforeTheSweep(t *testing.T) {
	t.Parallel()
	worker := startWithShortTTL(t)
	c := worker.Client()
	registerColony(t, c, colony("m", "first"))
	_, err := c.RegisterColony(testContext(t), newRequest(colony("m", "second")))
	wantError(t, err, connect.CodeAlreadyExists)
	// The error says "expired" until a sweep removes the lease.
	wantError(t, waitForExpiry(t, c, "m"), connect.CodeNotFound, "expired")
	registerColony(t, c, colony("m", "second"))
	_, err = c.RegisterColony(testContext(t), newRequest(colony("m", "first")))
	wantError(t, err, connect.CodeAlreadyExists)
}

func TestColonyRegistersAgainAfterTheSweep(t *testing.T) {
	t.Parallel()
	worker := startWithShortTTL(t, "CLEANUP_INTERVAL_MS=100")
	c := worker.Client()
	registerColony(t, c, colony("m", "k"))
	var err error
	harness.Eventually(t, testTimeout, "a sweep removes the lease", func() bool {
		_, err = lookupColony(t, c, "m")
		return err != nil && !strings.Contains(err.Error(), "expired")
	})
	wantError(t, err, connect.CodeNotFound, "colony not found: m")
	registerColony(t, c, colony("m", "k"))
	if _, err := lookupColony(t, c, "m"); err != nil {
		t.Error(err)
	}
}

// Agents that start before their colony retry the lookup while the error contains "not found".
func TestBootstrapFindsAColonyThatRegistersLater(t *testing.T) {
	t.Parallel()
	c := startWithShortTTL(t).Client()
	// bootstrap retries a lookup until it succeeds. The colony registers after some attempts.
	bootstrap := func(pubkey string) *discoveryv1.LookupColonyResponse {
		t.Helper()
		const attemptsBefore = 3
		var found *discoveryv1.LookupColonyResponse
		attempts := 0
		harness.Eventually(t, testTimeout, "bootstrap", func() bool {
			var err error
			if found, err = lookupColony(t, c, "m"); err == nil {
				return true
			}
			if !strings.Contains(strings.ToLower(err.Error()), "not found") {
				t.Fatalf("an agent would not retry after: %v", err)
			}
			if attempts++; attempts == attemptsBefore {
				registerColony(t, c, colony("m", pubkey))
			}
			return false
		})
		return found
	}
	unknown := bootstrap("first")
	if unknown.GetPubkey() != "first" {
		t.Errorf("found %v", unknown)
	}
	wantError(t, waitForExpiry(t, c, "m"), connect.CodeNotFound, "expired")
	expired := bootstrap("second")
	if expired.GetPubkey() != "second" {
		t.Errorf("found %v", expired)
	}
}

// storageIsEmpty returns a condition: objects store nothing but the sixteen counts of the census,
// and no alarm is set.
func storageIsEmpty(worker *harness.Worker) func() bool {
	isCount := func(key string) bool { return strings.HasPrefix(key, "count:") }
	return func() bool {
		keys, alarms := worker.Stored()
		return alarms == 0 && len(slices.DeleteFunc(keys, isCount)) == 0
	}
}

func TestNothingIsStoredAfterTheSweep(t *testing.T) {
	t.Parallel()
	for _, shards := range []string{"REGISTRY_SHARDS=0", "REGISTRY_SHARDS=2"} {
		t.Run(shards, func(t *testing.T) {
			worker := startWithShortTTL(t, shards, "CLEANUP_INTERVAL_MS=100", relays)
			c := worker.Client()
			for _, id := range []string{"m1", "m2", "m3"} {
				registerColony(t, c, colony(id, "k"))
				registerAgent(t, c, agent(id, "mesh", "k"))
			}
			session, err := c.RequestRelay(testContext(t), newRequest(relayRequest()))
			if err != nil {
				t.Fatal(err)
			}
			release := &discoveryv1.ReleaseRelayRequest{SessionId: session.Msg.GetSessionId()}
			if _, err := c.ReleaseRelay(testContext(t), newRequest(release)); err != nil {
				t.Fatal(err)
			}
			if keys, alarms := worker.Stored(); len(keys) == 0 || alarms == 0 {
				t.Errorf("with live leases: %d alarms, keys %v", alarms, keys)
			}
			harness.Eventually(t, testTimeout, "storage is empty", storageIsEmpty(worker))
		})
	}
}

func TestLookupsStoreNothing(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	c := worker.Client()
	for _, id := range []string{"m1", "m2", "m3"} {
		_, err := lookupColony(t, c, id)
		wantError(t, err, connect.CodeNotFound)
		_, err = lookupAgent(t, c, id, "")
		wantError(t, err, connect.CodeNotFound)
	}
	if _, err := c.Health(context.Background(), newRequest(&discoveryv1.HealthRequest{})); err != nil {
		t.Fatal(err)
	}
	if keys, alarms := worker.Stored(); len(keys) != 0 || alarms != 0 {
		t.Errorf("%d alarms, keys %v", alarms, keys)
	}
}
