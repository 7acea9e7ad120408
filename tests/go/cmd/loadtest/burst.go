package main

import (
	"context"
	"fmt"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

const (
	// colonies and agents are the numbers of those that register at once.
	colonies, agents = 10_000, 2_000
	// connections is the number of connections that they share.
	connections = 1_000
)

// burst registers many colonies, then many agents, at once, and looks all of them up.
func burst(t *harness.Program, _ options, checks *load.Checks) {
	for _, routing := range routingNames {
		burstOfColonies(t, routing, checks)
	}
	burstOfAgents(t, checks)
}

func burstOfColonies(t *harness.Program, routing string, checks *load.Checks) {
	progress("%d colonies at once, %s", colonies, routing)
	workers := startForObjects(t, routing)
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
	checks.Expect(registered.Errors == 0 && found.Errors == 0,
		"%d colonies register at once, %s: %d errors, %d lost; in %.1f s, p50 %.0f, p99 %.0f ms; "+
			"peak RSS %.0f MiB %s",
		colonies, routing, registered.Errors, found.Errors, registered.Elapsed.Seconds(),
		registered.Percentile(50), registered.Percentile(99), load.MiB(peak),
		firstError(registered, found))
	for _, worker := range workers {
		worker.Kill()
	}
}

// startForObjects starts a Worker, or more where one process may not open enough files: workerd has
// three files open for each object. On Cloudflare few objects share a process.
func startForObjects(t *harness.Program, routing string) []*harness.Worker {
	workers := []*harness.Worker{start(t, routings[routing])}
	limit := harness.MaxOpenObjects()
	if routing != perLease || limit >= colonies {
		return workers
	}
	if limit < colonies/10 {
		t.Fatalf("a process may open the files of only %d objects", limit)
	}
	for len(workers)*limit < colonies {
		workers = append(workers, start(t, routings[routing]))
	}
	fmt.Printf("note    one process may not open the files of %d objects: %d processes share a core\n",
		colonies, len(workers))
	return workers
}

func burstOfAgents(t *harness.Program, checks *load.Checks) {
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
	checks.Expect(registered.Errors == 0 && found.Errors == 0,
		"%d agents of one mesh register at once: %d errors, %d lost; in %.1f s; peak RSS %.0f MiB %s",
		agents, registered.Errors, found.Errors, registered.Elapsed.Seconds(),
		load.MiB(worker.Usage().PeakRSS), firstError(registered, found))
	worker.Kill()
}
