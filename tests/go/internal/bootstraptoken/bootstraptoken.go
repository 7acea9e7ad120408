// Package bootstraptoken checks tickets as colonies in the field do.
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

// Key is a key of the set.
type Key struct{ Kid, Kty, Crv, X, Use, Alg string }

// Claims are what colonies look at.
type Claims struct {
	ReefID   string `json:"reef_id"`
	ColonyID string `json:"colony_id"`
	AgentID  string `json:"agent_id"`
	Intent   string `json:"intent"`
	jwt.RegisteredClaims
}

// Fetch returns the key set of the service at url, and the headers that it came with.
func Fetch(client *http.Client, url string) ([]Key, http.Header, error) {
	answer, err := client.Get(url + "/.well-known/jwks.json")
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	var set struct{ Keys []Key }
	if err := json.NewDecoder(answer.Body).Decode(&set); err != nil {
		return nil, nil, err
	}
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "application/json" || set.Keys == nil {
		return nil, nil, fmt.Errorf("status %d, headers %v, keys %v", answer.StatusCode, answer.Header, set.Keys)
	}
	return set.Keys, answer.Header, nil
}

// Check checks a ticket: its key is in the set, it has not lapsed, and it is for colonies and from the discovery service.
func Check(ticket string, keys []Key) (*Claims, error) {
	find := func(token *jwt.Token) (any, error) {
		for _, key := range keys {
			if key.Kid != token.Header["kid"] {
				continue
			}
			public, err := base64.RawURLEncoding.DecodeString(key.X)
			if err != nil {
				return nil, err
			}
			if len(public) != ed25519.PublicKeySize {
				return nil, errors.New("key " + key.Kid + " is none")
			}
			return ed25519.PublicKey(public), nil
		}
		return nil, fmt.Errorf("no key %v", token.Header["kid"])
	}
	var found Claims
	_, err := jwt.ParseWithClaims(ticket, &found, find,
		jwt.WithValidMethods([]string{"EdDSA"}),
		jwt.WithAudience("coral-colony"),
		jwt.WithIssuer("coral-discovery"),
		jwt.WithExpirationRequired())
	return &found, err
}
