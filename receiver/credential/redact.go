package credential

import "strings"

// redacted stands where a secret was.
const redacted = "[redacted]"

// Redact returns s without the credential, without its token and without the
// token's signature, wherever in s they are. It is for everything that a check
// says and that is kept, shown or sent on: a client that failed prints the
// address or the header that it used.
func Redact(s, credential string) string {
	if len(s) < macLen {
		return s // too short to hold any of it
	}
	_, token, _ := strings.Cut(credential, ".")
	mac := credential[strings.LastIndexByte(credential, '.')+1:]
	for _, secret := range []string{credential, token, mac} {
		if secret != "" {
			s = strings.ReplaceAll(s, secret, redacted)
		}
	}
	return s
}
