package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"connectrpc.com/connect"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

// deployment is the deployment under test.
type deployment struct {
	options
	http *http.Client
	// run is part of all ids, so that runs do not affect each other.
	run string
}

// id returns an id that only this run uses.
func (d deployment) id(suffix string) string { return "smoke-" + d.run + "-" + suffix }

func (d deployment) client(codec string) load.Client {
	return load.NewClientOn(d.http, d.url, clientOptions(codec)...)
}

// rolloutTimeout bounds the time until a deployed version serves all requests.
const rolloutTimeout = 30 * time.Second

// awaitVersion waits until the expected version serves requests. After the timeout the check of
// Health reports the wrong version.
func (d deployment) awaitVersion() {
	client := d.client("proto")
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	end := time.Now().Add(rolloutTimeout)
	for ; d.version != "" && time.Now().Before(end); <-ticker.C {
		response, err := client.Health(
			context.Background(), connect.NewRequest(&discoveryv1.HealthRequest{}))
		if err == nil && response.Header().Get(versionHeader) == d.version {
			return
		}
	}
}

// versionHeader is the header of Health that has the deployed version.
const versionHeader = "Coral-Discovery-Version"

// want returns an error unless both values are equal.
func want[T comparable](name string, got, wanted T) error {
	if got != wanted {
		return fmt.Errorf("%s is %v, want %v", name, got, wanted)
	}
	return nil
}

// maxClockSkew bounds the difference between the clocks of this machine and of the service, in
// seconds.
const maxClockSkew = 30

// checkCalls checks every RPC.
func (d deployment) checkCalls(r *report, codec string) {
	ctx := context.Background()
	client := d.client(codec)
	mesh, agent := d.id(codec), d.id(codec+"-agent")
	check := func(name string, run func() error) { r.check(name, codec, run) }

	check("Health has status ok", func() error { return d.checkHealth(ctx, client, r) })
	check("a colony registers", func() error { return checkRegistration(ctx, client, mesh) })
	check("a lookup returns the registration", func() error { return client.Lookup(ctx, mesh, 1) })
	check("a renewal changes the endpoints", func() error { return checkRenewal(ctx, client, mesh) })
	check("another key is rejected: split brain", func() error {
		_, err := client.RegisterColony(ctx, connect.NewRequest(load.Colony(mesh, 2)))
		return expectTaken(err)
	})
	check("an unknown colony is not found", func() error {
		return client.LookupUnknown(ctx, d.id("unknown"))
	})
	check("an agent registers", func() error {
		return client.RegisterAgentOf(ctx, agent, mesh, 3)
	})
	check("an agent is found with its mesh id", func() error {
		return client.LookupAgentOf(ctx, agent, mesh, 3)
	})
	check("an agent is found without a mesh id", func() error {
		return client.LookupAgentOf(ctx, agent, "", 3)
	})
	check("an unknown agent is not found", func() error {
		_, err := client.LookupAgent(ctx, connect.NewRequest(
			&discoveryv1.LookupAgentRequest{AgentId: d.id("unknown"), MeshId: mesh}))
		return load.ExpectError(err, connect.CodeNotFound, "not found")
	})
	check("another key of an agent is rejected", func() error {
		err := client.RegisterAgentOf(ctx, agent, mesh, 4)
		if err == nil {
			return skipped("AGENT_TAKEOVER is set: it took the lease over")
		}
		return expectTaken(err)
	})
	check("a relay session is released once", func() error { return checkRelay(ctx, client, mesh) })
	check("a bootstrap token is valid by the rules of colonies", func() error {
		return d.checkBootstrapToken(ctx, client, mesh, agent)
	})
	check("a rendezvous record is delivered, and removed when acknowledged", func() error {
		return checkRendezvous(ctx, client, mesh)
	})
	check("a missing field is named", func() error {
		_, err := client.RegisterColony(ctx, connect.NewRequest(
			&discoveryv1.RegisterColonyRequest{MeshId: mesh}))
		return load.ExpectError(err, connect.CodeInvalidArgument, "pubkey is required")
	})
}

func expectTaken(err error) error {
	const text = "already registered with different pubkey"
	return load.ExpectError(err, connect.CodeAlreadyExists, text)
}

func (d deployment) checkHealth(ctx context.Context, client load.Client, r *report) error {
	response, err := client.Health(ctx, connect.NewRequest(&discoveryv1.HealthRequest{}))
	if err != nil {
		return err
	}
	r.Version = response.Header().Get(versionHeader)
	err = want("status", response.Msg.Status, "ok")
	if d.version != "" {
		err = errors.Join(err, want("version", r.Version, d.version))
	}
	return err
}

func checkRegistration(ctx context.Context, client load.Client, mesh string) error {
	response, err := client.RegisterColony(ctx, connect.NewRequest(load.Colony(mesh, 1)))
	if err != nil {
		return err
	}
	remaining := time.Until(response.Msg.ExpiresAt.AsTime()).Seconds()
	ttl := float64(response.Msg.Ttl)
	isExpiryRight := remaining < ttl+maxClockSkew && remaining > ttl-maxClockSkew
	if !response.Msg.Success || ttl <= 0 || !isExpiryRight {
		return fmt.Errorf("success %v, ttl %v s, and the lease expires in %.0f s by this clock",
			response.Msg.Success, ttl, remaining)
	}
	return nil
}

func checkRenewal(ctx context.Context, client load.Client, mesh string) error {
	changed := load.Colony(mesh, 1)
	changed.Endpoints = []string{"192.0.2.99:1"}
	if err := client.Register(ctx, changed); err != nil {
		return err
	}
	request := &discoveryv1.LookupColonyRequest{MeshId: mesh}
	response, err := client.LookupColony(ctx, connect.NewRequest(request))
	if err == nil && !slices.Equal(response.Msg.Endpoints, changed.Endpoints) {
		err = fmt.Errorf("endpoints are %v", response.Msg.Endpoints)
	}
	return err
}

func checkRelay(ctx context.Context, client load.Client, mesh string) error {
	response, err := client.RequestRelay(ctx, connect.NewRequest(&discoveryv1.RequestRelayRequest{
		MeshId: mesh, AgentPubkey: load.Key(3), ColonyPubkey: load.Key(1),
	}))
	if connect.CodeOf(err) == connect.CodeUnimplemented {
		return skipped("CORAL_RELAYS is not set")
	}
	if err != nil {
		return err
	}
	session := &discoveryv1.ReleaseRelayRequest{SessionId: response.Msg.SessionId, MeshId: mesh}
	released, err := client.ReleaseRelay(ctx, connect.NewRequest(session))
	if err != nil || !released.Msg.Success {
		return fmt.Errorf("not released: %v", err)
	}
	_, err = client.ReleaseRelay(ctx, connect.NewRequest(session))
	return load.ExpectError(err, connect.CodeNotFound, "not found")
}
