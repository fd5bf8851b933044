package export

import (
	"encoding/base64"
	"regexp"
	"strings"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// minSecretBytes is how long the value of a header is that may be a secret. A shorter
// one, such as the number of a tenant, would be taken out of the midst of words.
const minSecretBytes = 8

// redacted returns what may be logged of an error: it names URLs, and has what the
// server answered, which may be what it was sent.
func redacted(err error, sent []Header) string {
	text := err.Error()
	for _, secret := range secrets(sent) {
		text = strings.ReplaceAll(text, secret, "[redacted]")
	}
	text = regexp.MustCompile(`(\w+://)[^/\s"']*@`).ReplaceAllString(text, "$1")
	text = regexp.MustCompile(`(\w+://[^?\s"']*)\?[^\s"']*`).ReplaceAllString(text, "$1")
	return result.Truncate(text, maxLoggedBytes)
}

// secrets returns what is not to be shown of headers: their values, the credentials in
// these, and for Basic the password.
func secrets(headers []Header) []string {
	var all []string
	add := func(s string) {
		if len(s) >= minSecretBytes {
			all = append(all, s)
		}
	}
	for _, h := range headers {
		add(h.Value)
		scheme, credentials, _ := strings.Cut(h.Value, " ")
		add(credentials)
		if pair, err := base64.StdEncoding.DecodeString(credentials); err == nil && strings.EqualFold(scheme, "Basic") {
			_, password, _ := strings.Cut(string(pair), ":")
			add(password)
		}
	}
	return all
}
