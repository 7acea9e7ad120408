package load

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"

	"connectrpc.com/connect"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1/discoveryv1connect"
)

// Client calls a Worker, or what stands in for it.
type Client struct {
	discoveryv1connect.DiscoveryServiceClient
}

// NewClient returns a client with connections for so many calls at once. Options are of connect-go.
func NewClient(url string, calls int, options ...connect.ClientOption) Client {
	transport := &http.Transport{MaxIdleConns: calls, MaxIdleConnsPerHost: calls, MaxConnsPerHost: calls}
	return NewClientOn(&http.Client{Transport: transport}, url, options...)
}

// NewClientOn returns a client that sends its requests by another one.
func NewClientOn(client *http.Client, url string, options ...connect.ClientOption) Client {
	return Client{discoveryv1connect.NewDiscoveryServiceClient(client, url, options...)}
}

// Key is a public key of the right form, a different one for each number.
func Key(number int) string {
	key := bytes.Repeat([]byte{1}, 32)
	copy(key, fmt.Sprint(number))
	return base64.StdEncoding.EncodeToString(key)
}

// Colony is a registration as colonies make it.
func Colony(meshID string, number int) *discoveryv1.RegisterColonyRequest {
	return &discoveryv1.RegisterColonyRequest{
		MeshId:      meshID,
		Pubkey:      Key(number),
		Endpoints:   []string{Endpoint(number), "192.0.2.10:51820"},
		MeshIpv4:    "100.64.0.1",
		MeshIpv6:    "fd42::1",
		ConnectPort: 9000,
		PublicPort:  8443,
		Metadata:    map[string]string{"environment": "load", "version": "v0.1.0"},
		ObservedEndpoint: &discoveryv1.Endpoint{
			Ip: "203.0.113.9", Port: 40000, Protocol: "udp",
		},
	}
}

// WithCertificate adds a certificate of 1.5 KB to a registration.
func WithCertificate(colony *discoveryv1.RegisterColonyRequest) *discoveryv1.RegisterColonyRequest {
	colony.PublicEndpoint = &discoveryv1.PublicEndpointInfo{
		Enabled: true,
		Url:     "https://colony.example:8443",
		CaCert:  base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("c"), 1152)),
	}
	return colony
}

// Endpoint is an address, a different one for each number.
func Endpoint(number int) string {
	return fmt.Sprintf("10.%d.%d.%d:51820", number>>16&255, number>>8&255, number&255)
}

// Register registers the colony of that mesh, or renews its lease.
func (c Client) Register(ctx context.Context, colony *discoveryv1.RegisterColonyRequest) error {
	answer, err := c.RegisterColony(ctx, connect.NewRequest(colony))
	if err == nil && !answer.Msg.Success {
		return fmt.Errorf("%s: no success", colony.MeshId)
	}
	return err
}

// Lookup looks a colony up, and compares what is found with what that number has registered.
func (c Client) Lookup(ctx context.Context, meshID string, number int) error {
	answer, err := c.LookupColony(ctx, connect.NewRequest(&discoveryv1.LookupColonyRequest{MeshId: meshID}))
	if err != nil {
		return err
	}
	if found := answer.Msg; found.MeshId != meshID || found.Pubkey != Key(number) ||
		!slices.Contains(found.Endpoints, Endpoint(number)) {
		return fmt.Errorf("%s: found %v", meshID, found)
	}
	return nil
}

// LookupUnknown looks up what nobody has registered.
func (c Client) LookupUnknown(ctx context.Context, meshID string) error {
	_, err := c.LookupColony(ctx, connect.NewRequest(&discoveryv1.LookupColonyRequest{MeshId: meshID}))
	return Expect(err, connect.CodeNotFound, "not found")
}

// RegisterAgentOf registers an agent of a mesh.
func (c Client) RegisterAgentOf(ctx context.Context, agentID, meshID string, number int) error {
	answer, err := c.RegisterAgent(ctx, connect.NewRequest(&discoveryv1.RegisterAgentRequest{
		AgentId:   agentID,
		MeshId:    meshID,
		Pubkey:    Key(number),
		Endpoints: []string{Endpoint(number)},
		ObservedEndpoint: &discoveryv1.Endpoint{
			Ip: "203.0.113.9", Port: 40000, Protocol: "udp",
		},
	}))
	if err == nil && !answer.Msg.Success {
		return fmt.Errorf("%s: no success", agentID)
	}
	return err
}

// LookupAgentOf looks up an agent of a mesh, and compares as Lookup does.
func (c Client) LookupAgentOf(ctx context.Context, agentID, meshID string, number int) error {
	request := &discoveryv1.LookupAgentRequest{AgentId: agentID, MeshId: meshID}
	answer, err := c.LookupAgent(ctx, connect.NewRequest(request))
	if err != nil {
		return err
	}
	if found := answer.Msg; found.AgentId != agentID || found.Pubkey != Key(number) {
		return fmt.Errorf("%s: found %v", agentID, found)
	}
	return nil
}

// Ticket asks for a ticket.
func (c Client) Ticket(ctx context.Context, agentID, colonyID string) error {
	answer, err := c.CreateBootstrapToken(ctx, connect.NewRequest(&discoveryv1.CreateBootstrapTokenRequest{
		ReefId: "default", ColonyId: colonyID, AgentId: agentID, Intent: "register",
	}))
	if err == nil && answer.Msg.Jwt == "" {
		return fmt.Errorf("%s: no ticket", agentID)
	}
	return err
}

// Healthy asks how the Worker is.
func (c Client) Healthy(ctx context.Context) error {
	answer, err := c.Health(ctx, connect.NewRequest(&discoveryv1.HealthRequest{}))
	if err == nil && answer.Msg.Status != "ok" {
		return fmt.Errorf("status %q", answer.Msg.Status)
	}
	return err
}

// Expect returns what is wrong with an error that should have that code and text.
func Expect(err error, code connect.Code, text string) error {
	if connect.CodeOf(err) != code || !strings.Contains(fmt.Sprint(err), text) {
		return fmt.Errorf("expected %v (%s), got: %w", code, text, err)
	}
	return nil
}

// Pick chooses which of n keys the next call is about.
type Pick func() int

// Uniform picks each key as often as any other.
func Uniform(n int) Pick {
	return func() int { return rand.IntN(n) }
}

// Zipf picks few keys most of the time, as callers do: the nth about a nth as often as the first.
func Zipf(n int) Pick {
	table := make([]int, 1<<16)
	zipf := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.1, 1, uint64(n-1))
	for i := range table {
		table[i] = int(zipf.Uint64())
	}
	return func() int { return table[rand.IntN(len(table))] }
}
