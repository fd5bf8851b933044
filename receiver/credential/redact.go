package credential

import (
	"regexp"
	"strings"
)

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

// Mask returns s without anything that has the form of a token, whosever it is. It is
// for what is kept of a check that has presented no credential, such as its last
// words.
func Mask(s string) string {
	if len(s) < macLen {
		return s
	}
	form := regexp.MustCompile(`[0-9a-f]{8}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[A-Za-z0-9_-]{43}`)
	return form.ReplaceAllString(s, redacted)
}
