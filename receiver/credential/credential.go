package credential

import (
	"errors"
	"strings"
)

// MaxBytes bounds a credential before anything looks into it. A good one has
// 126 bytes: two UUIDs of 36, a key id of 8, a signature of 43 and 3 dots, and
// this leaves room to say "malformed" of what was only quoted or doubled.
const MaxBytes = 512

const (
	uuidLen  = 36
	keyIDLen = 8
	macLen   = 43 // 32 bytes in unpadded base64
)

// The ways in which a credential is no good. Their texts never hold any of it.
var (
	ErrMalformed  = errors.New("the credential is not of the form <run>.<key>.<check>.<signature>")
	ErrUnknownKey = errors.New("the credential was signed with a key that is not in use")
	ErrSignature  = errors.New("the credential's signature is wrong")
)

// Identity is whom a credential speaks for.
type Identity struct {
	// RunID is the UID of the Job. It is claimed and not signed: whether the run
	// belongs to the check is for the caller to find out.
	RunID string

	// CheckUID is the UID of the Check, and verified.
	CheckUID string
}

// Credential is a credential taken apart and not yet verified.
type Credential struct {
	claimed    Identity
	keyID, mac string
}

// Parse takes a credential apart, or returns ErrMalformed. It says nothing about
// whether it is genuine.
func Parse(credential string) (Credential, error) {
	if len(credential) > MaxBytes {
		return Credential{}, ErrMalformed
	}
	parts := strings.SplitN(credential, ".", 5)
	if len(parts) != 4 {
		return Credential{}, ErrMalformed
	}
	c := Credential{claimed: Identity{RunID: parts[0], CheckUID: parts[2]}, keyID: parts[1], mac: parts[3]}
	if !isUUID(c.claimed.RunID) || !isUUID(c.claimed.CheckUID) || !isKeyID(c.keyID) || !isMAC(c.mac) {
		return Credential{}, ErrMalformed
	}
	return c, nil
}

// Compose returns the credential of a run, as the kubelet composes it in the
// pod's environment.
func Compose(runID, token string) string { return runID + "." + token }

func isUUID(s string) bool {
	if len(s) != uuidLen {
		return false
	}
	for i := range len(s) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (s[i] == '-') || !dash && !isHex(s[i]) {
			return false
		}
	}
	return true
}

func isKeyID(s string) bool {
	if len(s) != keyIDLen {
		return false
	}
	for i := range len(s) {
		if !isHex(s[i]) {
			return false
		}
	}
	return true
}

func isMAC(s string) bool {
	if len(s) != macLen {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isHex(c) && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// isHex knows lower case only: the API server and this package write no other,
// and one spelling means that an id is one string.
func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' }
