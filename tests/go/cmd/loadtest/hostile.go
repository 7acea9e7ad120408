package main

import (
	"context"
	"fmt"
	"time"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

const (
	// attackers and victims are the numbers of clients that attack, and that make lookups meanwhile.
	attackers, victims = 16, 8
	// attackDuration is the duration of an attack that has no number of calls.
	attackDuration = 6 * time.Second
	// maxSlowdown is the ratio of the victims' p99 during an attack to their p99 beside as many
	// clients that behave.
	maxSlowdown = 2.0
	// maxMemoryMiB is the memory that an attack may take: Cloudflare's limit of an isolate.
	maxMemoryMiB = 128.0
	// floorMargin is the ratio by which p99 and memory may exceed those of floor A in the same
	// attack. Some attacks cost the runtime more than the other limits.
	floorMargin = 1.25
	// meshes is the number of meshes that victims look up.
	meshes = 200
)

// hostile measures the effect of attacks on other clients, on memory and on the disk. Each attack
// is compared with as many clients that behave, and with the same attack on floor A, a worker with
// constant responses.
func hostile(t *harness.Program, _ options, checks *load.Checks) {
	worker := start(t, "REGISTRY_SHARDS=64", "CACHE_HOT_LOOKUPS_PER_MINUTE=0")
	client := load.NewClient(worker.URL, attackers+victims)
	name := func(number int) string { return fmt.Sprintf("victim-%d", number) }
	registered := load.Calls(16, meshes, func(ctx context.Context, number int) error {
		return client.Register(ctx, load.Colony(name(number), number))
	})
	checks.Expect(registered.Errors == 0, "%d meshes register: %d errors", meshes, registered.Errors)
	pick := load.Uniform(meshes)
	lookup := load.Call(func(ctx context.Context, _ int) error {
		number := pick()
		return client.Lookup(ctx, name(number), number)
	})
	// Every object is called once, so that attacks create none.
	load.Calls(attackers, 10_000, lookupRandom(client))
	worker.WaitUntilIdle()
	keysBefore, _ := worker.Stored()
	filesBefore := len(worker.Databases())
	baseline := runBeside(attack{call: lookup}, lookup).victims.Percentile(99)
	progress("beside clients that behave: p99 %.1f ms", baseline)
	floor := harness.StartConfig(t, serverCore,
		harness.Path("tests", "go", "cmd", "bench", "floors", "floor-a.capnp"))
	floorClient := load.NewClient(floor.URL, attackers+victims)
	floorLookup := load.Call(func(ctx context.Context, _ int) error {
		// The constant response does not match the request.
		_ = floorClient.Lookup(ctx, name(0), 0)
		return nil
	})
	floorAttacks := attacks(floor.URL, floorClient)
	for i, attack := range attacks(worker.URL, client) {
		progress("%s", attack.name)
		onFloor, floorGrowth := runAttack(floor, floorAttacks[i], floorLookup)
		onWorker, growth := runAttack(worker, attack, lookup)
		checks.Expect(onWorker.attack.Errors == 0, "%s: %d calls, %d with a wrong response %s",
			attack.name, onWorker.attack.Calls, onWorker.attack.Errors, firstError(onWorker.attack))
		p99, floorP99 := onWorker.victims.Percentile(99), onFloor.victims.Percentile(99)
		checks.Expect(
			onWorker.victims.Errors == 0 && p99 <= max(maxSlowdown*baseline, floorMargin*floorP99),
			"  others meanwhile: %d errors, p99 %.1f ms "+
				"(beside clients that behave %.1f, floor A in this attack %.1f)",
			onWorker.victims.Errors, p99, baseline, floorP99)
		checks.Expect(growth <= max(maxMemoryMiB, floorMargin*floorGrowth),
			"  memory: %+.0f MiB (floor A %+.0f)", growth, floorGrowth)
	}
	floor.Kill()
	keys, _ := worker.Stored()
	files := len(worker.Databases())
	checks.Expect(len(keys) == len(keysBefore) && files == filesBefore,
		"attacks stored nothing: %d keys, %d files, before %d and %d",
		len(keys), files, len(keysBefore), filesBefore)
	after := load.Calls(victims, 1_000, lookup)
	checks.Expect(after.Errors == 0, "lookups after all attacks: %d errors %s",
		after.Errors, firstError(after))
	worker.Kill()
}

// attackResult has the results of attackers and victims.
type attackResult struct{ attack, victims load.Result }

// runAttack attacks a Worker. It also returns the growth of the Worker's memory, in MiB.
func runAttack(
	worker *harness.Worker, attack attack, lookup load.Call,
) (result attackResult, growth float64) {
	before := worker.Usage().RSS
	result = runBeside(attack, lookup)
	return result, load.MiB(worker.Usage().RSS) - load.MiB(before)
}

// runBeside runs an attack, and lookups of the victims until it ends.
func runBeside(attack attack, lookup load.Call) attackResult {
	var result attackResult
	done := make(chan struct{})
	go func() {
		defer close(done)
		if attack.calls > 0 {
			result.attack = load.Calls(attackers, attack.calls, attack.call)
		} else {
			result.attack = load.For(attackers, attackDuration, attack.call)
		}
	}()
	result.victims = load.Until(done, victims, lookup)
	return result
}
