package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
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

// tokenRequest returns a request for a bootstrap token such as agents send.
func tokenRequest(agentID, colonyID string) *discoveryv1.CreateBootstrapTokenRequest {
	return &discoveryv1.CreateBootstrapTokenRequest{
		ReefId: "default", ColonyId: colonyID, AgentId: agentID, Intent: "register",
	}
}

func createToken(
	t *testing.T, c client, message *discoveryv1.CreateBootstrapTokenRequest, headers ...string,
) (*discoveryv1.CreateBootstrapTokenResponse, error) {
	t.Helper()
	response, err := c.CreateBootstrapToken(testContext(t), newRequest(message, headers...))
	if err != nil {
		return nil, err
	}
	return response.Msg, nil
}

func TestBootstrapTokenIsValidForOneMinute(t *testing.T) {
	t.Parallel()
	signing, _ := harness.SigningKey(t, "01K0000000000000000000000A")
	worker := harness.Start(t, "DISCOVERY_SIGNING_KEY="+signing)
	keys, headers := fetchKeys(t, worker.URL)
	if got := headers.Get("Cache-Control"); got != "public, max-age=300" {
		t.Errorf("Cache-Control: %q", got)
	}
	if len(keys) != 1 || keys[0].Kid != "01K0000000000000000000000A" || keys[0].Kty != "OKP" ||
		keys[0].Crv != "Ed25519" || keys[0].Alg != "EdDSA" || keys[0].Use != "sig" {
		t.Errorf("%+v", keys)
	}
	ids := map[string]bool{}
	forEachCodec(t, worker, func(t *testing.T, c client) {
		created, err := createToken(t, c, tokenRequest("agent-1", "colony-1"))
		if err != nil {
			t.Fatal(err)
		}
		claims, err := bootstraptoken.Verify(created.GetJwt(), keys)
		if err != nil {
			t.Fatal(err)
		}
		if claims.ReefID != "default" || claims.ColonyID != "colony-1" ||
			claims.AgentID != "agent-1" || claims.Intent != "register" ||
			claims.Subject != "" || claims.NotBefore != nil ||
			!slices.Equal(claims.Audience, []string{"coral-colony"}) {
			t.Errorf("%+v", claims)
		}
		lifetime := claims.ExpiresAt.Sub(claims.IssuedAt.Time).Seconds()
		if lifetime != 60 || claims.ExpiresAt.Unix() != created.GetExpiresAt() {
			t.Errorf("valid for %vs, until %d", lifetime, created.GetExpiresAt())
		}
		id, err := uuid.Parse(claims.ID)
		if err != nil || id.Version() != 4 || ids[claims.ID] {
			t.Errorf("id %q: %v", claims.ID, err)
		}
		ids[claims.ID] = true
	})
	// The intent is "register" by default, and the reef id may be empty.
	message := &discoveryv1.CreateBootstrapTokenRequest{ColonyId: "c", AgentId: "a"}
	created, err := createToken(t, worker.Client(), message)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := bootstraptoken.Verify(created.GetJwt(), keys)
	if err != nil || claims.Intent != "register" || claims.ReefID != "" {
		t.Errorf("%+v %v", claims, err)
	}
}

// A colony accepts a token with the intent "renew" without the mesh's secret, so the service does
// not issue one.
func TestBootstrapTokenIntentMustBeRegister(t *testing.T) {
	t.Parallel()
	signing, _ := harness.SigningKey(t, "K")
	worker := harness.Start(t, "DISCOVERY_SIGNING_KEY="+signing)
	forEachCodec(t, worker, func(t *testing.T, c client) {
		for _, intent := range []string{"renew", "Register", "register "} {
			message := tokenRequest("a", "c")
			message.Intent = intent
			_, err := createToken(t, c, message)
			wantError(t, err, connect.CodePermissionDenied, "intent")
		}
		_, err := createToken(t, c, tokenRequest("", ""))
		wantError(t, err, connect.CodeInvalidArgument, "agent_id is required")
		_, err = createToken(t, c, tokenRequest("a", ""))
		wantError(t, err, connect.CodeInvalidArgument, "colony_id is required")
		_, err = createToken(t, c, tokenRequest(strings.Repeat("a", 256), "c"))
		wantError(t, err, connect.CodeInvalidArgument, "agent_id must have at most")
	})
}

// The empty key set is not cached: colonies cache the set for their lifetime.
func TestWithoutASigningKeyNoBootstrapTokenIsIssued(t *testing.T) {
	t.Parallel()
	worker := harness.Start(t)
	forEachCodec(t, worker, func(t *testing.T, c client) {
		_, err := createToken(t, c, tokenRequest("a", "c"))
		wantError(t, err, connect.CodeFailedPrecondition, "DISCOVERY_SIGNING_KEY is not set")
	})
	keys, headers := fetchKeys(t, worker.URL)
	if len(keys) != 0 || headers.Get("Cache-Control") != "no-store" {
		t.Errorf("%v %q", keys, headers.Get("Cache-Control"))
	}
	harness.Eventually(t, testTimeout, "the log has an error", func() bool {
		return worker.HasWarning("error", "DISCOVERY_SIGNING_KEY is not set")
	})
}

func TestKeySetIsReadOnly(t *testing.T) {
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
	if head.StatusCode != http.StatusOK {
		t.Errorf("HEAD: %d", head.StatusCode)
	}
	allow := post.Header.Get("Allow")
	if post.StatusCode != http.StatusMethodNotAllowed || allow != "GET, HEAD" {
		t.Errorf("POST: %d %q", post.StatusCode, allow)
	}
}

// The signing key is replaced while agents request tokens and colonies verify them with an old or a
// new key set. No token becomes invalid.
func TestKeyRotationInvalidatesNoBootstrapToken(t *testing.T) {
	t.Parallel()
	first, firstPublic := harness.SigningKey(t, "K1")
	second, secondPublic := harness.SigningKey(t, "K2")
	// The next key is in the set before it signs, so that colonies know both keys.
	worker := harness.Start(t, "DISCOVERY_SIGNING_KEY="+first,
		"DISCOVERY_VERIFICATION_KEYS=["+secondPublic+"]",
		"TOKENS_PER_HOUR_PER_AGENT=0", "TOKENS_PER_HOUR_PER_CLIENT=0")
	oldKeys, _ := fetchKeys(t, worker.URL)
	tokenSignedBy := func(kid string) string {
		t.Helper()
		created, err := createToken(t, worker.Client(), tokenRequest("a", "c"))
		if err != nil {
			t.Fatal(err)
		}
		encoded, _, _ := strings.Cut(created.GetJwt(), ".")
		header, err := base64.RawURLEncoding.DecodeString(encoded)
		if err != nil || !strings.Contains(string(header), `"kid":"`+kid+`"`) {
			t.Fatalf("header %s %v, want key %s", header, err, kid)
		}
		return created.GetJwt()
	}
	before := tokenSignedBy("K1")
	agents := startTokenRequests(worker, oldKeys)
	agents.waitForMore(t)
	// One step at a time: first the set of verification keys, then the signing key.
	worker.RestartWith("DISCOVERY_VERIFICATION_KEYS=[" + firstPublic + "," + secondPublic + "]")
	between := tokenSignedBy("K1")
	worker.RestartWith("DISCOVERY_SIGNING_KEY=" + second)
	newKeys, _ := fetchKeys(t, worker.URL)
	after := tokenSignedBy("K2")
	agents.waitForMore(t)
	if err := agents.end(); err != nil {
		t.Errorf("token of another agent: %v", err)
	}
	for setName, keys := range map[string][]bootstraptoken.Key{"old": oldKeys, "new": newKeys} {
		for moment, token := range map[string]string{
			"before": before, "between": between, "after": after,
		} {
			if _, err := bootstraptoken.Verify(token, keys); err != nil {
				t.Errorf("token signed %s, verified with the %s set: %v", moment, setName, err)
			}
		}
	}
}

// tokenRequests requests bootstrap tokens in the background, and verifies them.
type tokenRequests struct {
	verified atomic.Int64
	stop     chan struct{}
	invalid  chan error
}

func startTokenRequests(worker *harness.Worker, keys []bootstraptoken.Key) *tokenRequests {
	r := &tokenRequests{stop: make(chan struct{}), invalid: make(chan error, 1)}
	go r.run(worker.Client(), keys)
	return r
}

func (r *tokenRequests) run(c client, keys []bootstraptoken.Key) {
	defer close(r.invalid)
	for {
		select {
		case <-r.stop:
			return
		default:
		}
		ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
		request := connect.NewRequest(tokenRequest("other", "c"))
		created, err := c.CreateBootstrapToken(ctx, request)
		cancel()
		if err != nil {
			continue // the Worker restarts
		}
		if _, err := bootstraptoken.Verify(created.Msg.GetJwt(), keys); err != nil {
			r.invalid <- err
			return
		}
		r.verified.Add(1)
	}
}

// waitForMore waits until another token was verified.
func (r *tokenRequests) waitForMore(t *testing.T) {
	t.Helper()
	before := r.verified.Load()
	harness.Eventually(t, testTimeout, "another agent gets a token", func() bool {
		return r.verified.Load() > before
	})
}

// end ends the requests, and returns the error of an invalid token.
func (r *tokenRequests) end() error {
	close(r.stop)
	return <-r.invalid
}

// A signing key is the key pair or the seed alone, in base64. Errors do not contain it.
func TestSigningKeyFormats(t *testing.T) {
	t.Parallel()
	keyPair, _ := harness.SigningKey(t, "K")
	var key struct {
		PrivateKey []byte `json:"privateKey"`
	}
	if err := json.Unmarshal([]byte(keyPair), &key); err != nil {
		t.Fatal(err)
	}
	encode := base64.StdEncoding.EncodeToString
	seed := fmt.Sprintf(`{"id":"K","privateKey":%q}`, encode(key.PrivateKey[:32]))
	var publicKeys []string
	for _, format := range []string{keyPair, seed} {
		worker := harness.Start(t, "DISCOVERY_SIGNING_KEY="+format)
		keys, _ := fetchKeys(t, worker.URL)
		created, err := createToken(t, worker.Client(), tokenRequest("a", "c"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bootstraptoken.Verify(created.GetJwt(), keys); err != nil {
			t.Error(err)
		}
		publicKeys = append(publicKeys, keys[0].X)
	}
	if publicKeys[0] != publicKeys[1] {
		t.Errorf("different public keys: %v", publicKeys)
	}
	truncated := encode(key.PrivateKey[:40])
	worker := harness.Start(t,
		fmt.Sprintf(`DISCOVERY_SIGNING_KEY={"id":"K","privateKey":%q}`, truncated))
	_, err := createToken(t, worker.Client(), tokenRequest("a", "c"))
	wantError(t, err, connect.CodeFailedPrecondition, "DISCOVERY_SIGNING_KEY must be")
	if strings.Contains(err.Error(), truncated) || strings.Contains(worker.Log(), truncated) {
		t.Errorf("the key is in the error or the log: %v\n%s", err, worker.Log())
	}
}

func TestBootstrapTokenLimitsPerAgentColonyAndAddress(t *testing.T) {
	t.Parallel()
	signing, _ := harness.SigningKey(t, "K")
	worker := harness.Start(t, "DISCOVERY_SIGNING_KEY="+signing, "TOKENS_PER_HOUR_PER_AGENT=2",
		"TOKENS_PER_HOUR_PER_COLONY=4", "TOKENS_PER_HOUR_PER_CLIENT=6")
	create := func(address, agentID, colonyID string) error {
		message := tokenRequest(agentID, colonyID)
		_, err := createToken(t, worker.Client(), message, "Cf-Connecting-Ip", address)
		return err
	}
	wantCreated := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	wantLimited := func(err error, text string) {
		t.Helper()
		wantError(t, err, connect.CodeResourceExhausted, text)
		if errorMetadata(err).Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	const one, other = "198.51.100.7", "198.51.100.8"
	wantCreated(create(one, "a1", "c1"))
	wantCreated(create(one, "a1", "c1"))
	wantLimited(create(one, "a1", "c1"), "for the agent a1")
	wantCreated(create(one, "a2", "c1"))
	wantCreated(create(one, "a3", "c1"))
	wantLimited(create(other, "a4", "c1"), "for this colony")
	// The rejected request did not count for its address.
	wantCreated(create(one, "a1", "c2"))
	wantCreated(create(one, "a2", "c2"))
	wantLimited(create(one, "a1", "c3"), "from this address")
	wantCreated(create(other, "a1", "c3"))
	worker.Restart()
	wantLimited(create(one, "a1", "c3"), "from this address")
}

func TestGeneratedSigningKeyWorks(t *testing.T) {
	t.Parallel()
	generated, err := harness.Xtask("keygen").Output()
	if err != nil {
		t.Fatal(err)
	}
	worker := harness.Start(t, "DISCOVERY_SIGNING_KEY="+string(generated))
	created, err := createToken(t, worker.Client(), tokenRequest("a", "c"))
	if err != nil {
		t.Fatal(err)
	}
	keys, _ := fetchKeys(t, worker.URL)
	if _, err := bootstraptoken.Verify(created.GetJwt(), keys); err != nil {
		t.Error(err)
	}
	if _, err := ulid.ParseStrict(keys[0].Kid); err != nil {
		t.Errorf("id %q: %v", keys[0].Kid, err)
	}
}
