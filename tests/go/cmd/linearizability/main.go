// Command linearizability checks that leases keep their rules while the Worker is killed again and
// again: it records the results of calls by many clients, and compares them with a model.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// checkTimeout bounds the comparison of one history with the model.
const checkTimeout = 10 * time.Minute

func main() {
	kills := flag.Int("kills", 50, "number of kills in each history")
	picture := flag.String("picture", "linearizability.html",
		"file for a picture of a history that violates the rules")
	flag.Parse()
	harness.Run(func(program *harness.Program) int {
		violations := 0
		for _, run := range runs(*kills) {
			fmt.Fprintf(os.Stderr, "%s\n", run.name)
			outcomes, err := run.check(program, *picture)
			if err != nil {
				fmt.Printf("%s: %v: %v\n", run.name, outcomes, err)
				violations++
				continue
			}
			fmt.Printf("%s: %d kills, %v: no violation\n", run.name, *kills, outcomes)
		}
		fmt.Printf("%d histories violate the rules\n", violations)
		return min(violations, 1)
	})
}

// run is one history: its settings, the Worker's variables and the rules that apply.
type run struct {
	name     string
	settings settings
	vars     []string
	// isCached selects the rules of lookups with the cache.
	isCached bool
}

func runs(kills int) []run {
	settings := settings{
		kills:        kills,
		clients:      64,
		ids:          8,
		keys:         3,
		ttl:          2 * time.Second,
		killInterval: 1500 * time.Millisecond,
		maxPause:     100 * time.Millisecond,
	}
	vars := func(vars ...string) []string { return append(vars, "DEFAULT_TTL_SECONDS=2") }
	return []run{
		{"an object for each lease", settings,
			vars("CACHE_HOT_LOOKUPS_PER_MINUTE=0", "REGISTRY_SHARDS=0"), false},
		{"four objects for all leases", settings,
			vars("CACHE_HOT_LOOKUPS_PER_MINUTE=0", "REGISTRY_SHARDS=4"), false},
		{"with the cache", settings,
			vars("CACHE_HOT_LOOKUPS_PER_MINUTE=1", "REGISTRY_SHARDS=0"), true},
	}
}

// outcomes counts the calls of a history by outcome.
type outcomes [unknown + 1]int

func (o outcomes) String() string {
	return fmt.Sprintf(
		"%d registrations (%d rejected), %d lookups found and %d not found, %d calls without response",
		o[granted]+o[rejected], o[rejected], o[found], o[absent], o[unknown])
}

// check records a history and judges it. It returns the counts of outcomes.
func (r run) check(t harness.T, picture string) (outcomes, error) {
	// No sweep within a second after a lease expires: lookups must notice the expiry themselves.
	vars := append(r.vars, "LOG_LEVEL=error", "CLEANUP_INTERVAL_MS=1000")
	worker := harness.Start(t, vars...)
	history, err := record(t, worker, r.settings, func(kills, calls int) {
		fmt.Fprintf(os.Stderr, "\r  %d kills, %d calls", kills, calls)
	})
	fmt.Fprintln(os.Stderr)
	var counts outcomes
	for _, operation := range history {
		counts[operation.Output.(output).outcome]++
	}
	if err != nil {
		return counts, err
	}
	return counts, r.judge(history, picture)
}

// judge returns an error if a history violates the rules, and draws a picture of it.
func (r run) judge(history []porcupine.Operation, picture string) error {
	ttlMs := r.settings.ttl.Milliseconds()
	if r.isCached {
		return checkStaleness(history, ttlMs)
	}
	model := leaseModel(ttlMs)
	result, info := porcupine.CheckOperationsVerbose(model, history, checkTimeout)
	if result == porcupine.Ok {
		return nil
	}
	if picture != "" {
		if err := porcupine.VisualizePath(model, info, picture); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s by the rules of leases: see %q", result, picture)
}
