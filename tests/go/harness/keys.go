package harness

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
)

// SigningKey is a new key for tickets, as DISCOVERY_SIGNING_KEY has it, and as DISCOVERY_VERIFICATION_KEYS
// has it later.
func SigningKey(t T, id string) (current, previous string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.StdEncoding.EncodeToString
	current = fmt.Sprintf(`{"id":%q,"privateKey":%q}`, id, encode(private))
	return current, fmt.Sprintf(`{"id":%q,"publicKey":%q}`, id, encode(public))
}
