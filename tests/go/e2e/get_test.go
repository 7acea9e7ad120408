package e2e

import (
	"net/http"
	"testing"

	"connectrpc.com/connect"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// What only reads may be called by GET, which the client must ask for; no cache may keep it.
func TestLookupsByGet(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	for name, options := range map[string][]connect.ClientOption{
		"proto": {connect.WithHTTPGet()},
		"json":  {connect.WithHTTPGet(), connect.WithProtoJSON()},
	} {
		t.Run(name, func(t *testing.T) {
			c := worker.Client(options...)
			registerColony(t, c, colony("m", "k"))
			registerAgent(t, c, agent("a", "m", "k"))
			found, err := c.LookupColony(deadline(t), send(&discoveryv1.LookupColonyRequest{MeshId: "m"}))
			if err != nil {
				t.Fatal(err)
			}
			if found.Msg.GetPubkey() != "k" || found.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("found %v, %v", found.Msg, found.Header())
			}
			if _, err := lookupAgent(t, c, "a", "m"); err != nil {
				t.Error(err)
			}
			_, err = lookupColony(t, c, "nobody")
			wantError(t, err, connect.CodeNotFound, "colony not found")
			if got := health(t, c); got.GetStatus() != "ok" {
				t.Errorf("health %v", got)
			}
		})
	}
	missing := raw(t, http.MethodGet, worker.URL+procedure("LookupColony")+
		"?encoding=json&message=%7B%22meshId%22%3A%22nobody%22%7D", nil)
	missing.wantFailure(t, http.StatusNotFound, connect.CodeNotFound, "nobody")
	if missing.header.Get("Cache-Control") != "no-store" {
		t.Errorf("a cache may keep %v", missing.header)
	}
}
