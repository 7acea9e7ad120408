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

// Client is a connect-go client whose methods also check the responses.
type Client struct {
	discoveryv1connect.DiscoveryServiceClient
}

// NewClient returns a client with this many connections. Options are those of connect-go.
func NewClient(url string, connections int, options ...connect.ClientOption) Client {
	transport := &http.Transport{
		MaxIdleConns: connections, MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections,
	}
	return NewClientOn(&http.Client{Transport: transport}, url, options...)
}

// NewClientOn returns a client that sends its requests with an HTTP client.
func NewClientOn(client *http.Client, url string, options ...connect.ClientOption) Client {
	return Client{discoveryv1connect.NewDiscoveryServiceClient(client, url, options...)}
}

// Key returns the public key of a number, in the form of a WireGuard key.
func Key(number int) string {
	key := bytes.Repeat([]byte{1}, 32)
	copy(key, fmt.Sprint(number))
	return base64.StdEncoding.EncodeToString(key)
}

// Endpoint returns the address of a number.
func Endpoint(number int) string {
	return fmt.Sprintf("10.%d.%d.%d:51820", number>>16&255, number>>8&255, number&255)
}

// Colony returns a registration such as colonies send, with the key and endpoint of a number.
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
func WithCertificate(
	colony *discoveryv1.RegisterColonyRequest,
) *discoveryv1.RegisterColonyRequest {
	colony.PublicEndpoint = &discoveryv1.PublicEndpointInfo{
		Enabled: true,
		Url:     "https://colony.example:8443",
		CaCert:  base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("c"), 1152)),
	}
	return colony
}

// Register registers a colony or renews its lease.
func (c Client) Register(
	ctx context.Context, colony *discoveryv1.RegisterColonyRequest,
) error {
	response, err := c.RegisterColony(ctx, connect.NewRequest(colony))
	if err == nil && !response.Msg.Success {
		return fmt.Errorf("%s: no success", colony.MeshId)
	}
	return err
}

// Lookup looks a colony up, and checks that it has the key and endpoint of a number.
func (c Client) Lookup(ctx context.Context, meshID string, number int) error {
	request := &discoveryv1.LookupColonyRequest{MeshId: meshID}
	response, err := c.LookupColony(ctx, connect.NewRequest(request))
	if err != nil {
		return err
	}
	if found := response.Msg; found.MeshId != meshID || found.Pubkey != Key(number) ||
		!slices.Contains(found.Endpoints, Endpoint(number)) {
		return fmt.Errorf("%s: found %v", meshID, found)
	}
	return nil
}

// LookupUnknown looks up a colony that is not registered, and checks the error.
func (c Client) LookupUnknown(ctx context.Context, meshID string) error {
	request := &discoveryv1.LookupColonyRequest{MeshId: meshID}
	_, err := c.LookupColony(ctx, connect.NewRequest(request))
	return ExpectError(err, connect.CodeNotFound, "not found")
}

// RegisterAgentOf registers an agent of a mesh with the key and endpoint of a number.
func (c Client) RegisterAgentOf(
	ctx context.Context, agentID, meshID string, number int,
) error {
	response, err := c.RegisterAgent(ctx, connect.NewRequest(&discoveryv1.RegisterAgentRequest{
		AgentId:   agentID,
		MeshId:    meshID,
		Pubkey:    Key(number),
		Endpoints: []string{Endpoint(number)},
		ObservedEndpoint: &discoveryv1.Endpoint{
			Ip: "203.0.113.9", Port: 40000, Protocol: "udp",
		},
	}))
	if err == nil && !response.Msg.Success {
		return fmt.Errorf("%s: no success", agentID)
	}
	return err
}

// LookupAgentOf looks an agent of a mesh up, and checks that it has the key of a number.
func (c Client) LookupAgentOf(ctx context.Context, agentID, meshID string, number int) error {
	request := &discoveryv1.LookupAgentRequest{AgentId: agentID, MeshId: meshID}
	response, err := c.LookupAgent(ctx, connect.NewRequest(request))
	if err != nil {
		return err
	}
	if found := response.Msg; found.AgentId != agentID || found.Pubkey != Key(number) {
		return fmt.Errorf("%s: found %v", agentID, found)
	}
	return nil
}

// BootstrapToken requests a bootstrap token.
func (c Client) BootstrapToken(ctx context.Context, agentID, colonyID string) error {
	request := &discoveryv1.CreateBootstrapTokenRequest{
		ReefId: "default", ColonyId: colonyID, AgentId: agentID, Intent: "register",
	}
	response, err := c.CreateBootstrapToken(ctx, connect.NewRequest(request))
	if err == nil && response.Msg.Jwt == "" {
		return fmt.Errorf("%s: no bootstrap token", agentID)
	}
	return err
}

// CheckHealth calls Health, and checks that the status is "ok".
func (c Client) CheckHealth(ctx context.Context) error {
	response, err := c.Health(ctx, connect.NewRequest(&discoveryv1.HealthRequest{}))
	if err == nil && response.Msg.Status != "ok" {
		return fmt.Errorf("status %q", response.Msg.Status)
	}
	return err
}

// ExpectError returns an error unless err has the code and contains the text.
func ExpectError(err error, code connect.Code, text string) error {
	if connect.CodeOf(err) != code || !strings.Contains(fmt.Sprint(err), text) {
		return fmt.Errorf("expected %v (%s), got: %w", code, text, err)
	}
	return nil
}

// Pick returns the number of the key for the next call.
type Pick func() int

// Uniform picks each of n keys equally often.
func Uniform(n int) Pick {
	return func() int { return rand.IntN(n) }
}

// Zipf picks among n keys with a Zipf distribution: few keys get most calls, as in production.
func Zipf(n int) Pick {
	table := make([]int, 1<<16)
	zipf := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.1, 1, uint64(n-1))
	for i := range table {
		table[i] = int(zipf.Uint64())
	}
	return func() int { return table[rand.IntN(len(table))] }
}
