package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"github.com/oklog/ulid/v2"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/bootstraptoken"
)

// askForTicket is what agents ask for.
func askForTicket(agentID, colonyID string) *discoveryv1.CreateBootstrapTokenRequest {
	return &discoveryv1.CreateBootstrapTokenRequest{
		ReefId: "default", ColonyId: colonyID, AgentId: agentID, Intent: "register",
	}
}

func ticket(t *testing.T, c client, request *discoveryv1.CreateBootstrapTokenRequest, headers ...string) (*discoveryv1.CreateBootstrapTokenResponse, error) {
	t.Helper()
	answer, err := c.CreateBootstrapToken(deadline(t), send(request, headers...))
	if err != nil {
		return nil, err
	}
	return answer.Msg, nil
}

func TestTicketLetsAnAgentIntoItsColonyForAMinute(t *testing.T) {
	t.Parallel()
	current, _ := harness.SigningKey(t, "01K0000000000000000000000A")
	worker := harness.Start(t, "DISCOVERY_SIGNING_KEY="+current)
	keys, headers := keySet(t, worker)
	if got := headers.Get("Cache-Control"); got != "public, max-age=300" {
		t.Errorf("Cache-Control: %q", got)
	}
	if len(keys) != 1 || keys[0].Kid != "01K0000000000000000000000A" || keys[0].Kty != "OKP" ||
		keys[0].Crv != "Ed25519" || keys[0].Alg != "EdDSA" || keys[0].Use != "sig" {
		t.Errorf("%+v", keys)
	}
	ids := map[string]bool{}
	forEachCodec(t, worker, func(t *testing.T, c client) {
		got, err := ticket(t, c, askForTicket("agent-1", "colony-1"))
		if err != nil {
			t.Fatal(err)
		}
		found, err := bootstraptoken.Check(got.GetJwt(), keys)
		if err != nil {
			t.Fatal(err)
		}
		if found.ReefID != "default" || found.ColonyID != "colony-1" || found.AgentID != "agent-1" ||
			found.Intent != "register" || found.Subject != "" || found.NotBefore != nil ||
			!slices.Equal(found.Audience, []string{"coral-colony"}) {
			t.Errorf("%+v", found)
		}
		if lifetime := found.ExpiresAt.Sub(found.IssuedAt.Time).Seconds(); lifetime != 60 ||
			found.ExpiresAt.Unix() != got.GetExpiresAt() {
			t.Errorf("valid for %vs, until %d", lifetime, got.GetExpiresAt())
		}
		if id, err := uuid.Parse(found.ID); err != nil || id.Version() != 4 || ids[found.ID] {
			t.Errorf("id %q: %v", found.ID, err)
		}
		ids[found.ID] = true
	})
	// No intent is that of registering, and no Reef is none.
	got, err := ticket(t, worker.Client(), &discoveryv1.CreateBootstrapTokenRequest{ColonyId: "c", AgentId: "a"})
	if err != nil {
		t.Fatal(err)
	}
	if found, err := bootstraptoken.Check(got.GetJwt(), keys); err != nil || found.Intent != "register" || found.ReefID != "" {
		t.Errorf("%+v %v", found, err)
	}
}

// A colony skips the mesh's secret for a ticket of intent renew: nobody gets one from here.
func TestNoTicketForAnythingButRegistering(t *testing.T) {
	t.Parallel()
	current, _ := harness.SigningKey(t, "K")
	worker := harness.Start(t, "DISCOVERY_SIGNING_KEY="+current)
	forEachCodec(t, worker, func(t *testing.T, c client) {
		for _, intent := range []string{"renew", "Register", "register "} {
			request := askForTicket("a", "c")
			request.Intent = intent
			_, err := ticket(t, c, request)
			wantError(t, err, connect.CodePermissionDenied, "intent")
		}
		_, err := ticket(t, c, askForTicket("", ""))
		wantError(t, err, connect.CodeInvalidArgument, "agent_id is required")
		_, err = ticket(t, c, askForTicket("a", ""))
		wantError(t, err, connect.CodeInvalidArgument, "colony_id is required")
		_, err = ticket(t, c, askForTicket(strings.Repeat("a", 256), "c"))
		wantError(t, err, connect.CodeInvalidArgument, "agent_id must have at most")
	})
}

func TestWithoutAKeyThereAreNoTicketsAndNobodyKeepsTheEmptySet(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	forEachCodec(t, worker, func(t *testing.T, c client) {
		_, err := ticket(t, c, askForTicket("a", "c"))
		wantError(t, err, connect.CodeFailedPrecondition, "DISCOVERY_SIGNING_KEY")
	})
	keys, headers := keySet(t, worker)
	if len(keys) != 0 || headers.Get("Cache-Control") != "no-store" {
		t.Errorf("%v %q", keys, headers.Get("Cache-Control"))
	}
	harness.Eventually(t, patience, "the log says so", func() bool {
		return worker.HasWarning("error", "DISCOVERY_SIGNING_KEY is not set")
	})
}

func TestTheKeySetIsOnlyRead(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	url := worker.URL + "/.well-known/jwks.json"
	head, err := http.Head(url)
	if err != nil {
		t.Fatal(err)
	}
	head.Body.Close()
	post, err := http.Post(url, "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	post.Body.Close()
	if head.StatusCode != http.StatusOK || post.StatusCode != http.StatusMethodNotAllowed || post.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("HEAD: %d, POST: %d %q", head.StatusCode, post.StatusCode, post.Header.Get("Allow"))
	}
}

// A key is changed while agents and colonies go on: no ticket that is under way becomes worthless.
func TestAChangeOfKeysInvalidatesNoTicket(t *testing.T) {
	t.Parallel()
	first, firstPublic := harness.SigningKey(t, "K1")
	second, secondPublic := harness.SigningKey(t, "K2")
	// What is to come is in the set before it signs: colonies that fetch now know both.
	worker := harness.Start(t, "DISCOVERY_SIGNING_KEY="+first, "DISCOVERY_VERIFICATION_KEYS=["+secondPublic+"]",
		"TOKENS_PER_HOUR_PER_AGENT=0", "TOKENS_PER_HOUR_PER_CLIENT=0")
	kept, _ := keySet(t, worker)
	signedBy := func(kid string) string {
		t.Helper()
		got, err := ticket(t, worker.Client(), askForTicket("a", "c"))
		if err != nil {
			t.Fatal(err)
		}
		header, _, _ := strings.Cut(got.GetJwt(), ".")
		if text, err := base64.RawURLEncoding.DecodeString(header); err != nil || !strings.Contains(string(text), `"kid":"`+kid+`"`) {
			t.Fatalf("signed by %s %v, not %s", text, err, kid)
		}
		return got.GetJwt()
	}
	underWay := signedBy("K1")
	// Others go on meanwhile, and what they get is good by the set of that moment, and by the one that was kept.
	stop, wrong := make(chan struct{}), make(chan error, 1)
	var issued atomic.Int64
	go func() {
		defer close(wrong)
		for {
			select {
			case <-stop:
				return
			default:
			}
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			got, err := worker.Client().CreateBootstrapToken(ctx, connect.NewRequest(askForTicket("other", "c")))
			cancel()
			if err != nil {
				continue // while the Worker is away
			}
			if _, err := bootstraptoken.Check(got.Msg.GetJwt(), kept); err != nil {
				wrong <- err
				return
			}
			issued.Add(1)
		}
	}()
	harness.Eventually(t, patience, "others get tickets before", func() bool { return issued.Load() > 0 })
	// First one, then the other, as they are set.
	worker.RestartWith("DISCOVERY_VERIFICATION_KEYS=[" + firstPublic + "," + secondPublic + "]")
	between := signedBy("K1")
	worker.RestartWith("DISCOVERY_SIGNING_KEY=" + second)
	fresh, _ := keySet(t, worker)
	after := signedBy("K2")
	before := issued.Load()
	harness.Eventually(t, patience, "others get tickets after", func() bool { return issued.Load() > before })
	close(stop)
	if err := <-wrong; err != nil {
		t.Errorf("of another: %v", err)
	}
	for name, keys := range map[string][]bootstraptoken.Key{"kept": kept, "fresh": fresh} {
		for when, ticket := range map[string]string{"before": underWay, "between": between, "after": after} {
			if _, err := bootstraptoken.Check(ticket, keys); err != nil {
				t.Errorf("signed %s, checked by the %s set: %v", when, name, err)
			}
		}
	}
}

// Both halves of a key, or the seed alone, as base64; and what is wrong with it is said without it.
func TestKeysInTheFormsThatAreInTheField(t *testing.T) {
	t.Parallel()
	whole, _ := harness.SigningKey(t, "K")
	var key struct {
		PrivateKey []byte `json:"privateKey"`
	}
	if err := json.Unmarshal([]byte(whole), &key); err != nil {
		t.Fatal(err)
	}
	encode := base64.StdEncoding.EncodeToString
	seed := fmt.Sprintf(`{"id":"K","privateKey":%q}`, encode(key.PrivateKey[:32]))
	sameX := ""
	for _, form := range []string{whole, seed} {
		worker := harness.Start(t, "DISCOVERY_SIGNING_KEY="+form)
		keys, _ := keySet(t, worker)
		got, err := ticket(t, worker.Client(), askForTicket("a", "c"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bootstraptoken.Check(got.GetJwt(), keys); err != nil {
			t.Error(err)
		}
		if sameX != "" && keys[0].X != sameX {
			t.Errorf("%s and %s", keys[0].X, sameX)
		}
		sameX = keys[0].X
	}
	wrong := encode(key.PrivateKey[:40])
	worker := harness.Start(t, fmt.Sprintf(`DISCOVERY_SIGNING_KEY={"id":"K","privateKey":%q}`, wrong))
	_, err := ticket(t, worker.Client(), askForTicket("a", "c"))
	wantError(t, err, connect.CodeFailedPrecondition, "DISCOVERY_SIGNING_KEY must be")
	if strings.Contains(err.Error(), wrong) || strings.Contains(worker.Log(), wrong) {
		t.Errorf("the secret is told: %v\n%s", err, worker.Log())
	}
}

func TestTicketsAreLimitedByAgentColonyAndAddress(t *testing.T) {
	t.Parallel()
	current, _ := harness.SigningKey(t, "K")
	worker := harness.Start(t, "DISCOVERY_SIGNING_KEY="+current,
		"TOKENS_PER_HOUR_PER_AGENT=2", "TOKENS_PER_HOUR_PER_COLONY=4", "TOKENS_PER_HOUR_PER_CLIENT=6")
	from := func(address, agentID, colonyID string) error {
		t.Helper()
		_, err := ticket(t, worker.Client(), askForTicket(agentID, colonyID), "Cf-Connecting-Ip", address)
		return err
	}
	const home, elsewhere = "198.51.100.7", "198.51.100.8"
	for i := range 2 {
		if err := from(home, "a1", "c1"); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	tooMany := func(err error, text string) {
		t.Helper()
		wantError(t, err, connect.CodeResourceExhausted, text)
		if metadata(err).Get("Retry-After") == "" {
			t.Error("nobody says when to try again")
		}
	}
	tooMany(from(home, "a1", "c1"), "for the agent a1")
	for _, agentID := range []string{"a2", "a3"} {
		if err := from(home, agentID, "c1"); err != nil {
			t.Fatal(err)
		}
	}
	tooMany(from(elsewhere, "a4", "c1"), "for this colony")
	// The one in vain has not counted for the address.
	for _, agentID := range []string{"a1", "a2"} {
		if err := from(home, agentID, "c2"); err != nil {
			t.Fatal(err)
		}
	}
	tooMany(from(home, "a1", "c3"), "from this address")
	if err := from(elsewhere, "a1", "c3"); err != nil {
		t.Error(err)
	}
	worker.Restart()
	tooMany(from(home, "a1", "c3"), "from this address")
}

// The command that makes keys makes one that works.
func TestAKeyOfTheCommandWorks(t *testing.T) {
	t.Parallel()
	made, err := exec.Command(os.Getenv("XTASK"), "keygen").Output()
	if err != nil {
		t.Fatal(err)
	}
	worker := harness.Start(t, "DISCOVERY_SIGNING_KEY="+string(made))
	got, err := ticket(t, worker.Client(), askForTicket("a", "c"))
	if err != nil {
		t.Fatal(err)
	}
	keys, _ := keySet(t, worker)
	if _, err := bootstraptoken.Check(got.GetJwt(), keys); err != nil {
		t.Error(err)
	}
	if _, err := ulid.ParseStrict(keys[0].Kid); err != nil {
		t.Errorf("id %q: %v", keys[0].Kid, err)
	}
}
