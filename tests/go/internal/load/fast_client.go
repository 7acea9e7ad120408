package load

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/valyala/fasthttp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1/discoveryv1connect"
)

// FastClient makes calls with fasthttp, at a fraction of connect-go's processor time, for
// measurements that connect-go would limit. It does not decode responses.
type FastClient struct {
	client *fasthttp.HostClient
	url    string
	codec  string
}

// NewFastClient returns a client with this many connections. The codec is "json" or "proto".
func NewFastClient(url string, connections int, codec string) FastClient {
	host := strings.TrimPrefix(url, "http://")
	return FastClient{&fasthttp.HostClient{Addr: host, MaxConns: connections}, url, codec}
}

// Lookup looks a colony up, and checks that the response contains its mesh id.
func (c FastClient) Lookup(_ context.Context, meshID string) error {
	response, err := c.call(discoveryv1connect.DiscoveryServiceLookupColonyProcedure,
		&discoveryv1.LookupColonyRequest{MeshId: meshID})
	if err == nil && !bytes.Contains(response, []byte(meshID)) {
		return fmt.Errorf("%s: found %q", meshID, response)
	}
	return err
}

// CheckHealth calls Health, and checks that the response contains "ok".
func (c FastClient) CheckHealth(context.Context) error {
	response, err := c.call(discoveryv1connect.DiscoveryServiceHealthProcedure,
		&discoveryv1.HealthRequest{})
	if err == nil && !bytes.Contains(response, []byte("ok")) {
		return fmt.Errorf("health is %q", response)
	}
	return err
}

// FetchKeySet fetches the public keys of bootstrap tokens.
func (c FastClient) FetchKeySet(context.Context) error {
	status, response, err := c.client.GetTimeout(nil, c.url+"/.well-known/jwks.json", callTimeout)
	if err != nil {
		return err
	}
	if status != fasthttp.StatusOK || !bytes.Contains(response, []byte("Ed25519")) {
		return fmt.Errorf("status %d: %q", status, response)
	}
	return nil
}

func (c FastClient) call(procedure string, message proto.Message) ([]byte, error) {
	encode := proto.Marshal
	if c.codec == "json" {
		encode = protojson.Marshal
	}
	body, err := encode(message)
	if err != nil {
		return nil, err
	}
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.SetRequestURI(c.url + procedure)
	request.Header.SetMethod(fasthttp.MethodPost)
	request.Header.SetContentType("application/" + c.codec)
	request.SetBodyRaw(body)
	if err := c.client.DoTimeout(request, response, callTimeout); err != nil {
		return nil, err
	}
	if status := response.StatusCode(); status != fasthttp.StatusOK {
		return nil, fmt.Errorf("status %d: %q", status, response.Body())
	}
	return bytes.Clone(response.Body()), nil
}
