package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"connectrpc.com/connect"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/bootstraptoken"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

// deployment is what is looked at. Ids have the run in them, so that no run meets another.
type deployment struct {
	flags
	http *http.Client
	run  string
}

// id is one that nobody else has.
func (d deployment) id(what string) string { return "smoke-" + d.run + "-" + what }

func (d deployment) client(codec string) load.Client {
	return load.NewClientOn(d.http, d.url, options(codec)...)
}

func ask[T any](message *T) *connect.Request[T] { return connect.NewRequest(message) }

// spreading is how long a deployment takes at most until all places know of it.
const spreading = 30 * time.Second

// awaitVersion waits until the version that the caller wants answers, or long enough: what is looked at then says so.
func (d deployment) awaitVersion() {
	client := d.client("proto")
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for end := time.Now().Add(spreading); d.version != "" && time.Now().Before(end); <-ticker.C {
		answer, err := client.Health(context.Background(), ask(&discoveryv1.HealthRequest{}))
		if err == nil && answer.Header().Get(versionHeader) == d.version {
			return
		}
	}
}

// versionHeader is where Health names the deployed version.
const versionHeader = "Coral-Discovery-Version"

// want compares.
func want[T comparable](what string, got, wanted T) error {
	if got != wanted {
		return fmt.Errorf("%s is %v, want %v", what, got, wanted)
	}
	return nil
}

// calls looks at every RPC.
func (d deployment) calls(r *report, codec string) {
	ctx := context.Background()
	client := d.client(codec)
	mesh, agent := d.id(codec), d.id(codec+"-agent")
	r.check("Health says ok, and which version answers", codec, func() error {
		answer, err := client.Health(ctx, ask(&discoveryv1.HealthRequest{}))
		if err != nil {
			return err
		}
		r.Version = answer.Header().Get(versionHeader)
		if d.version != "" {
			return errors.Join(want("status", answer.Msg.Status, "ok"), want("version", r.Version, d.version))
		}
		return want("status", answer.Msg.Status, "ok")
	})
	r.check("a colony registers", codec, func() error {
		answer, err := client.RegisterColony(ctx, ask(load.Colony(mesh, 1)))
		if err != nil {
			return err
		}
		left := time.Until(answer.Msg.ExpiresAt.AsTime()).Seconds()
		if ttl := float64(answer.Msg.Ttl); !answer.Msg.Success || ttl <= 0 || left > ttl+clockSkew || left < ttl-clockSkew {
			return fmt.Errorf("success %v, ttl %v s, and its lease lapses in %.0f s by this clock", answer.Msg.Success, ttl, left)
		}
		return nil
	})
	r.check("it is found with all that it registered", codec, func() error { return client.Lookup(ctx, mesh, 1) })
	r.check("its next heartbeat changes its endpoints", codec, func() error {
		changed := load.Colony(mesh, 1)
		changed.Endpoints = []string{"192.0.2.99:1"}
		if err := client.Register(ctx, changed); err != nil {
			return err
		}
		answer, err := client.LookupColony(ctx, ask(&discoveryv1.LookupColonyRequest{MeshId: mesh}))
		if err == nil && !slices.Equal(answer.Msg.Endpoints, changed.Endpoints) {
			err = fmt.Errorf("endpoints are %v", answer.Msg.Endpoints)
		}
		return err
	})
	r.check("another key does not get its id: split brain", codec, func() error {
		_, err := client.RegisterColony(ctx, ask(load.Colony(mesh, 2)))
		return load.Expect(err, connect.CodeAlreadyExists, "already registered with different pubkey")
	})
	r.check("an unknown colony is not found", codec, func() error { return client.LookupUnknown(ctx, d.id("nobody")) })
	r.check("an agent registers", codec, func() error { return client.RegisterAgentOf(ctx, agent, mesh, 3) })
	r.check("it is found in its mesh", codec, func() error { return client.LookupAgentOf(ctx, agent, mesh, 3) })
	r.check("and by clients that do not name the mesh", codec, func() error { return client.LookupAgentOf(ctx, agent, "", 3) })
	r.check("an unknown agent is not found", codec, func() error {
		_, err := client.LookupAgent(ctx, ask(&discoveryv1.LookupAgentRequest{AgentId: d.id("nobody"), MeshId: mesh}))
		return load.Expect(err, connect.CodeNotFound, "not found")
	})
	r.check("another key does not get the agent's id", codec, func() error {
		err := client.RegisterAgentOf(ctx, agent, mesh, 4)
		if err == nil {
			return skipped("it does: AGENT_TAKEOVER is on")
		}
		return load.Expect(err, connect.CodeAlreadyExists, "already registered with different pubkey")
	})
	r.check("a relay is reserved and given back once", codec, func() error { return relay(ctx, client, mesh) })
	r.check("a ticket is one by the rules of colonies", codec, func() error { return d.ticket(ctx, client, mesh, agent) })
	r.check("a message reaches its colony, and is gone when it is acknowledged", codec, func() error { return message(ctx, client, mesh) })
	r.check("what is missing is named", codec, func() error {
		_, err := client.RegisterColony(ctx, ask(&discoveryv1.RegisterColonyRequest{MeshId: mesh}))
		return load.Expect(err, connect.CodeInvalidArgument, "pubkey is required")
	})
}

// clockSkew is by how many seconds this machine's clock may differ.
const clockSkew = 30

func relay(ctx context.Context, client load.Client, mesh string) error {
	answer, err := client.RequestRelay(ctx, ask(&discoveryv1.RequestRelayRequest{
		MeshId: mesh, AgentPubkey: load.Key(3), ColonyPubkey: load.Key(1),
	}))
	if connect.CodeOf(err) == connect.CodeUnimplemented {
		return skipped("no relay is configured: CORAL_RELAYS")
	}
	if err != nil {
		return err
	}
	session := &discoveryv1.ReleaseRelayRequest{SessionId: answer.Msg.SessionId, MeshId: mesh}
	if released, err := client.ReleaseRelay(ctx, ask(session)); err != nil || !released.Msg.Success {
		return fmt.Errorf("not released: %v", err)
	}
	_, err = client.ReleaseRelay(ctx, ask(session))
	return load.Expect(err, connect.CodeNotFound, "not found")
}

func (d deployment) ticket(ctx context.Context, client load.Client, mesh, agent string) error {
	answer, err := client.CreateBootstrapToken(ctx, ask(&discoveryv1.CreateBootstrapTokenRequest{
		ReefId: "default", ColonyId: mesh, AgentId: agent, Intent: "register",
	}))
	if connect.CodeOf(err) == connect.CodeFailedPrecondition {
		return skipped("there is no key: DISCOVERY_SIGNING_KEY")
	}
	if err != nil {
		return err
	}
	keys, _, err := bootstraptoken.Fetch(d.http, d.url)
	if err != nil {
		return err
	}
	claims, err := bootstraptoken.Check(answer.Msg.Jwt, keys)
	if err != nil {
		return err
	}
	return errors.Join(want("colony_id", claims.ColonyID, mesh), want("agent_id", claims.AgentID, agent))
}

func message(ctx context.Context, client load.Client, mesh string) error {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	left, err := client.PublishBootstrapRendezvous(ctx, ask(&discoveryv1.PublishBootstrapRendezvousRequest{
		MeshId: mesh, Ciphertext: secret, GcmNonce: secret[:12], TtlSeconds: 30, WriteToken: secret,
	}))
	if err != nil {
		return err
	}
	poll := func() ([]*discoveryv1.BootstrapRendezvousRecord, error) {
		found, err := client.PollBootstrapRendezvous(ctx, ask(&discoveryv1.PollBootstrapRendezvousRequest{MeshId: mesh}))
		if err != nil {
			return nil, err
		}
		return found.Msg.Records, nil
	}
	records, err := poll()
	if err != nil {
		return err
	}
	if len(records) != 1 || !bytes.Equal(records[0].Ciphertext, secret) {
		return fmt.Errorf("%d messages, want the one that was left", len(records))
	}
	if _, err := client.AckBootstrapRendezvous(ctx, ask(&discoveryv1.AckBootstrapRendezvousRequest{
		MeshId: mesh, RecordId: left.Msg.RecordId, WriteToken: secret,
	})); err != nil {
		return err
	}
	records, err = poll()
	return errors.Join(err, want("messages left", len(records), 0))
}
