package main

import (
	"context"
	"fmt"

	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

// keys is how many colonies and agents there are.
const keys = 1_000

// hotKeys is how many of them are looked up where all shall be in an isolate's memory, which has room for 512.
const hotKeys = 400

// phase is one kind of call.
type phase struct {
	name string
	// server is who is measured, and floor what it is compared with.
	server, floor role
	// first makes each call about a key that was never used: a number of calls in place of a time.
	first bool
	call  makeCalls
	// raw makes the same calls with a client that is cheaper, where connect-go may be the limit.
	raw makeCalls
}

// makeCalls returns what makes one call after another about the keys of a target.
type makeCalls func(c clients, target target) load.Call

// clients are the ways in which one server can be called.
type clients struct {
	load.Client
	raw load.Raw
}

// target is whom calls go to, and about which keys.
type target struct {
	// isFloor is set for what answers a constant: there is nothing to compare it with.
	isFloor bool
	// round tells the keys of one measurement from those of another.
	round string
	pick  load.Pick
}

func colony(number int) string { return fmt.Sprintf("bench-%d", number) }
func agent(number int) string  { return fmt.Sprintf("agent-%d", number) }

// mesh is one of a hundred that agents are in.
func mesh(number int) string { return fmt.Sprintf("mesh-%d", number%100) }

// phases in the order in which they run: what is looked up was registered before.
var phases = []phase{
	{name: "first registration", server: uncached, floor: floorB, first: true, call: firstRegistration},
	{name: "renewal", server: uncached, floor: floorB, call: renewal},
	{name: "lookup, uncached", server: uncached, floor: floorB, call: lookup, raw: rawLookup},
	{name: "lookup, hot", server: hot, floor: floorA, call: lookup, raw: rawLookup},
	{name: "unknown key", server: uncached, floor: floorB, call: unknown},
	{name: "agent: renewal", server: uncached, floor: floorB, call: agentRenewal},
	{name: "agent: lookup", server: uncached, floor: floorB, call: agentLookup},
	{name: "Health", server: hot, floor: floorA, call: health, raw: rawHealth},
	{name: "ticket", server: uncached, floor: floorB, call: ticket},
	{name: "key set", server: uncached, floor: floorA, raw: keySet},
	{name: "lookup with a certificate", server: uncached, floor: floorB, call: certificate},
}

func firstRegistration(c clients, target target) load.Call {
	return func(ctx context.Context, number int) error {
		return c.Register(ctx, load.Colony(fmt.Sprintf("first-%s-%d", target.round, number), number))
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
		return unless(target.isFloor, c.Lookup(ctx, colony(number), number))
	}
}

func rawLookup(c clients, target target) load.Call {
	return func(ctx context.Context, _ int) error {
		return unless(target.isFloor, c.raw.Lookup(ctx, colony(target.pick())))
	}
}

func unknown(c clients, target target) load.Call {
	return func(ctx context.Context, _ int) error {
		return unless(target.isFloor, c.LookupUnknown(ctx, fmt.Sprintf("unknown-%d", target.pick())))
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
	return func(ctx context.Context, _ int) error { return c.Healthy(ctx) }
}

// ticket counts by agent and colony: a request to the colony's object, which writes two rows.
func ticket(c clients, target target) load.Call {
	if target.isFloor {
		return renewal(c, target)
	}
	return func(ctx context.Context, _ int) error {
		number := target.pick()
		return c.Ticket(ctx, agent(number), colony(number))
	}
}

func keySet(c clients, target target) load.Call {
	if target.isFloor {
		return rawLookup(c, target)
	}
	return func(ctx context.Context, _ int) error { return c.raw.KeySet(ctx) }
}

func rawHealth(c clients, target target) load.Call {
	if target.isFloor {
		return rawLookup(c, target)
	}
	return func(ctx context.Context, _ int) error { return c.raw.Healthy(ctx) }
}

func certificate(c clients, target target) load.Call {
	return func(ctx context.Context, _ int) error {
		number := target.pick()
		if target.isFloor {
			number = 0
		}
		return unless(target.isFloor, c.Lookup(ctx, "certified-"+colony(number), number))
	}
}

// unless drops what a floor's constant answer is found wrong for.
func unless(isFloor bool, err error) error {
	if isFloor {
		return nil
	}
	return err
}

// prepare registers all that the phases are about.
func prepare(c load.Client) load.Result {
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
