package e2e

import (
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

func TestMigrationASplitBrainThereIsToldWhereItIsAwaited(t *testing.T) {
	t.Parallel()
	old, worker := migrating(t, "LEGACY_SYNC_WRITES=true")
	registerColony(t, old.Client(), colony("m", "theirs"))
	for name, headers := range map[string][]string{
		"plain": nil,
		// What anybody can send to have it otherwise.
		"as if passed on": {"Coral-Discovery-Forwarded", "1"},
	} {
		_, err := worker.Client().RegisterColony(deadline(t), send(colony("m", "other"), append(headers, "Cf-Ray", name)...))
		wantError(t, err, connect.CodeAlreadyExists, "already registered with different pubkey")
		if line := worker.RequestEntry(name); line.LegacyOutcome != "split_brain" || line.Level != "warn" || line.RowsWritten != 0 {
			t.Errorf("%+v", line)
		}
	}
	// Nobody gets it by being in a hurry.
	old.Delay(5_000)
	hurried := `{"meshId":"m","pubkey":"other","endpoints":["192.0.2.1:1"]}`
	for _, ms := range []string{"50", "150", "400"} {
		if got := post(t, worker, "RegisterColony", hurried, "Connect-Timeout-Ms", ms); got.status == http.StatusOK {
			t.Errorf("in %s ms: %s", ms, got.body)
		}
	}
	old.Delay(0)
	found, err := lookupColony(t, worker.Client(), "m")
	if err != nil || found.Pubkey != "theirs" {
		t.Errorf("%v %v", found, err)
	}
	// The owner can move.
	registerColony(t, worker.Client(), colony("m", "theirs"))
}

func TestMigrationAgentsOfOneIdInTwoMeshesRegisterHere(t *testing.T) {
	t.Parallel()
	old, worker := migrating(t, "LEGACY_SYNC_WRITES=true", "AGENT_TAKEOVER=true")
	registerAgent(t, old.Client(), agent("a", "m1", "k1"))
	registerAgent(t, worker.Client(), agent("a", "m2", "k2"), "Cf-Ray", "second")
	if line := worker.RequestEntry("second"); line.LegacyOutcome != "split_brain" || line.Level != "warn" {
		t.Errorf("%+v", line)
	}
	found, err := lookupAgent(t, worker.Client(), "a", "m2")
	if err != nil || found.Pubkey != "k2" {
		t.Errorf("%v %v", found, err)
	}
	// And a takeover, which the old server refuses, is one here.
	registerAgent(t, worker.Client(), agent("a", "m2", "k3"))
	found, err = lookupAgent(t, worker.Client(), "a", "m2")
	if err != nil || found.Pubkey != "k3" {
		t.Errorf("%v %v", found, err)
	}
}

func TestMigrationASplitBrainThereEndsNoLeaseThatLivesHere(t *testing.T) {
	t.Parallel()
	old, worker := migrating(t, "LEGACY_SYNC_WRITES=true")
	registerColony(t, worker.Client(), colony("m", "ours"))
	old.Kill()
	old.Start()
	registerColony(t, old.Client(), colony("m", "squatter"))
	registerColony(t, worker.Client(), colony("m", "ours"), "Cf-Ray", "held here")
	if line := worker.RequestEntry("held here"); line.LegacyOutcome != "split_brain" || line.Level != "warn" {
		t.Errorf("%+v", line)
	}
	found, err := lookupColony(t, worker.Client(), "m")
	if err != nil || found.Pubkey != "ours" {
		t.Errorf("%v %v", found, err)
	}
}

func TestMigrationASplitBrainThereIsLoggedWhereItIsNotAwaited(t *testing.T) {
	t.Parallel()
	old, worker := migrating(t)
	registerColony(t, old.Client(), colony("m", "secret-of-theirs"))
	registerColony(t, worker.Client(), colony("m", "secret-of-others"))
	harness.Eventually(t, patience, "a line about it", func() bool {
		for _, forward := range worker.LegacyWrites() {
			if forward.Method == "RegisterColony" && forward.LegacyOutcome == "split_brain" && forward.Level == "warn" {
				return true
			}
		}
		return false
	})
	if strings.Contains(worker.Log(), "secret-of") {
		t.Error("keys are in the log")
	}
	// Each server tells what it knows.
	here, err := lookupColony(t, worker.Client(), "m")
	if err != nil || here.Pubkey != "secret-of-others" {
		t.Errorf("%v %v", here, err)
	}
	there, err := lookupColony(t, old.Client(), "m")
	if err != nil || there.Pubkey != "secret-of-theirs" {
		t.Errorf("%v %v", there, err)
	}
}

func TestMigrationASplitBrainHereDoesNotReachTheOldServer(t *testing.T) {
	t.Parallel()
	old, worker := migrating(t, "LEGACY_SYNC_WRITES=true")
	registerColony(t, worker.Client(), colony("m", "k"))
	old.Kill()
	old.Start()
	_, err := worker.Client().RegisterColony(deadline(t), send(colony("m", "other")))
	wantError(t, err, connect.CodeAlreadyExists, "already registered with different pubkey")
	_, err = lookupColony(t, old.Client(), "m")
	wantError(t, err, connect.CodeNotFound)
}

func TestMigrationServersThatKnowEachOtherAskNoFurther(t *testing.T) {
	t.Parallel()
	one := harness.Start(t)
	other := harness.Start(t, "LEGACY_DISCOVERY_URL="+one.URL, "LEGACY_SYNC_WRITES=true")
	one.RestartWith("LEGACY_DISCOVERY_URL="+other.URL, "LEGACY_SYNC_WRITES=true")
	_, err := lookupColony(t, one.Client(), "unknown")
	wantError(t, err, connect.CodeNotFound)
	registerColony(t, one.Client(), colony("m", "k"))
	if found, err := lookupColony(t, other.Client(), "m", "Cf-Ray", "last"); err != nil || found.Pubkey != "k" {
		t.Errorf("%v %v", found, err)
	}
	other.RequestEntry("last")
	for name, worker := range map[string]*harness.Worker{"one": one, "other": other} {
		for _, method := range []string{"LookupColony", "RegisterColony"} {
			calls := worker.RequestCount(method)
			if want := map[string]int{
				// Its own, and the other's before that grants.
				"oneLookupColony": 2, "oneRegisterColony": 1,
				// On behalf of the first, before that grants, and its own.
				"otherLookupColony": 3, "otherRegisterColony": 1,
			}[name+method]; calls != want {
				t.Errorf("%s has had %d calls of %s, want %d", name, calls, method, want)
			}
		}
	}
}

func TestMigrationAServerThatKnowsItselfAsksOnce(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	worker.RestartWith("LEGACY_DISCOVERY_URL=" + worker.URL)
	_, err := lookupColony(t, worker.Client(), "unknown", "Cf-Ray", "self")
	wantError(t, err, connect.CodeNotFound)
	worker.RequestEntry("self")
	if calls := worker.RequestCount("LookupColony"); calls != 2 {
		t.Errorf("%d calls", calls)
	}
}
