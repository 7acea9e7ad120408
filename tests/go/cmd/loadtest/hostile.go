package main

import (
	"context"
	"fmt"
	"time"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

const (
	// hostileClients attack at once, and victims look up what they always do.
	hostileClients, victims = 16, 8
	// attacking is how long each attack goes on that is not counted.
	attacking = 6 * time.Second
	// tolerated is by how much the victims' p99 may be higher than beside as many clients that behave.
	tolerated = 2.0
	// bound is how much memory an attack may take, in MiB: what Cloudflare gives an isolate.
	bound = 128.0
	// margin is by how much p99 and memory may exceed those of a worker that answers a constant: some attacks
	// cost the runtime more than all this.
	margin = 1.25
	// ordinary is how many meshes there are.
	ordinary = 200
)

// hostile measures what clients that mean harm do to others, to memory and to the disk. Each attack is compared with
// as many clients that behave, and with what it does to a worker that answers a constant.
func hostile(t *harness.Program, _ options, findings *load.Findings) {
	worker := start(t, "REGISTRY_SHARDS=64", "CACHE_HOT_LOOKUPS_PER_MINUTE=0")
	client := load.NewClient(worker.URL, hostileClients+victims)
	name := func(number int) string { return fmt.Sprintf("victim-%d", number) }
	prepared := load.Calls(16, ordinary, func(ctx context.Context, number int) error {
		return client.Register(ctx, load.Colony(name(number), number))
	})
	findings.Expect(prepared.Errors == 0, "%d meshes register: %d errors", ordinary, prepared.Errors)
	pick := load.Uniform(ordinary)
	behave := load.Call(func(ctx context.Context, _ int) error {
		number := pick()
		return client.Lookup(ctx, name(number), number)
	})
	// Every object was asked something: there is none to be made any more.
	load.Calls(hostileClients, 10_000, madeUp(client))
	worker.Settle()
	keys, _ := worker.Stored()
	files := len(worker.Databases())
	quiet := beside(attack{call: behave}, behave).victims.Quantile(99)
	progress("beside clients that behave: p99 %.1f ms", quiet)
	floor := harness.StartConfig(t, serverCore, harness.Path("tests/go/cmd/bench/floors/floor-a.capnp"))
	floorClient := load.NewClient(floor.URL, hostileClients+victims)
	ask := load.Call(func(ctx context.Context, _ int) error {
		// It finds something, though not what was asked for.
		_ = floorClient.Lookup(ctx, name(0), 0)
		return nil
	})
	onFloor := attacks(floor.URL, floorClient)
	for i, attack := range attacks(worker.URL, client) {
		progress("%s", attack.name)
		floorSuffered, floorGrown := suffer(floor, onFloor[i], ask)
		suffered, grown := suffer(worker, attack, behave)
		findings.Expect(suffered.attack.Errors == 0, "%s: %d, of which %d are not answered as they should be %s",
			attack.name, suffered.attack.Calls, suffered.attack.Errors, first(suffered.attack))
		p99, floorP99 := suffered.victims.Quantile(99), floorSuffered.victims.Quantile(99)
		findings.Expect(suffered.victims.Errors == 0 && p99 <= max(tolerated*quiet, margin*floorP99),
			"  others meanwhile: %d errors, p99 %.1f ms (beside clients that behave %.1f, floor A in this attack %.1f)",
			suffered.victims.Errors, p99, quiet, floorP99)
		findings.Expect(grown <= max(bound, margin*floorGrown),
			"  memory: %+.0f MiB (floor A %+.0f)", grown, floorGrown)
	}
	floor.Kill()
	now, _ := worker.Stored()
	findings.Expect(len(now) == len(keys) && len(worker.Databases()) == files,
		"nothing was stored by any of it: %d keys, %d files, before %d and %d",
		len(now), len(worker.Databases()), len(keys), files)
	healthy := load.Calls(victims, 1_000, behave)
	findings.Expect(healthy.Errors == 0, "all is well after: %d errors %s", healthy.Errors, first(healthy))
	worker.Kill()
}

// both is what became of attackers and of those who called beside them.
type both struct{ attack, victims load.Result }

// suffer attacks a Worker, and returns by how much its memory grew, in MiB.
func suffer(worker *harness.Worker, attack attack, behave load.Call) (both, float64) {
	before := worker.Usage().RSS
	suffered := beside(attack, behave)
	return suffered, load.MiB(worker.Usage().RSS) - load.MiB(before)
}

func beside(attack attack, behave load.Call) both {
	var both both
	done := make(chan struct{})
	go func() {
		defer close(done)
		if attack.calls > 0 {
			both.attack = load.Calls(hostileClients, attack.calls, attack.call)
		} else {
			both.attack = load.For(hostileClients, attacking, attack.call)
		}
	}()
	both.victims = load.Until(done, victims, behave)
	return both
}
