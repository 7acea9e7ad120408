// Package e2e states what clients can see of the Worker, seen by real clients.
package e2e

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1/discoveryv1connect"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// patience is how long any call or condition may take: far longer than it does, so that only
// what never happens fails.
const patience = 30 * time.Second

type client = discoveryv1connect.DiscoveryServiceClient

// procedure is the path of a method.
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

// send makes a request with headers, given as name, value, name, value.
func send[T any](message *T, headers ...string) *connect.Request[T] {
	request := connect.NewRequest(message)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header().Set(headers[i], headers[i+1])
	}
	return request
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// colony is a registration that is in order.
func colony(meshID, pubkey string) *discoveryv1.RegisterColonyRequest {
	return &discoveryv1.RegisterColonyRequest{
		MeshId:    meshID,
		Pubkey:    pubkey,
		Endpoints: []string{"203.0.113.7:51820"},
	}
}

// agent is a registration that is in order.
func agent(agentID, meshID, pubkey string) *discoveryv1.RegisterAgentRequest {
	return &discoveryv1.RegisterAgentRequest{
		AgentId:   agentID,
		MeshId:    meshID,
		Pubkey:    pubkey,
		Endpoints: []string{"203.0.113.8:51820"},
	}
}

func registerColony(t *testing.T, c client, request *discoveryv1.RegisterColonyRequest, headers ...string) *discoveryv1.RegisterColonyResponse {
	t.Helper()
	answer, err := c.RegisterColony(deadline(t), send(request, headers...))
	if err != nil {
		t.Fatal(err)
	}
	return answer.Msg
}

func registerAgent(t *testing.T, c client, request *discoveryv1.RegisterAgentRequest, headers ...string) *discoveryv1.RegisterAgentResponse {
	t.Helper()
	answer, err := c.RegisterAgent(deadline(t), send(request, headers...))
	if err != nil {
		t.Fatal(err)
	}
	return answer.Msg
}

func lookupColony(t *testing.T, c client, meshID string, headers ...string) (*discoveryv1.LookupColonyResponse, error) {
	t.Helper()
	answer, err := c.LookupColony(deadline(t), send(&discoveryv1.LookupColonyRequest{MeshId: meshID}, headers...))
	if err != nil {
		return nil, err
	}
	return answer.Msg, nil
}

func lookupAgent(t *testing.T, c client, agentID, meshID string, headers ...string) (*discoveryv1.LookupAgentResponse, error) {
	t.Helper()
	request := &discoveryv1.LookupAgentRequest{AgentId: agentID, MeshId: meshID}
	answer, err := c.LookupAgent(deadline(t), send(request, headers...))
	if err != nil {
		return nil, err
	}
	return answer.Msg, nil
}

// wantError fails unless err has the code and each of the texts.
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
			t.Errorf("text %q has no %q", err, text)
		}
	}
}

// metadata is what came with an error.
func metadata(err error) http.Header {
	var failed *connect.Error
	if errors.As(err, &failed) {
		return failed.Meta()
	}
	return nil
}

// details are what an error tells programs.
func details(err error) []*connect.ErrorDetail {
	var failed *connect.Error
	if errors.As(err, &failed) {
		return failed.Details()
	}
	return nil
}

// wantEqual fails unless two messages are equal, and shows both.
func wantEqual(t *testing.T, got, want proto.Message) {
	t.Helper()
	if !proto.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}
