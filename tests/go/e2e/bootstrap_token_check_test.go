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

// fetchKeys fetches the key set, as colonies do.
func fetchKeys(t *testing.T, url string) ([]bootstraptoken.Key, http.Header) {
	t.Helper()
	keys, headers, err := bootstraptoken.FetchKeys(http.DefaultClient, url)
	if err != nil {
		t.Fatal(err)
	}
	return keys, headers
}

// forge signs a valid bootstrap token, after change has changed its claims.
func forge(t *testing.T, key ed25519.PrivateKey, kid string, change func(jwt.MapClaims)) string {
	t.Helper()
	claims := jwt.MapClaims{
		"iss": "coral-discovery", "aud": []string{"coral-colony"}, "exp": 32503680000,
	}
	change(claims)
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims)
	token.Header["kid"] = kid
	signed, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// The other tests rely on bootstraptoken.Verify: it must reject every invalid bootstrap token.
func TestForgedExpiredAndMisdirectedBootstrapTokensAreRejected(t *testing.T) {
	t.Parallel()
	signing, _ := harness.SigningKey(t, "K1")
	worker := harness.Start(t, "DISCOVERY_SIGNING_KEY="+signing)
	keys, _ := fetchKeys(t, worker.URL)
	var pair struct{ PrivateKey []byte }
	if err := json.Unmarshal([]byte(signing), &pair); err != nil {
		t.Fatal(err)
	}
	_, otherKey, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	ownKey := ed25519.PrivateKey(pair.PrivateKey)
	unchanged := func(jwt.MapClaims) {}
	set := func(claim string, value any) func(jwt.MapClaims) {
		return func(claims jwt.MapClaims) { claims[claim] = value }
	}
	if _, err := bootstraptoken.Verify(forge(t, ownKey, "K1", unchanged), keys); err != nil {
		t.Fatalf("valid token: %v", err)
	}
	for name, test := range map[string]struct {
		token string
		want  error
	}{
		"other key":      {forge(t, otherKey, "K1", unchanged), jwt.ErrTokenSignatureInvalid},
		"unknown key id": {forge(t, otherKey, "K2", unchanged), jwt.ErrTokenUnverifiable},
		"expired":        {forge(t, ownKey, "K1", set("exp", 1)), jwt.ErrTokenExpired},
		"audience":       {forge(t, ownKey, "K1", set("aud", "other")), jwt.ErrTokenInvalidAudience},
		"issuer":         {forge(t, ownKey, "K1", set("iss", "other")), jwt.ErrTokenInvalidIssuer},
	} {
		if _, err := bootstraptoken.Verify(test.token, keys); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}
