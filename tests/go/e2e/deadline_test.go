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
		message := colony(t.Name(), "k")
		for _, timeout := range []time.Duration{testTimeout, 1000 * time.Hour} {
			ctx, cancel := context.WithTimeout(context.Background(), timeout)
			defer cancel()
			if _, err := c.RegisterColony(ctx, newRequest(message)); err != nil {
				t.Errorf("with a deadline of %v: %v", timeout, err)
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), -time.Second)
		defer cancel()
		_, err := c.LookupColony(ctx, newRequest(&discoveryv1.LookupColonyRequest{MeshId: "m"}))
		wantError(t, err, connect.CodeDeadlineExceeded)
	})
}

// The time in which the request body arrives is part of the deadline.
func TestDeadlineEndsASlowBody(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	connection := dial(t, worker)
	fmt.Fprintf(connection, "POST %s HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"+
		"Cf-Ray: slow\r\nConnect-Timeout-Ms: 200\r\nContent-Length: 50\r\n\r\n{\"mesh",
		procedure("LookupColony"))
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusGatewayTimeout {
		t.Errorf("status %d", response.StatusCode)
	}
	if duration := worker.RequestEntry("slow").DurationMs; duration == nil || *duration < 200 {
		t.Errorf("logged duration: %v ms", duration)
	}
}

// A timeout header without a value sets no deadline: the body may arrive slowly.
func TestEmptyTimeoutHeaderMeansNoDeadline(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	connection := dial(t, worker)
	body := `{"meshId":"unknown"}`
	fmt.Fprintf(connection, "POST %s HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"+
		"Connect-Timeout-Ms:\r\nContent-Length: %d\r\n\r\n%s",
		procedure("LookupColony"), len(body), body[:5])
	// After these calls the Worker waits for the rest of the body.
	for range 3 {
		health(t, worker.Client())
	}
	fmt.Fprint(connection, body[5:])
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("status %d", response.StatusCode)
	}
}
