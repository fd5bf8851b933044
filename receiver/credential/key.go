// Package credential makes and checks what a run proves itself with: a token
// that the controller mints once per check and key, and a credential that the
// kubelet composes of the run's id and that token. Checking needs neither
// network nor list: only the key. It is a leaf and knows no HTTP.
//
// The token is bound to the check and not to the run, because a CronJob's
// template is static. So a pod that may read the check's Secret may speak for
// any run of that check: the trust boundary is the namespace.
package credential

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
)

// KeyBytes is the length of a key: that of the SHA-256 that it is used with.
const KeyBytes = 32

// tokenVersion separates what is signed here from whatever the key may sign one
// day. It is part of the wire.
const tokenVersion = "sonde-token-v1"

// Key signs and checks tokens. A Key is a value; it never prints its secret.
type Key struct{ secret [KeyBytes]byte }

// NewKey makes a key of KeyBytes bytes from rand, which is crypto/rand.Reader
// outside tests.
func NewKey(rand io.Reader) (Key, error) {
	var k Key
	if _, err := io.ReadFull(rand, k.secret[:]); err != nil {
		return Key{}, fmt.Errorf("make a key: %w", err)
	}
	return k, nil
}

// ParseKey reads a key as it lies in its Secret: KeyBytes raw bytes.
func ParseKey(raw []byte) (Key, error) {
	if len(raw) != KeyBytes {
		return Key{}, fmt.Errorf("a key has %d raw bytes, not %d", KeyBytes, len(raw))
	}
	return Key{secret: [KeyBytes]byte(raw)}, nil
}

// Bytes returns the secret as it is kept in its Secret. The slice is the
// caller's.
func (k Key) Bytes() []byte { return k.secret[:] }

// ID names the key in tokens and in the names of Secrets: the first 8 hex digits
// of its SHA-256. It tells nothing of the secret.
func (k Key) ID() string {
	sum := sha256.Sum256(k.secret[:])
	return hex.EncodeToString(sum[:keyIDLen/2])
}

// Format prints the key's id with every verb, so that a key in a log or an error
// gives nothing away.
func (k Key) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "key "+k.ID()) }

// Token returns the token that speaks for the check with the given UID, a
// lower-case UUID as the API server makes them. With any other UID the token
// will never verify.
func Token(k Key, checkUID string) string {
	return k.ID() + "." + checkUID + "." + k.mac(checkUID)
}

// mac returns the part of a token that proves the rest, in unpadded base64url.
func (k Key) mac(checkUID string) string {
	h := hmac.New(sha256.New, k.secret[:])
	_, _ = io.WriteString(h, tokenVersion+"\x00"+checkUID) // a hash never fails
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
