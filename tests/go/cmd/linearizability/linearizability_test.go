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
					t.Errorf("only %d calls came to %d: %v", calls, outcome, outcomes)
				}
			}
		})
	}
}

// Both checks must find the violations of a Worker whose lookups find expired leases: a check that
// accepts every history would pass TestLeasesSurviveKills too.
func TestExpiredLookupsAreDetected(t *testing.T) {
	run := runs(2)[0]
	run.settings.between *= 3
	// No limit: the clients of a history make more calls than one client may.
	faults := harness.WithFaults(`{"expired_lookups":true,"limiter":"absent"}`)
	worker := harness.StartMiniflare(t, append(run.vars, faults, "LOG_LEVEL=error")...)
	history, err := record(t, worker, run.settings, func(int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	if err := run.judge(history, ""); err == nil {
		t.Errorf("the lease model accepts all %d calls", len(history))
	}
	run.cached = true
	if err := run.judge(history, ""); err == nil {
		t.Errorf("the staleness check accepts all %d calls", len(history))
	}
}

// What each rule is there for.
func TestRules(t *testing.T) {
	const ttlMs = 2_000
	operation := func(in input, out output) porcupine.Operation {
		return porcupine.Operation{Input: in, Output: out, Call: in.callMs, Return: out.returnMs}
	}
	registered := func(key string, callMs, atMs, returnMs int64) porcupine.Operation {
		return operation(input{register, "m", key, callMs}, output{granted, "", atMs, returnMs})
	}
	asked := func(callMs int64, out output) porcupine.Operation {
		return operation(input{lookup, "m", "", callMs}, out)
	}
	first := registered("a", 10_000, 10_010, 10_020)
	for name, test := range map[string]struct {
		history []porcupine.Operation
		isRight bool
	}{
		"it is found":            {[]porcupine.Operation{first, asked(11_000, output{found, "a", 10_010, 11_010})}, true},
		"a registration is lost": {[]porcupine.Operation{first, asked(11_000, output{absent, "", 0, 11_010})}, false},
		"it lapses":              {[]porcupine.Operation{first, asked(12_100, output{absent, "", 0, 12_110})}, true},
		"it is found when it has lapsed": {
			[]porcupine.Operation{first, asked(12_100, output{found, "a", 10_010, 12_110})}, false},
		"another takes it while it lives": {[]porcupine.Operation{first, registered("b", 11_000, 11_001, 11_010)}, false},
		"another takes it when it has lapsed": {
			[]porcupine.Operation{first, registered("b", 12_000, 12_050, 12_060)}, true},
		"the owner is refused": {[]porcupine.Operation{
			first, operation(input{register, "m", "a", 11_000}, output{refused, "", 0, 11_010})}, false},
		"what had no answer was done": {[]porcupine.Operation{
			operation(input{register, "m", "a", 10_000}, output{unknown, "", 0, 10_500}),
			asked(11_000, output{found, "a", 10_400, 11_010})}, true},
		"what had no answer was not done": {[]porcupine.Operation{
			operation(input{register, "m", "a", 10_000}, output{unknown, "", 0, 10_500}),
			asked(11_000, output{absent, "", 0, 11_010})}, true},
		"an older record is found": {[]porcupine.Operation{
			first, registered("a", 10_500, 10_510, 10_520), asked(11_000, output{found, "a", 10_010, 11_010})}, false},
	} {
		if isRight := porcupine.CheckOperations(model(ttlMs), test.history); isRight != test.isRight {
			t.Errorf("%s: found right: %v", name, isRight)
		}
	}
}
