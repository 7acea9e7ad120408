package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

const (
	// hotClients is the number of clients that look one mesh up as fast as they can.
	hotClients = 256
	// renewalInterval is the time between two renewals of its colony, each with another port.
	renewalInterval = 500 * time.Millisecond
	// maxStaleness is the documented age of a cached lookup.
	maxStaleness = time.Minute
)

// hotKey looks one mesh up with many clients while its colony renews and changes its record.
func hotKey(t *harness.Program, options options, checks *load.Checks) {
	progress("%d clients on one mesh for %v", hotClients, options.hotDuration)
	worker := start(t, "REGISTRY_SHARDS=0")
	client := load.NewClient(worker.URL, hotClients+1)
	renewals := startRenewals(client)
	var staleness atomic.Int64
	result := load.For(hotClients, options.hotDuration, func(ctx context.Context, _ int) error {
		started := time.Now()
		request := &discoveryv1.LookupColonyRequest{MeshId: "hot"}
		response, err := client.LookupColony(ctx, connect.NewRequest(request))
		if err != nil {
			return err
		}
		if at, ok := renewals.replacedAt(response.Msg.ConnectPort); ok {
			storeMax(&staleness, started.Sub(at).Milliseconds())
		}
		if response.Msg.Pubkey != load.Key(1) {
			return fmt.Errorf("wrong key: %v", response.Msg)
		}
		return nil
	})
	errors := result.Errors + renewals.end()
	observed := time.Duration(staleness.Load()) * time.Millisecond
	checks.Expect(errors == 0 && observed <= maxStaleness,
		"%d clients on one mesh that changes twice a second: %.0f calls/s, p99 %.0f ms, %d errors; "+
			"staleness at most %v, documented %v %s",
		hotClients, result.PerSecond(), result.Percentile(99), errors, observed, maxStaleness,
		firstError(result))
	worker.Kill()
}

// storeMax stores a value if it is greater than the stored one.
func storeMax(target *atomic.Int64, value int64) {
	for {
		current := target.Load()
		if value <= current || target.CompareAndSwap(current, value) {
			return
		}
	}
}

// renewals renews the lease of the hot mesh in the background.
type renewals struct {
	client load.Client
	// replaced has the time at which the record with a port was replaced by the next one.
	replaced sync.Map
	errors   int
	stop     chan struct{}
	group    sync.WaitGroup
}

func startRenewals(client load.Client) *renewals {
	r := &renewals{client: client, stop: make(chan struct{})}
	r.register(1)
	r.group.Go(func() {
		ticker := time.NewTicker(renewalInterval)
		defer ticker.Stop()
		for port := uint32(2); ; port++ {
			select {
			case <-ticker.C:
				r.register(port)
			case <-r.stop:
				return
			}
		}
	})
	return r
}

func (r *renewals) register(port uint32) {
	colony := load.Colony("hot", 1)
	colony.ConnectPort = port
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := r.client.Register(ctx, colony); err != nil {
		r.errors++
	}
	r.replaced.Store(port-1, time.Now())
}

func (r *renewals) replacedAt(port uint32) (time.Time, bool) {
	at, ok := r.replaced.Load(port)
	if !ok {
		return time.Time{}, false
	}
	return at.(time.Time), true
}

// end ends the renewals, and returns the number of errors.
func (r *renewals) end() int {
	close(r.stop)
	r.group.Wait()
	return r.errors
}
