package e2e

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// Whoever reads the log learns who failed at what, but nothing of what they sent.
func TestLogQuotesNoMessages(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "REGISTRY_SHARDS=0", "DEFAULT_TTL_SECONDS=5", "CLEANUP_INTERVAL_MS=100")
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
	caller := "8.8.4.4"
	last := send(colony("m", "k"), "Cf-Ray", "last", "Cf-Connecting-Ip", caller)
	if _, err := worker.Client().RegisterColony(deadline(t), last); err == nil {
		t.Fatal("registered")
	}
	if line := worker.RequestEntry("last"); line.Code != "already_exists" || line.Status != 409 {
		t.Errorf("%+v", line)
	}
	registerColony(t, worker.Client(), colony(secret+"2", "k"))
	harness.Eventually(t, patience, "sweeps are logged too", func() bool {
		return len(worker.SweepsOf("colony:"+secret)) > 0 && len(worker.SweepsOf("colony:"+secret+"2")) > 0
	})
	if log := worker.Log(); strings.Contains(log, caller) || strings.Contains(log, secret) {
		t.Errorf("the log quotes what was sent:\n%s", log)
	}
}

func TestLogTellsOfEachRequest(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "SERVICE_VERSION=1.2.3-test", "ENVIRONMENT=test")
	c := worker.Client()
	registerColony(t, c, everything("mesh-1"), "Cf-Ray", "r1-FRA", "Cf-Ipcountry", "DE")
	registered := worker.RequestEntry("r1-FRA")
	if registered.Method != "RegisterColony" || registered.Codec != "proto" || registered.Level != "info" ||
		registered.Country != "DE" || registered.Colo != "FRA" || registered.Environment != "test" ||
		registered.Version != "1.2.3-test" || registered.BytesIn == 0 || registered.BytesOut == 0 ||
		registered.DurationMs == nil || registered.ObjectMs == nil || registered.Status != 200 {
		t.Errorf("%+v", registered)
	}
	if _, err := lookupColony(t, c, "mesh-1", "Cf-Ray", "r2"); err != nil {
		t.Fatal(err)
	}
	_, _ = lookupColony(t, c, "mesh-2", "Cf-Ray", "r3")
	found, missed := worker.RequestEntry("r2"), worker.RequestEntry("r3")
	if found.LookupSource != "object" || missed.Code != "not_found" {
		t.Errorf("%+v %+v", found, missed)
	}
	if found.MeshHash != registered.MeshHash || found.MeshHash == missed.MeshHash || len(found.MeshHash) != 16 {
		t.Errorf("meshes %q, %q and %q", registered.MeshHash, found.MeshHash, missed.MeshHash)
	}
}

// With the ray that a client was told, its report can be found in the log.
func TestClientsAreToldTheRay(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	request := send(colony("m", "k"), "Cf-Ray", "r1-FRA")
	answer, err := worker.Client().RegisterColony(deadline(t), request)
	if err != nil {
		t.Fatal(err)
	}
	if ray := answer.Header().Get("Cf-Ray"); ray != "r1-FRA" {
		t.Errorf("the ray is %q", ray)
	}
	_, err = lookupColony(t, worker.Client(), "unknown", "Cf-Ray", "r2-FRA")
	if ray := metadata(err).Get("Cf-Ray"); ray != "r2-FRA" {
		t.Errorf("the error's ray is %q", ray)
	}
	// Many at once: each its own, though what answers begin with is kept for others that begin so.
	var all errgroup.Group
	for number := range 100 {
		all.Go(func() error {
			want := fmt.Sprintf("r%d-FRA", number%40)
			answer, err := worker.Client().LookupColony(deadline(t), send(&discoveryv1.LookupColonyRequest{MeshId: "m"}, "Cf-Ray", want))
			if err != nil {
				return err
			}
			if ray := answer.Header().Get("Cf-Ray"); ray != want {
				return fmt.Errorf("the ray of %s is %q", want, ray)
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		t.Error(err)
	}
}

func TestLogLevel(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "LOG_LEVEL=warn")
	registerColony(t, worker.Client(), colony("m", "k"))
	_, _ = lookupColony(t, worker.Client(), "unknown")
	if requests := worker.RequestCount("RegisterColony") + worker.RequestCount("LookupColony"); requests+len(worker.Sweeps()) != 0 {
		t.Errorf("logged:\n%s", worker.Log())
	}
}

// On Cloudflare entries are objects, which Workers Logs indexes by their keys; workerd prints them for people.
func TestLogAsObjects(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t, "LOG_FORMAT=object")
	health(t, worker.Client())
	harness.Eventually(t, patience, "an object is logged", func() bool {
		return strings.Contains(worker.Log(), "method: 'Health'")
	})
	if log := worker.Log(); strings.Contains(log, `"method"`) {
		t.Errorf("logged as text:\n%s", log)
	}
}
