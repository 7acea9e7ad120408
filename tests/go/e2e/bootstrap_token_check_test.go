package e2e

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/bootstraptoken"
)

// keySet fetches the set, as colonies do.
func keySet(t *testing.T, worker *harness.Worker) ([]bootstraptoken.Key, http.Header) {
	t.Helper()
	keys, headers, err := bootstraptoken.Fetch(http.DefaultClient, worker.URL)
	if err != nil {
		t.Fatal(err)
	}
	return keys, headers
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
	if _, err := bootstraptoken.Check(forge(t, own, "K1", nothing), keys); err != nil {
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
		if _, err := bootstraptoken.Check(wrong.ticket, keys); !errors.Is(err, wrong.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
