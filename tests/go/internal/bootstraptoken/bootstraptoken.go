// Package bootstraptoken verifies bootstrap tokens by the rules that colonies apply.
package bootstraptoken

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/golang-jwt/jwt/v5"
)

// Key is a public key of the key set (JWKS).
type Key struct{ Kid, Kty, Crv, X, Use, Alg string }

// Claims are the claims that colonies read.
type Claims struct {
	ReefID   string `json:"reef_id"`
	ColonyID string `json:"colony_id"`
	AgentID  string `json:"agent_id"`
	Intent   string `json:"intent"`
	jwt.RegisteredClaims
}

// FetchKeys returns the key set of the service at url, and the headers of the response.
func FetchKeys(client *http.Client, url string) ([]Key, http.Header, error) {
	response, err := client.Get(url + "/.well-known/jwks.json")
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	var set struct{ Keys []Key }
	if err := json.NewDecoder(response.Body).Decode(&set); err != nil {
		return nil, nil, err
	}
	contentType := response.Header.Get("Content-Type")
	if response.StatusCode != http.StatusOK || contentType != "application/json" || set.Keys == nil {
		return nil, nil, fmt.Errorf("status %d, headers %v, keys %v",
			response.StatusCode, response.Header, set.Keys)
	}
	return set.Keys, response.Header, nil
}

// Verify verifies a bootstrap token and returns its claims: the token must be signed by a key of
// the set, not be expired, and have the issuer and audience that colonies expect.
func Verify(token string, keys []Key) (*Claims, error) {
	findKey := func(token *jwt.Token) (any, error) {
		for _, key := range keys {
			if key.Kid == token.Header["kid"] {
				return key.publicKey()
			}
		}
		return nil, fmt.Errorf("no key %v", token.Header["kid"])
	}
	var claims Claims
	_, err := jwt.ParseWithClaims(token, &claims, findKey,
		jwt.WithValidMethods([]string{"EdDSA"}),
		jwt.WithAudience("coral-colony"),
		jwt.WithIssuer("coral-discovery"),
		jwt.WithExpirationRequired())
	return &claims, err
}

func (k Key) publicKey() (ed25519.PublicKey, error) {
	public, err := base64.RawURLEncoding.DecodeString(k.X)
	if err != nil {
		return nil, err
	}
	if len(public) != ed25519.PublicKeySize {
		return nil, errors.New("key " + k.Kid + " is not an Ed25519 key")
	}
	return public, nil
}
