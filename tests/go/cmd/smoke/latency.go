package main

import (
	"context"
	"fmt"

	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

// latency has the latencies of calls of one kind, in milliseconds.
type latency struct {
	Name  string  `json:"name"`
	Codec string  `json:"codec"`
	Calls int     `json:"calls"`
	P50   float64 `json:"p50"`
	P95   float64 `json:"p95"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

// timedLeases is the number of leases that timed registrations are about, so that none reaches its
// rate limit.
const timedLeases = 4

// measureLatencies measures the latency of calls, one call at a time.
func (d deployment) measureLatencies(r *report) {
	for _, codec := range []string{"proto", "json"} {
		client := d.client(codec)
		mesh := func(number int) string {
			return d.id(fmt.Sprintf("%s-%d", codec, number%timedLeases))
		}
		for _, timed := range []struct {
			name string
			call load.Call
		}{
			{"Health", func(ctx context.Context, _ int) error { return client.CheckHealth(ctx) }},
			{"RegisterColony", func(ctx context.Context, number int) error {
				return client.Register(ctx, load.Colony(mesh(number), number%timedLeases))
			}},
			{"LookupColony", func(ctx context.Context, number int) error {
				return client.Lookup(ctx, mesh(number), number%timedLeases)
			}},
		} {
			result := load.Calls(1, d.options.calls, timed.call)
			r.check(timed.name+" repeatedly", codec, func() error { return result.FirstError })
			r.Latencies = append(r.Latencies, latency{
				Name: timed.name, Codec: codec, Calls: result.Calls, P50: result.Percentile(50),
				P95: result.Percentile(95), P99: result.Percentile(99), Max: result.Max(),
			})
		}
	}
}
