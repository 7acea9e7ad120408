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

// shortLived starts a Worker whose leases live for a second and are swept a minute later.
func shortLived(t *testing.T, vars ...string) *harness.Worker {
	t.Helper()
	return harness.Start(t, append(vars, "DEFAULT_TTL_SECONDS=1")...)
}

// untilLapsed waits until a colony is found no more, and returns with what error.
func untilLapsed(t *testing.T, c client, meshID string) error {
	t.Helper()
	var err error
	harness.Eventually(t, patience, "the lease lapses", func() bool {
		_, err = lookupColony(t, c, meshID)
		return err != nil
	})
	return err
}

func TestLapsedLeaseIsNotFoundBeforeAnySweep(t *testing.T) {
	t.Parallel()
	worker := shortLived(t)
	c := worker.Client()
	registerColony(t, c, colony("m", "k"))
	err := untilLapsed(t, c, "m")
	wantError(t, err, connect.CodeNotFound, "colony not found: m", "expired")
}

func TestLapsedAgentIsNotFoundWithOrWithoutItsMesh(t *testing.T) {
	t.Parallel()
	c := shortLived(t).Client()
	registerAgent(t, c, agent("a", "m", "k"))
	var err error
	harness.Eventually(t, patience, "the lease lapses", func() bool {
		_, err = lookupAgent(t, c, "a", "m")
		return err != nil
	})
	wantError(t, err, connect.CodeNotFound, "agent not found: a")
	_, err = lookupAgent(t, c, "a", "")
	wantError(t, err, connect.CodeNotFound, "agent not found: a")
}

func TestAnotherKeyTakesALapsedLeaseBeforeAnySweep(t *testing.T) {
	t.Parallel()
	worker := shortLived(t)
	c := worker.Client()
	registerColony(t, c, colony("m", "first"))
	_, err := c.RegisterColony(deadline(t), send(colony("m", "second")))
	wantError(t, err, connect.CodeAlreadyExists)
	// It says "expired" as long as it is stored: no sweep has removed it.
	wantError(t, untilLapsed(t, c, "m"), connect.CodeNotFound, "expired")
	registerColony(t, c, colony("m", "second"))
	_, err = c.RegisterColony(deadline(t), send(colony("m", "first")))
	wantError(t, err, connect.CodeAlreadyExists)
}

func TestColonyComesBackAfterItsLeaseLapsed(t *testing.T) {
	t.Parallel()
	worker := shortLived(t, "CLEANUP_INTERVAL_MS=100")
	c := worker.Client()
	registerColony(t, c, colony("m", "k"))
	var err error
	harness.Eventually(t, patience, "the lease is swept away", func() bool {
		_, err = lookupColony(t, c, "m")
		return err != nil && !strings.Contains(err.Error(), "expired")
	})
	wantError(t, err, connect.CodeNotFound, "colony not found: m")
	registerColony(t, c, colony("m", "k"))
	if _, err := lookupColony(t, c, "m"); err != nil {
		t.Error(err)
	}
}

// Agents that start before their colony, or while it is away, look it up again and again, but
// only while the text of the error contains "not found".
func TestBootstrapFindsAColonyThatComesLate(t *testing.T) {
	t.Parallel()
	c := shortLived(t).Client()
	bootstrap := func(afterTries int, arrive func()) *discoveryv1.LookupColonyResponse {
		t.Helper()
		var found *discoveryv1.LookupColonyResponse
		tries := 0
		harness.Eventually(t, patience, "bootstrap", func() bool {
			var err error
			if found, err = lookupColony(t, c, "m"); err == nil {
				return true
			}
			if !strings.Contains(strings.ToLower(err.Error()), "not found") {
				t.Fatalf("an agent would give up: %v", err)
			}
			if tries++; tries == afterTries {
				arrive()
			}
			return false
		})
		return found
	}
	unknown := bootstrap(3, func() { registerColony(t, c, colony("m", "first")) })
	if unknown.GetPubkey() != "first" {
		t.Errorf("found %v", unknown)
	}
	wantError(t, untilLapsed(t, c, "m"), connect.CodeNotFound, "expired")
	expired := bootstrap(3, func() { registerColony(t, c, colony("m", "second")) })
	if expired.GetPubkey() != "second" {
		t.Errorf("found %v", expired)
	}
}

// nothingIsStored but the sixteen counts of the census, which say how old they are.
func nothingIsStored(worker *harness.Worker) func() bool {
	return func() bool {
		keys, alarms := worker.Stored()
		return alarms == 0 && !slices.ContainsFunc(keys, func(key string) bool { return !strings.HasPrefix(key, "count:") })
	}
}

func TestNothingIsStoredAfterTheSweep(t *testing.T) {
	t.Parallel()
	for _, shards := range []string{"REGISTRY_SHARDS=0", "REGISTRY_SHARDS=2"} {
		t.Run(shards, func(t *testing.T) {
			worker := shortLived(t, shards, "CLEANUP_INTERVAL_MS=100", relays)
			c := worker.Client()
			for _, id := range []string{"m1", "m2", "m3"} {
				registerColony(t, c, colony(id, "k"))
				registerAgent(t, c, agent(id, "mesh", "k"))
			}
			session, err := c.RequestRelay(deadline(t), send(requestRelay()))
			if err != nil {
				t.Fatal(err)
			}
			release := &discoveryv1.ReleaseRelayRequest{SessionId: session.Msg.GetSessionId()}
			if _, err := c.ReleaseRelay(deadline(t), send(release)); err != nil {
				t.Fatal(err)
			}
			if keys, alarms := worker.Stored(); len(keys) == 0 || alarms == 0 {
				t.Errorf("while leases live: %d alarms, keys %v", alarms, keys)
			}
			harness.Eventually(t, patience, "all that was stored is gone", nothingIsStored(worker))
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
	if _, err := c.Health(context.Background(), send(&discoveryv1.HealthRequest{})); err != nil {
		t.Fatal(err)
	}
	if keys, alarms := worker.Stored(); len(keys) != 0 || alarms != 0 {
		t.Errorf("%d alarms, keys %v", alarms, keys)
	}
}
