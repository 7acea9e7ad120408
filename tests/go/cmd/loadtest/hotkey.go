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
	// hotClients look one mesh up as fast as they can.
	hotClients = 256
	// renewing is how often its colony renews, each time with another port.
	renewing = 500 * time.Millisecond
	// documented is how far behind a lookup may be.
	documented = time.Minute
)

// hotKey has everybody look up one mesh while its colony renews and changes.
func hotKey(t *harness.Program, options options, findings *load.Findings) {
	progress("%d clients on one mesh for %v", hotClients, options.hot)
	worker := start(t, "REGISTRY_SHARDS=0")
	client := load.NewClient(worker.URL, hotClients+1)
	// superseded has for each port, but the last, when its successor was acknowledged.
	var superseded sync.Map
	stop := make(chan struct{})
	var renewals sync.WaitGroup
	errors := 0
	register := func(port int) {
		colony := load.Colony("hot", 1)
		colony.ConnectPort = uint32(port)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := client.Register(ctx, colony); err != nil {
			errors++
		}
		superseded.Store(port-1, time.Now())
	}
	register(1)
	renewals.Go(func() {
		ticker := time.NewTicker(renewing)
		defer ticker.Stop()
		for port := 2; ; port++ {
			select {
			case <-ticker.C:
				register(port)
			case <-stop:
				return
			}
		}
	})
	var staleness atomic.Int64
	result := load.For(hotClients, options.hot, func(ctx context.Context, _ int) error {
		asked := time.Now()
		answer, err := client.LookupColony(ctx, connect.NewRequest(&discoveryv1.LookupColonyRequest{MeshId: "hot"}))
		if err != nil {
			return err
		}
		if at, is := superseded.Load(int(answer.Msg.ConnectPort)); is {
			behind := asked.Sub(at.(time.Time)).Milliseconds()
			for known := staleness.Load(); behind > known && !staleness.CompareAndSwap(known, behind); {
				known = staleness.Load()
			}
		}
		if answer.Msg.Pubkey != load.Key(1) {
			return fmt.Errorf("another's key: %v", answer.Msg)
		}
		return nil
	})
	close(stop)
	renewals.Wait()
	behind := time.Duration(staleness.Load()) * time.Millisecond
	findings.Expect(result.Errors+errors == 0 && behind <= documented,
		"%d clients on one mesh that changes twice a second: %.0f calls/s, p99 %.0f ms, %d errors; at most %v behind, documented %v %s",
		hotClients, result.PerSecond(), result.Quantile(99), result.Errors+errors, behind, documented, first(result))
	worker.Kill()
}
