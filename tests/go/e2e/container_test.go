package e2e

import (
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1/discoveryv1connect"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/bootstraptoken"
)

// Coral's compose files run the image with these variables and routes.
func TestContainerWorksInCoralsComposeFiles(t *testing.T) {
	t.Parallel()
	key, _ := harness.SigningKey(t, "01K0000000000000000000000A")
	url := harness.StartContainer(t, "DISCOVERY_SIGNING_KEY="+key, "ENVIRONMENT=e2e",
		"DEFAULT_TTL_SECONDS=10", "CLEANUP_INTERVAL_MS=5000")
	c := discoveryv1connect.NewDiscoveryServiceClient(
		http.DefaultClient, url, connect.WithProtoJSON())
	if registered := registerColony(t, c, colony("m", "k")); registered.GetTtl() != 10 {
		t.Errorf("%v", registered)
	}
	keys, _ := fetchKeys(t, url)
	created, err := createToken(t, c, tokenRequest("a", "m"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bootstraptoken.Verify(created.GetJwt(), keys); err != nil {
		t.Error(err)
	}
}

// A key in the image would be known to everyone who pulls it.
func TestContainerImageHasNoKey(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"Dockerfile", "start"} {
		text := readFile(t, "container", file)
		for _, variable := range []string{"DISCOVERY_SIGNING_KEY", "ADMIN_KEY"} {
			if strings.Contains(text, variable) {
				t.Errorf("%s sets %s", file, variable)
			}
		}
	}
	if !strings.Contains(readFile(t, "container", "Dockerfile"), "USER coral-discovery") {
		t.Error("the container runs as root")
	}
}
