package main

import (
	"context"
	"fmt"

	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

const (
	// keys is the number of colonies, and of agents.
	keys = 1_000
	// hotKeys is the number of colonies that hot lookups are about. All of them fit into the memory
	// cache, which has room for 512.
	hotKeys = 400
)

// phase is one kind of call.
type phase struct {
	name string
	// server is the server under measurement, and floor the one it is compared with.
	server, floor role
	// isFirst is set if each call needs a key that was never used: a measurement is a number of
	// calls then, not a duration.
	isFirst bool
	call    newCall
	// fastCall makes the same calls with the fast client, where connect-go would be the limit.
	fastCall newCall
}

// newCall returns the calls of a phase.
type newCall func(c clients, target target) load.Call

// clients are the clients of one server.
type clients struct {
	load.Client
	fast load.FastClient
}

// target determines the server and keys of calls.
type target struct {
	// isFloor is set if the server returns constant responses, which match no request.
	isFloor bool
	// round is part of keys that may not be used twice.
	round string
	pick  load.Pick
}

func colony(number int) string { return fmt.Sprintf("bench-%d", number) }
func agent(number int) string  { return fmt.Sprintf("agent-%d", number) }

// mesh returns the mesh of an agent, one of a hundred.
func mesh(number int) string { return fmt.Sprintf("mesh-%d", number%100) }

// phases in the order of measurement: registrations come before lookups of them.
var phases = []phase{
	{name: "first registration", server: uncached, floor: floorB, isFirst: true,
		call: firstRegistration},
	{name: "renewal", server: uncached, floor: floorB, call: renewal},
	{name: "lookup, uncached", server: uncached, floor: floorB, call: lookup, fastCall: fastLookup},
	{name: "lookup, hot", server: hot, floor: floorA, call: lookup, fastCall: fastLookup},
	{name: "unknown key", server: uncached, floor: floorB, call: unknown},
	{name: "agent: renewal", server: uncached, floor: floorB, call: agentRenewal},
	{name: "agent: lookup", server: uncached, floor: floorB, call: agentLookup},
	{name: "Health", server: hot, floor: floorA, call: health, fastCall: fastHealth},
	{name: "bootstrap token", server: uncached, floor: floorB, call: bootstrapToken},
	{name: "key set", server: uncached, floor: floorA, fastCall: keySet},
	{name: "lookup with a certificate", server: uncached, floor: floorB, call: certificate},
}

func firstRegistration(c clients, target target) load.Call {
	return func(ctx context.Context, number int) error {
		meshID := fmt.Sprintf("first-%s-%d", target.round, number)
		return c.Register(ctx, load.Colony(meshID, number))
	}
}

func renewal(c clients, target target) load.Call {
	return func(ctx context.Context, _ int) error {
		number := target.pick()
		return c.Register(ctx, load.Colony(colony(number), number))
	}
}

func lookup(c clients, target target) load.Call {
	return func(ctx context.Context, _ int) error {
		number := target.pick()
		return target.check(c.Lookup(ctx, colony(number), number))
	}
}

func fastLookup(c clients, target target) load.Call {
	return func(ctx context.Context, _ int) error {
		return target.check(c.fast.Lookup(ctx, colony(target.pick())))
	}
}

func unknown(c clients, target target) load.Call {
	return func(ctx context.Context, _ int) error {
		return target.check(c.LookupUnknown(ctx, fmt.Sprintf("unknown-%d", target.pick())))
	}
}

func agentRenewal(c clients, target target) load.Call {
	if target.isFloor {
		return renewal(c, target)
	}
	return func(ctx context.Context, _ int) error {
		number := target.pick()
		return c.RegisterAgentOf(ctx, agent(number), mesh(number), number)
	}
}

func agentLookup(c clients, target target) load.Call {
	if target.isFloor {
		return lookup(c, target)
	}
	return func(ctx context.Context, _ int) error {
		number := target.pick()
		return c.LookupAgentOf(ctx, agent(number), mesh(number), number)
	}
}

func health(c clients, target target) load.Call {
	if target.isFloor {
		return lookup(c, target)
	}
	return func(ctx context.Context, _ int) error { return c.CheckHealth(ctx) }
}

func fastHealth(c clients, target target) load.Call {
	if target.isFloor {
		return fastLookup(c, target)
	}
	return func(ctx context.Context, _ int) error { return c.fast.CheckHealth(ctx) }
}

// bootstrapToken is counted per agent and colony: one request to the colony's object, which writes
// two rows.
func bootstrapToken(c clients, target target) load.Call {
	if target.isFloor {
		return renewal(c, target)
	}
	return func(ctx context.Context, _ int) error {
		number := target.pick()
		return c.BootstrapToken(ctx, agent(number), colony(number))
	}
}

func keySet(c clients, target target) load.Call {
	if target.isFloor {
		return fastLookup(c, target)
	}
	return func(ctx context.Context, _ int) error { return c.fast.FetchKeySet(ctx) }
}

func certificate(c clients, target target) load.Call {
	return func(ctx context.Context, _ int) error {
		number := target.pick()
		if target.isFloor {
			number = 0
		}
		return target.check(c.Lookup(ctx, "certified-"+colony(number), number))
	}
}

// check ignores the errors of a floor, whose constant response never matches.
func (t target) check(err error) error {
	if t.isFloor {
		return nil
	}
	return err
}

// registerAll registers all colonies and agents of the phases.
func registerAll(c load.Client) load.Result {
	return load.Calls(16, keys, func(ctx context.Context, number int) error {
		if err := c.Register(ctx, load.Colony(colony(number), number)); err != nil {
			return err
		}
		if err := c.RegisterAgentOf(ctx, agent(number), mesh(number), number); err != nil {
			return err
		}
		certified := load.WithCertificate(load.Colony("certified-"+colony(number), number))
		if err := c.Register(ctx, certified); err != nil {
			return err
		}
		return c.Lookup(ctx, colony(number), number)
	})
}
