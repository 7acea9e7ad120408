package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"connectrpc.com/connect"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/bootstraptoken"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

func (d deployment) checkBootstrapToken(
	ctx context.Context, client load.Client, mesh, agent string,
) error {
	response, err := client.CreateBootstrapToken(ctx, connect.NewRequest(
		&discoveryv1.CreateBootstrapTokenRequest{
			ReefId: "default", ColonyId: mesh, AgentId: agent, Intent: "register",
		}))
	if connect.CodeOf(err) == connect.CodeFailedPrecondition {
		return skipped("DISCOVERY_SIGNING_KEY is not set")
	}
	if err != nil {
		return err
	}
	keys, _, err := bootstraptoken.FetchKeys(d.http, d.url)
	if err != nil {
		return err
	}
	claims, err := bootstraptoken.Verify(response.Msg.Jwt, keys)
	if err != nil {
		return err
	}
	return errors.Join(
		want("colony_id", claims.ColonyID, mesh), want("agent_id", claims.AgentID, agent))
}

func checkRendezvous(ctx context.Context, client load.Client, mesh string) error {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	published, err := client.PublishBootstrapRendezvous(ctx, connect.NewRequest(
		&discoveryv1.PublishBootstrapRendezvousRequest{
			MeshId: mesh, Ciphertext: secret, GcmNonce: secret[:12], TtlSeconds: 30,
			WriteToken: secret,
		}))
	if err != nil {
		return err
	}
	records, err := poll(ctx, client, mesh)
	if err != nil {
		return err
	}
	if len(records) != 1 || !bytes.Equal(records[0].Ciphertext, secret) {
		return fmt.Errorf("%d records, want the one that was published", len(records))
	}
	_, err = client.AckBootstrapRendezvous(ctx, connect.NewRequest(
		&discoveryv1.AckBootstrapRendezvousRequest{
			MeshId: mesh, RecordId: published.Msg.RecordId, WriteToken: secret,
		}))
	if err != nil {
		return err
	}
	records, err = poll(ctx, client, mesh)
	return errors.Join(err, want("number of records", len(records), 0))
}

func poll(
	ctx context.Context, client load.Client, mesh string,
) ([]*discoveryv1.BootstrapRendezvousRecord, error) {
	request := &discoveryv1.PollBootstrapRendezvousRequest{MeshId: mesh}
	response, err := client.PollBootstrapRendezvous(ctx, connect.NewRequest(request))
	if err != nil {
		return nil, err
	}
	return response.Msg.Records, nil
}
