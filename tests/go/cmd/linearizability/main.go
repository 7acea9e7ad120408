// Linearizability checks that leases are what they promise to be while the Worker is killed again and again:
// what clients saw is compared with the rules.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// checking is how long the comparison may take.
const checking = 10 * time.Minute

func main() {
	kills := flag.Int("kills", 50, "how often the Worker is killed in each history")
	picture := flag.String("picture", "linearizability.html", "where to draw a history that breaks the rules")
	flag.Parse()
	harness.Run(func(program *harness.Program) int {
		broken := 0
		for _, run := range runs(*kills) {
			fmt.Fprintf(os.Stderr, "%s\n", run.name)
			outcomes, err := run.check(program, *picture)
			if err != nil {
				fmt.Printf("%s: %v: %v\n", run.name, outcomes, err)
				broken++
				continue
			}
			fmt.Printf("%s: %d kills, %v: as promised\n", run.name, *kills, outcomes)
		}
		fmt.Printf("%d histories break the rules\n", broken)
		return min(broken, 1)
	})
}

// run is one history: the settings that it is made with, and the rules that it is held to.
type run struct {
	name     string
	settings settings
	vars     []string
	cached   bool
}

func runs(kills int) []run {
	settings := settings{
		kills:   kills,
		clients: 64,
		ids:     8,
		keys:    3,
		ttl:     2 * time.Second,
		between: 1500 * time.Millisecond,
		pause:   100 * time.Millisecond,
	}
	ttl := "DEFAULT_TTL_SECONDS=2"
	return []run{
		{"an object for each lease", settings, []string{ttl, "CACHE_HOT_LOOKUPS_PER_MINUTE=0", "REGISTRY_SHARDS=0"}, false},
		{"four objects for all", settings, []string{ttl, "CACHE_HOT_LOOKUPS_PER_MINUTE=0", "REGISTRY_SHARDS=4"}, false},
		{"with the cache", settings, []string{ttl, "CACHE_HOT_LOOKUPS_PER_MINUTE=1", "REGISTRY_SHARDS=0"}, true},
	}
}

// outcomes are how many calls of a history came to what.
type outcomes [unknown + 1]int

func (o outcomes) String() string {
	return fmt.Sprintf("%d registrations (%d refused), %d lookups found and %d did not, %d calls had no answer",
		o[granted]+o[refused], o[refused], o[found], o[absent], o[unknown])
}

// check makes the history and compares it. It returns what is in it.
func (r run) check(t harness.T, picture string) (outcomes, error) {
	// Nothing is swept within a second: that a lease has lapsed is seen when it is read, or not at all.
	worker := harness.Start(t, append(r.vars, "LOG_LEVEL=error", "CLEANUP_INTERVAL_MS=1000")...)
	history, err := record(t, worker, r.settings, func(kills, calls int) {
		fmt.Fprintf(os.Stderr, "\r  %d kills, %d calls", kills, calls)
	})
	fmt.Fprintln(os.Stderr)
	var all outcomes
	for _, operation := range history {
		all[operation.Output.(output).outcome]++
	}
	if err != nil {
		return all, err
	}
	return all, r.judge(history, picture)
}

func (r run) judge(history []porcupine.Operation, picture string) error {
	ttlMs := r.settings.ttl.Milliseconds()
	if r.cached {
		return checkCached(history, ttlMs)
	}
	rules := model(ttlMs)
	result, info := porcupine.CheckOperationsVerbose(rules, history, checking)
	if result == porcupine.Ok {
		return nil
	}
	if picture != "" {
		if err := porcupine.VisualizePath(rules, info, picture); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s by the rules of leases: see %q", result, picture)
}
