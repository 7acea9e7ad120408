package main

import (
	"context"
	"fmt"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

const (
	// colonies and agents register all at once.
	colonies, agents = 10_000, 2_000
	// connections is how many of them can send at the same moment.
	connections = 1_000
)

// burst has everybody register at once, and looks everybody up.
func burst(t *harness.Program, _ options, findings *load.Findings) {
	for _, routing := range routingNames {
		progress("%d colonies at once, %s", colonies, routing)
		workers := []*harness.Worker{start(t, routings[routing])}
		if most := harness.MostObjects(); routing == perLease && most < colonies {
			// workerd has three files open for each object; on Cloudflare objects share no process, or few do.
			if most < colonies/10 {
				t.Fatalf("a process may open files for %d objects only", most)
			}
			for len(workers)*most < colonies {
				workers = append(workers, start(t, routings[routing]))
			}
			fmt.Printf("note    a process may open too few files here for %d objects at once: %d share them, on one core\n",
				colonies, len(workers))
		}
		var clients []load.Client
		for _, worker := range workers {
			clients = append(clients, load.NewClient(worker.URL, connections/len(workers)))
		}
		client := func(number int) load.Client { return clients[number%len(clients)] }
		name := func(number int) string { return fmt.Sprintf("burst-%d", number) }
		registered := load.Burst(colonies, func(ctx context.Context, number int) error {
			return client(number).Register(ctx, load.Colony(name(number), number))
		})
		var peak uint64
		for _, worker := range workers {
			peak += worker.Usage().PeakRSS
		}
		found := load.Calls(64, colonies, func(ctx context.Context, number int) error {
			return client(number).Lookup(ctx, name(number), number)
		})
		findings.Expect(registered.Errors == 0 && found.Errors == 0,
			"%d colonies register at once, %s: %d errors, %d lost; in %.1f s, p50 %.0f, p99 %.0f ms; peak RSS %.0f MiB %s",
			colonies, routing, registered.Errors, found.Errors, registered.Elapsed.Seconds(),
			registered.Quantile(50), registered.Quantile(99), load.MiB(peak), first(registered, found))
		for _, worker := range workers {
			worker.Kill()
		}
	}
	progress("%d agents of one mesh at once", agents)
	worker := start(t, routings[perLease])
	client := load.NewClient(worker.URL, connections)
	name := func(number int) string { return fmt.Sprintf("agent-%d", number) }
	registered := load.Burst(agents, func(ctx context.Context, number int) error {
		return client.RegisterAgentOf(ctx, name(number), "one-mesh", number)
	})
	found := load.Calls(64, agents, func(ctx context.Context, number int) error {
		return client.LookupAgentOf(ctx, name(number), "one-mesh", number)
	})
	findings.Expect(registered.Errors == 0 && found.Errors == 0,
		"%d agents of one mesh register at once: %d errors, %d lost; in %.1f s; peak RSS %.0f MiB %s",
		agents, registered.Errors, found.Errors, registered.Elapsed.Seconds(), load.MiB(worker.Usage().PeakRSS),
		first(registered, found))
	worker.Kill()
}

// first is an error of some results, for the line that says that there are any.
func first(results ...load.Result) string {
	for _, result := range results {
		if result.FirstError != nil {
			return fmt.Sprintf("(%v)", result.FirstError)
		}
	}
	return ""
}
