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

// Raw calls a Worker as Client does, but with an HTTP client that takes a fraction of the time, for where
// connect-go would be the limit. It decodes no answer.
type Raw struct {
	client *fasthttp.HostClient
	url    string
	codec  string
}

// NewRaw returns a client with connections for so many calls at once, of the codec "json" or "proto".
func NewRaw(url string, calls int, codec string) Raw {
	host := strings.TrimPrefix(url, "http://")
	return Raw{&fasthttp.HostClient{Addr: host, MaxConns: calls}, url, codec}
}

// Lookup looks a colony up. What is found names it at least.
func (r Raw) Lookup(_ context.Context, meshID string) error {
	answer, err := r.call(discoveryv1connect.DiscoveryServiceLookupColonyProcedure,
		&discoveryv1.LookupColonyRequest{MeshId: meshID})
	if err == nil && !bytes.Contains(answer, []byte(meshID)) {
		return fmt.Errorf("%s: found %q", meshID, answer)
	}
	return err
}

// Healthy asks how the Worker is.
func (r Raw) Healthy(context.Context) error {
	answer, err := r.call(discoveryv1connect.DiscoveryServiceHealthProcedure, &discoveryv1.HealthRequest{})
	if err == nil && !bytes.Contains(answer, []byte("ok")) {
		return fmt.Errorf("health is %q", answer)
	}
	return err
}

// KeySet fetches the keys of tickets.
func (r Raw) KeySet(context.Context) error {
	status, answer, err := r.client.GetTimeout(nil, r.url+"/.well-known/jwks.json", patience)
	if err == nil && (status != fasthttp.StatusOK || !bytes.Contains(answer, []byte("Ed25519"))) {
		return fmt.Errorf("status %d: %q", status, answer)
	}
	return err
}

func (r Raw) call(procedure string, message proto.Message) ([]byte, error) {
	encode := proto.Marshal
	if r.codec == "json" {
		encode = protojson.Marshal
	}
	body, err := encode(message)
	if err != nil {
		return nil, err
	}
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.SetRequestURI(r.url + procedure)
	request.Header.SetMethod(fasthttp.MethodPost)
	request.Header.SetContentType("application/" + r.codec)
	request.SetBodyRaw(body)
	if err := r.client.DoTimeout(request, response, patience); err != nil {
		return nil, err
	}
	if status := response.StatusCode(); status != fasthttp.StatusOK {
		return nil, fmt.Errorf("status %d: %q", status, response.Body())
	}
	return bytes.Clone(response.Body()), nil
}
