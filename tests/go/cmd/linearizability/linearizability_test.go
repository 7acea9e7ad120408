package main

import (
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

func TestLeasesSurviveKills(t *testing.T) {
	for _, run := range runs(5) {
		t.Run(run.name, func(t *testing.T) {
			t.Parallel()
			outcomes, err := run.check(t, "")
			if err != nil {
				t.Error(err)
			}
			for outcome, calls := range outcomes[:unknown] {
				if calls < 50 {
					t.Errorf("only %d calls have outcome %d: %v", calls, outcome, outcomes)
				}
			}
		})
	}
}

// Both checks must find the violations of a Worker whose lookups find expired leases: a check that
// accepts every history would pass TestLeasesSurviveKills too.
func TestExpiredLookupsAreDetected(t *testing.T) {
	run := runs(2)[0]
	run.settings.killInterval *= 3
	// No rate limit: a history has more calls per minute than one client may make.
	faults := harness.WithFaults(`{"expired_lookups":true,"limiter":"absent"}`)
	worker := harness.StartMiniflare(t, append(run.vars, faults, "LOG_LEVEL=error")...)
	history, err := record(t, worker, run.settings, func(int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	if err := run.judge(history, ""); err == nil {
		t.Errorf("the lease model accepts all %d calls", len(history))
	}
	run.isCached = true
	if err := run.judge(history, ""); err == nil {
		t.Errorf("the staleness check accepts all %d calls", len(history))
	}
}

func TestLeaseModel(t *testing.T) {
	const ttlMs = 2_000
	operation := func(in input, out output) porcupine.Operation {
		return porcupine.Operation{Input: in, Output: out, Call: in.callMs, Return: out.returnMs}
	}
	registration := func(key string, callMs, atMs, returnMs int64) porcupine.Operation {
		return operation(input{register, "m", key, callMs}, output{granted, "", atMs, returnMs})
	}
	lookupAt := func(callMs int64, out output) porcupine.Operation {
		return operation(input{lookup, "m", "", callMs}, out)
	}
	first := registration("a", 10_000, 10_010, 10_020)
	lost := operation(input{register, "m", "a", 10_000}, output{unknown, "", 0, 10_500})
	for name, test := range map[string]struct {
		history  []porcupine.Operation
		accepted bool
	}{
		"live lease is found": {[]porcupine.Operation{
			first, lookupAt(11_000, output{found, "a", 10_010, 11_010})}, true},
		"live lease is not found": {[]porcupine.Operation{
			first, lookupAt(11_000, output{absent, "", 0, 11_010})}, false},
		"expired lease is not found": {[]porcupine.Operation{
			first, lookupAt(12_100, output{absent, "", 0, 12_110})}, true},
		"expired lease is found": {[]porcupine.Operation{
			first, lookupAt(12_100, output{found, "a", 10_010, 12_110})}, false},
		"another key takes a live lease": {[]porcupine.Operation{
			first, registration("b", 11_000, 11_001, 11_010)}, false},
		"another key takes an expired lease": {[]porcupine.Operation{
			first, registration("b", 12_000, 12_050, 12_060)}, true},
		"owner is rejected": {[]porcupine.Operation{
			first, operation(input{register, "m", "a", 11_000}, output{rejected, "", 0, 11_010})}, false},
		"registration without response took effect": {[]porcupine.Operation{
			lost, lookupAt(11_000, output{found, "a", 10_400, 11_010})}, true},
		"registration without response had no effect": {[]porcupine.Operation{
			lost, lookupAt(11_000, output{absent, "", 0, 11_010})}, true},
		"replaced record is found": {[]porcupine.Operation{
			first, registration("a", 10_500, 10_510, 10_520),
			lookupAt(11_000, output{found, "a", 10_010, 11_010})}, false},
	} {
		t.Run(name, func(t *testing.T) {
			accepted := porcupine.CheckOperations(leaseModel(ttlMs), test.history)
			if accepted != test.accepted {
				t.Errorf("accepted: %v, want %v", accepted, test.accepted)
			}
		})
	}
}
