package main

import (
	"context"
	"fmt"
	"time"

	"connectrpc.com/connect"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

// expiryTolerance is how much earlier or later than its time to live a lease may seem to expire,
// given the time that a registration and a lookup take.
const expiryTolerance = 5 * time.Second

// checkExpiry waits until a colony's lease expires.
func (d deployment) checkExpiry(r *report) {
	ctx := context.Background()
	client := d.client("proto")
	mesh := d.id("expiry")
	name := "an expired lease is not found, and another key can take it"
	r.check(name, "proto", func() error {
		response, err := client.RegisterColony(ctx, connect.NewRequest(load.Colony(mesh, 1)))
		if err != nil {
			return err
		}
		ttl := time.Duration(response.Msg.Ttl) * time.Second
		if err := waitForExpiry(ctx, client, mesh, ttl); err != nil {
			return err
		}
		return client.Register(ctx, load.Colony(mesh, 2))
	})
}

// waitForExpiry waits until a colony that has just registered is not found. It returns an error if
// that happens too early or too late.
func waitForExpiry(ctx context.Context, client load.Client, mesh string, ttl time.Duration) error {
	registered := time.Now()
	ticker := time.NewTicker(min(ttl/10+100*time.Millisecond, 2*time.Second))
	defer ticker.Stop()
	for range ticker.C {
		request := &discoveryv1.LookupColonyRequest{MeshId: mesh}
		_, err := client.LookupColony(ctx, connect.NewRequest(request))
		age := time.Since(registered)
		switch {
		case connect.CodeOf(err) == connect.CodeNotFound && age < ttl-expiryTolerance:
			return fmt.Errorf("not found %v after it registered for %v", age.Round(time.Second), ttl)
		case connect.CodeOf(err) == connect.CodeNotFound:
			return nil
		case err != nil:
			return err
		case age > ttl+expiryTolerance:
			return fmt.Errorf("still found %v after it registered for %v", age.Round(time.Second), ttl)
		}
	}
	return nil
}
