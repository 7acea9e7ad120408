package e2e

import (
	"net/http"
	"testing"

	"connectrpc.com/connect"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// Clients may call methods without side effects by GET. No HTTP cache may store the responses.
func TestLookupsByGET(t *testing.T) {
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
			request := newRequest(&discoveryv1.LookupColonyRequest{MeshId: "m"})
			found, err := c.LookupColony(testContext(t), request)
			if err != nil {
				t.Fatal(err)
			}
			cacheControl := found.Header().Get("Cache-Control")
			if found.Msg.GetPubkey() != "k" || cacheControl != "no-store" {
				t.Errorf("found %v, Cache-Control %q", found.Msg, cacheControl)
			}
			if _, err := lookupAgent(t, c, "a", "m"); err != nil {
				t.Error(err)
			}
			_, err = lookupColony(t, c, "unknown")
			wantError(t, err, connect.CodeNotFound, "colony not found")
			if got := health(t, c); got.GetStatus() != "ok" {
				t.Errorf("health %v", got)
			}
		})
	}
	url := worker.URL + procedure("LookupColony") +
		"?encoding=json&message=%7B%22meshId%22%3A%22unknown%22%7D"
	response := sendHTTP(t, http.MethodGet, url, nil)
	response.wantConnectError(t, http.StatusNotFound, connect.CodeNotFound, "unknown")
	if cacheControl := response.header.Get("Cache-Control"); cacheControl != "no-store" {
		t.Errorf("Cache-Control of an error: %q", cacheControl)
	}
}
