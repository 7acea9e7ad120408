package e2e

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// The log has the outcome of each call, and neither contents of messages nor addresses of callers.
func TestLogContainsNoMessageContents(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t,
		"REGISTRY_SHARDS=0", "DEFAULT_TTL_SECONDS=5", "CLEANUP_INTERVAL_MS=100")
	const secret = "c2VjcmV0"
	for _, body := range []string{
		`{"mesh_id":"m","pubkey":"` + secret + `","endpoints":["` + secret + `:1"]}`,
		`{"mesh_id":"m","pubkey":"other ` + secret + `","endpoints":["` + secret + `:1"]}`,
		`{"mesh_id":"` + secret + `","pubkey":"k","endpoints":["a:1"]}`,
		`{"pubkey":"` + secret + `","observedEndpoint":"` + secret + `"}`,
		`{"mesh_id":"m","metadata":{"` + secret + `":1}}`,
		`{"connect_port":"` + secret + `"}`,
	} {
		postJSON(t, worker, "RegisterColony", body)
	}
	const address = "8.8.4.4"
	last := newRequest(colony("m", "k"), "Cf-Ray", "last", "Cf-Connecting-Ip", address)
	if _, err := worker.Client().RegisterColony(testContext(t), last); err == nil {
		t.Fatal("registered with another key")
	}
	if entry := worker.RequestEntry("last"); entry.Code != "already_exists" || entry.Status != 409 {
		t.Errorf("%+v", entry)
	}
	registerColony(t, worker.Client(), colony(secret+"2", "k"))
	harness.Eventually(t, testTimeout, "the log has sweeps", func() bool {
		return len(worker.SweepsOf("colony:"+secret)) > 0 &&
			len(worker.SweepsOf("colony:"+secret+"2")) > 0
	})
	for _, text := range []string{address, secret} {
		if log := worker.Log(); strings.Contains(log, text) {
			t.Errorf("the log contains %q:\n%s", text, log)
		}
	}
}

func TestLogHasAnEntryForEachRequest(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "SERVICE_VERSION=1.2.3-test", "ENVIRONMENT=test")
	c := worker.Client()
	registerColony(t, c, fullColony("mesh-1"), "Cf-Ray", "r1-FRA", "Cf-Ipcountry", "DE")
	registered := worker.RequestEntry("r1-FRA")
	if registered.Method != "RegisterColony" || registered.Codec != "proto" ||
		registered.Level != "info" || registered.Country != "DE" || registered.Colo != "FRA" ||
		registered.Environment != "test" || registered.Version != "1.2.3-test" ||
		registered.BytesIn == 0 || registered.BytesOut == 0 || registered.DurationMs == nil ||
		registered.ObjectMs == nil || registered.Status != 200 {
		t.Errorf("%+v", registered)
	}
	if _, err := lookupColony(t, c, "mesh-1", "Cf-Ray", "r2"); err != nil {
		t.Fatal(err)
	}
	_, _ = lookupColony(t, c, "mesh-2", "Cf-Ray", "r3")
	found, notFound := worker.RequestEntry("r2"), worker.RequestEntry("r3")
	if found.LookupSource != "object" || notFound.Code != "not_found" {
		t.Errorf("%+v %+v", found, notFound)
	}
	if found.MeshHash != registered.MeshHash || found.MeshHash == notFound.MeshHash ||
		len(found.MeshHash) != 16 {
		t.Errorf("mesh hashes %q, %q and %q",
			registered.MeshHash, found.MeshHash, notFound.MeshHash)
	}
}

// The ray of a response identifies the request in the log.
func TestResponsesHaveTheRay(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	request := newRequest(colony("m", "k"), "Cf-Ray", "r1-FRA")
	response, err := worker.Client().RegisterColony(testContext(t), request)
	if err != nil {
		t.Fatal(err)
	}
	if ray := response.Header().Get("Cf-Ray"); ray != "r1-FRA" {
		t.Errorf("ray %q", ray)
	}
	_, err = lookupColony(t, worker.Client(), "unknown", "Cf-Ray", "r2-FRA")
	if ray := errorMetadata(err).Get("Cf-Ray"); ray != "r2-FRA" {
		t.Errorf("ray of the error %q", ray)
	}
	// Response heads are cached, but each response has the ray of its own request.
	var group errgroup.Group
	for number := range 100 {
		group.Go(func() error {
			want := fmt.Sprintf("r%d-FRA", number%40)
			request := newRequest(&discoveryv1.LookupColonyRequest{MeshId: "m"}, "Cf-Ray", want)
			response, err := worker.Client().LookupColony(testContext(t), request)
			if err != nil {
				return err
			}
			if ray := response.Header().Get("Cf-Ray"); ray != want {
				return fmt.Errorf("ray %q, want %q", ray, want)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}

func TestLogLevel(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "LOG_LEVEL=warn")
	registerColony(t, worker.Client(), colony("m", "k"))
	_, _ = lookupColony(t, worker.Client(), "unknown")
	requests := worker.RequestCount("RegisterColony") + worker.RequestCount("LookupColony")
	if requests+len(worker.Sweeps()) != 0 {
		t.Errorf("the log has entries below the level:\n%s", worker.Log())
	}
}

// On Cloudflare, entries are objects, so that Workers Logs indexes their members. workerd prints
// objects in JavaScript's syntax.
func TestLogAsObjects(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "LOG_FORMAT=object")
	health(t, worker.Client())
	harness.Eventually(t, testTimeout, "the log has an object", func() bool {
		return strings.Contains(worker.Log(), "method: 'Health'")
	})
	if log := worker.Log(); strings.Contains(log, `"method"`) {
		t.Errorf("the log has an entry as text:\n%s", log)
	}
}
