package e2e

import (
	"context"
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
