package e2e

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"connectrpc.com/connect"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

func TestDeadlines(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	forEachCodec(t, worker, func(t *testing.T, c client) {
		request := colony(t.Name(), "k")
		for _, timeout := range []time.Duration{patience, 1000 * time.Hour} {
			ctx, cancel := context.WithTimeout(context.Background(), timeout)
			defer cancel()
			if _, err := c.RegisterColony(ctx, send(request)); err != nil {
				t.Errorf("with %v to go: %v", timeout, err)
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), -time.Second)
		defer cancel()
		_, err := c.LookupColony(ctx, send(&discoveryv1.LookupColonyRequest{MeshId: "m"}))
		wantError(t, err, connect.CodeDeadlineExceeded)
	})
}

// A client that sends its message slowly has no more time than it said.
func TestDeadlineEndsASlowBody(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	connection := dial(t, worker)
	fmt.Fprintf(connection, "POST %s HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"+
		"Cf-Ray: slow\r\nConnect-Timeout-Ms: 200\r\nContent-Length: 50\r\n\r\n{\"mesh", procedure("LookupColony"))
	answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusGatewayTimeout {
		t.Errorf("status %d", answer.StatusCode)
	}
	// The time for the body is part of the call's.
	if took := worker.RequestEntry("slow").DurationMs; took == nil || *took < 200 {
		t.Errorf("logged as having taken %v ms", took)
	}
}

// A header without a value is no deadline: the message may take its time.
func TestAnEmptyDeadlineIsNone(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	connection := dial(t, worker)
	body := `{"meshId":"nobody"}`
	fmt.Fprintf(connection, "POST %s HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"+
		"Connect-Timeout-Ms:\r\nContent-Length: %d\r\n\r\n%s", procedure("LookupColony"), len(body), body[:5])
	// Once these are answered, the Worker has long begun to wait for the rest.
	for range 3 {
		health(t, worker.Client())
	}
	fmt.Fprint(connection, body[5:])
	answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusNotFound {
		t.Errorf("status %d", answer.StatusCode)
	}
}
