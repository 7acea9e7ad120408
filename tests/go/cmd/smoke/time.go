package main

import (
	"context"
	"fmt"
	"time"

	"connectrpc.com/connect"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

// latency is how long calls of one kind took, in milliseconds.
type latency struct {
	Name  string  `json:"name"`
	Codec string  `json:"codec"`
	Calls int     `json:"calls"`
	P50   float64 `json:"p50"`
	P95   float64 `json:"p95"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

// spread is over how many leases registrations are spread, so that none is beyond its rate limit.
const spread = 4

// latencies times calls, one at a time.
func (d deployment) latencies(r *report) {
	for _, codec := range []string{"proto", "json"} {
		client := d.client(codec)
		mesh := func(number int) string { return d.id(fmt.Sprintf("%s-%d", codec, number%spread)) }
		for _, timed := range []struct {
			name string
			call load.Call
		}{
			{"Health", func(ctx context.Context, _ int) error { return client.Healthy(ctx) }},
			{"RegisterColony", func(ctx context.Context, number int) error {
				return client.Register(ctx, load.Colony(mesh(number), number%spread))
			}},
			{"LookupColony", func(ctx context.Context, number int) error {
				return client.Lookup(ctx, mesh(number), number%spread)
			}},
		} {
			result := load.Calls(1, d.flags.calls, timed.call)
			r.check(timed.name+" again and again", codec, func() error { return result.FirstError })
			r.Latencies = append(r.Latencies, latency{
				Name: timed.name, Codec: codec, Calls: result.Calls, P50: result.Quantile(50),
				P95: result.Quantile(95), P99: result.Quantile(99), Max: result.Max(),
			})
		}
	}
}

// grace is how long the answer to a registration may have been under way, and a lookup.
const grace = 5 * time.Second

// lapse waits until a colony's lease lapses.
func (d deployment) lapse(r *report) {
	ctx := context.Background()
	client := d.client("proto")
	mesh := d.id("lapses")
	r.check("a lease that lapses is found no more, and its id is free for another key", "proto", func() error {
		answer, err := client.RegisterColony(ctx, ask(load.Colony(mesh, 1)))
		if err != nil {
			return err
		}
		ttl := time.Duration(answer.Msg.Ttl) * time.Second
		registered := time.Now()
		ticker := time.NewTicker(min(ttl/10+100*time.Millisecond, 2*time.Second))
		defer ticker.Stop()
		for range ticker.C {
			_, err := client.LookupColony(ctx, ask(&discoveryv1.LookupColonyRequest{MeshId: mesh}))
			if connect.CodeOf(err) == connect.CodeNotFound {
				if lived := time.Since(registered); lived < ttl-grace {
					return fmt.Errorf("it is found no more after %v, and was registered for %v", lived.Round(time.Second), ttl)
				}
				break
			}
			if err != nil {
				return err
			}
			if lived := time.Since(registered); lived > ttl+grace {
				return fmt.Errorf("it is still found %v after it was registered for %v", lived.Round(time.Second), ttl)
			}
		}
		return client.Register(ctx, load.Colony(mesh, 2))
	})
}
