package harness

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
)

// SigningKey returns a new key for bootstrap tokens: the key pair in the form of
// DISCOVERY_SIGNING_KEY, and its public key in the form of an entry of DISCOVERY_VERIFICATION_KEYS.
func SigningKey(t T, id string) (signing, verification string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.StdEncoding.EncodeToString
	signing = fmt.Sprintf(`{"id":%q,"privateKey":%q}`, id, encode(private))
	return signing, fmt.Sprintf(`{"id":%q,"publicKey":%q}`, id, encode(public))
}
