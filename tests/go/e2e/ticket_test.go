package e2e

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// jwk is a key of the set.
type jwk struct{ Kid, Kty, Crv, X, Use, Alg string }

// keySet fetches the set, as colonies do.
func keySet(t *testing.T, worker *harness.Worker) (keys []jwk, headers http.Header) {
	t.Helper()
	answer, err := http.Get(worker.URL + "/.well-known/jwks.json")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var set struct{ Keys []jwk }
	if err := json.NewDecoder(answer.Body).Decode(&set); err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "application/json" || set.Keys == nil {
		t.Fatalf("%d %v %v", answer.StatusCode, answer.Header, set)
	}
	return set.Keys, answer.Header
}

// claims are what colonies look at.
type claims struct {
	ReefID   string `json:"reef_id"`
	ColonyID string `json:"colony_id"`
	AgentID  string `json:"agent_id"`
	Intent   string `json:"intent"`
	jwt.RegisteredClaims
}

// check checks a ticket by the rules of colonies in the field: its key is in the set, it has not lapsed, and it is
// for colonies and from the discovery service.
func check(ticket string, keys []jwk) (*claims, error) {
	find := func(token *jwt.Token) (any, error) {
		for _, key := range keys {
			if key.Kid != token.Header["kid"] {
				continue
			}
			public, err := base64.RawURLEncoding.DecodeString(key.X)
			if err != nil || len(public) != ed25519.PublicKeySize {
				return nil, fmt.Errorf("%w: key %s is none", err, key.Kid)
			}
			return ed25519.PublicKey(public), nil
		}
		return nil, fmt.Errorf("no key %v", token.Header["kid"])
	}
	var found claims
	_, err := jwt.ParseWithClaims(ticket, &found, find,
		jwt.WithValidMethods([]string{"EdDSA"}),
		jwt.WithAudience("coral-colony"),
		jwt.WithIssuer("coral-discovery"),
		jwt.WithExpirationRequired())
	return &found, err
}

// forge signs a ticket that is in order but for what change does to it.
func forge(t *testing.T, key ed25519.PrivateKey, kid string, change func(jwt.MapClaims)) string {
	t.Helper()
	forged := jwt.MapClaims{"iss": "coral-discovery", "aud": []string{"coral-colony"}, "exp": 32503680000}
	change(forged)
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, forged)
	token.Header["kid"] = kid
	signed, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// The checks that the other tests make would notice: what is forged, lapsed or for somebody else passes none of them.
func TestForgedLapsedAndMisdirectedTicketsAreRefused(t *testing.T) {
	t.Parallel()
	current, _ := harness.SigningKey(t, "K1")
	worker := harness.Start(t, "DISCOVERY_SIGNING_KEY="+current)
	keys, _ := keySet(t, worker)
	var stored struct{ PrivateKey []byte }
	if err := json.Unmarshal([]byte(current), &stored); err != nil {
		t.Fatal(err)
	}
	_, stranger, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	own := ed25519.PrivateKey(stored.PrivateKey)
	nothing := func(jwt.MapClaims) {}
	if _, err := check(forge(t, own, "K1", nothing), keys); err != nil {
		t.Fatalf("in order, but refused: %v", err)
	}
	for name, wrong := range map[string]struct {
		ticket string
		err    error
	}{
		"forged":      {forge(t, stranger, "K1", nothing), jwt.ErrTokenSignatureInvalid},
		"unknown key": {forge(t, stranger, "K2", nothing), jwt.ErrTokenUnverifiable},
		"lapsed":      {forge(t, own, "K1", func(c jwt.MapClaims) { c["exp"] = 1 }), jwt.ErrTokenExpired},
		"audience":    {forge(t, own, "K1", func(c jwt.MapClaims) { c["aud"] = "another" }), jwt.ErrTokenInvalidAudience},
		"issuer":      {forge(t, own, "K1", func(c jwt.MapClaims) { c["iss"] = "another" }), jwt.ErrTokenInvalidIssuer},
	} {
		if _, err := check(wrong.ticket, keys); !errors.Is(err, wrong.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
