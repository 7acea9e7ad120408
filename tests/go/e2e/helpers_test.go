// Package e2e tests the built Worker with the clients that are in the field.
package e2e

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1/discoveryv1connect"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// testTimeout bounds a call or the wait for a condition. It is far longer than either takes, so
// that a busy machine fails no test.
const testTimeout = 30 * time.Second

type client = discoveryv1connect.DiscoveryServiceClient

// procedure returns the path of a method.
func procedure(method string) string {
	return "/" + discoveryv1connect.DiscoveryServiceName + "/" + method
}

// forEachCodec runs a test with each kind of client that is in the field.
func forEachCodec(t *testing.T, worker *harness.Worker, test func(*testing.T, client)) {
	t.Helper()
	for _, kind := range []struct {
		name    string
		options []connect.ClientOption
	}{
		{"proto", nil},
		{"json", []connect.ClientOption{connect.WithProtoJSON()}},
		{"proto gzip", []connect.ClientOption{connect.WithSendGzip()}},
		{"json gzip", []connect.ClientOption{connect.WithProtoJSON(), connect.WithSendGzip()}},
	} {
		t.Run(kind.name, func(t *testing.T) { test(t, worker.Client(kind.options...)) })
	}
}

// newRequest returns a request with headers, given as name, value, name, value.
func newRequest[T any](message *T, headers ...string) *connect.Request[T] {
	request := connect.NewRequest(message)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header().Set(headers[i], headers[i+1])
	}
	return request
}

// testContext returns a context that ends after testTimeout.
func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	t.Cleanup(cancel)
	return ctx
}

// colony returns a minimal registration of a colony.
func colony(meshID, pubkey string) *discoveryv1.RegisterColonyRequest {
	return &discoveryv1.RegisterColonyRequest{
		MeshId:    meshID,
		Pubkey:    pubkey,
		Endpoints: []string{"203.0.113.7:51820"},
	}
}

// agent returns a minimal registration of an agent.
func agent(agentID, meshID, pubkey string) *discoveryv1.RegisterAgentRequest {
	return &discoveryv1.RegisterAgentRequest{
		AgentId:   agentID,
		MeshId:    meshID,
		Pubkey:    pubkey,
		Endpoints: []string{"203.0.113.8:51820"},
	}
}

func registerColony(
	t *testing.T, c client, message *discoveryv1.RegisterColonyRequest, headers ...string,
) *discoveryv1.RegisterColonyResponse {
	t.Helper()
	response, err := c.RegisterColony(testContext(t), newRequest(message, headers...))
	if err != nil {
		t.Fatal(err)
	}
	return response.Msg
}

func registerAgent(
	t *testing.T, c client, message *discoveryv1.RegisterAgentRequest, headers ...string,
) *discoveryv1.RegisterAgentResponse {
	t.Helper()
	response, err := c.RegisterAgent(testContext(t), newRequest(message, headers...))
	if err != nil {
		t.Fatal(err)
	}
	return response.Msg
}

func lookupColony(
	t *testing.T, c client, meshID string, headers ...string,
) (*discoveryv1.LookupColonyResponse, error) {
	t.Helper()
	message := &discoveryv1.LookupColonyRequest{MeshId: meshID}
	response, err := c.LookupColony(testContext(t), newRequest(message, headers...))
	if err != nil {
		return nil, err
	}
	return response.Msg, nil
}

func lookupAgent(
	t *testing.T, c client, agentID, meshID string, headers ...string,
) (*discoveryv1.LookupAgentResponse, error) {
	t.Helper()
	message := &discoveryv1.LookupAgentRequest{AgentId: agentID, MeshId: meshID}
	response, err := c.LookupAgent(testContext(t), newRequest(message, headers...))
	if err != nil {
		return nil, err
	}
	return response.Msg, nil
}

// wantError fails the test unless err has the code and contains each of the texts.
func wantError(t *testing.T, err error, code connect.Code, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("succeeded, want %v", code)
	}
	if got := connect.CodeOf(err); got != code {
		t.Fatalf("code %v, want %v: %v", got, code, err)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q does not contain %q", err, text)
		}
	}
}

// errorMetadata returns the metadata of an error: the response headers.
func errorMetadata(err error) http.Header {
	var connectError *connect.Error
	if errors.As(err, &connectError) {
		return connectError.Meta()
	}
	return nil
}

// errorDetails returns the details of an error.
func errorDetails(err error) []*connect.ErrorDetail {
	var connectError *connect.Error
	if errors.As(err, &connectError) {
		return connectError.Details()
	}
	return nil
}

// wantEqual fails the test unless both messages are equal.
func wantEqual(t *testing.T, got, want proto.Message) {
	t.Helper()
	if !proto.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// readFile returns the content of a file of the project.
func readFile(t *testing.T, elements ...string) string {
	t.Helper()
	content, err := os.ReadFile(harness.Path(elements...))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
