package e2e

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1/discoveryv1connect"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/bootstraptoken"
)

// Coral's compose files run the image with these variables and routes.
func TestContainerDropsIntoCoralsComposeFiles(t *testing.T) {
	t.Parallel()
	key, _ := harness.SigningKey(t, "01K0000000000000000000000A")
	url := harness.StartContainer(t, "DISCOVERY_SIGNING_KEY="+key, "ENVIRONMENT=e2e",
		"DEFAULT_TTL_SECONDS=10", "CLEANUP_INTERVAL_MS=5000")
	c := discoveryv1connect.NewDiscoveryServiceClient(http.DefaultClient, url, connect.WithProtoJSON())
	if registered := registerColony(t, c, colony("m", "k")); registered.GetTtl() != 10 {
		t.Errorf("%v", registered)
	}
	keys, _ := keySet(t, &harness.Worker{URL: url})
	got, err := ticket(t, c, askForTicket("a", "m"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bootstraptoken.Check(got.GetJwt(), keys); err != nil {
		t.Error(err)
	}
}

// Whoever pulls the image has no key that somebody else relies on.
func TestContainerHasNoKeyInIt(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"Dockerfile", "start"} {
		content, err := os.ReadFile(harness.Path("container", file))
		if err != nil {
			t.Fatal(err)
		}
		if text := string(content); strings.Contains(text, "DISCOVERY_SIGNING_KEY") || strings.Contains(text, "ADMIN_KEY") {
			t.Errorf("%s sets a key", file)
		}
	}
	if !strings.Contains(read(t, harness.Path("container", "Dockerfile")), "USER coral-discovery") {
		t.Error("it runs as root")
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
