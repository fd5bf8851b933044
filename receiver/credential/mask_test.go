package credential_test

import (
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/receiver/credential"
)

func TestMask(t *testing.T) {
	key, err := credential.ParseKey([]byte(strings.Repeat("k", credential.KeyBytes)))
	if err != nil {
		t.Fatal(err)
	}
	token := credential.Token(key, "11111111-2222-3333-4444-555555555555")
	run := "13566a3d-a0a3-49c5-aa21-72530395e376"
	for name, tc := range map[string]struct{ said, kept string }{
		"a credential in a header":    {"401 for Bearer " + credential.Compose(run, token) + "!", "401 for Bearer " + run + ".[redacted]!"},
		"a token in an address":       {"dial http://" + run + ":" + token + "@sonde: refused", "dial http://" + run + ":[redacted]@sonde: refused"},
		"twice":                       {token + " " + token, "[redacted] [redacted]"},
		"nothing of the kind":         {strings.Repeat("panic: nil map ", 10), strings.Repeat("panic: nil map ", 10)},
		"a UID alone is no secret":    {"check 11111111-2222-3333-4444-555555555555 in a sentence that is long enough", "check 11111111-2222-3333-4444-555555555555 in a sentence that is long enough"},
		"what is too short to be one": {"no", "no"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := credential.Mask(tc.said); got != tc.kept {
				t.Errorf("Mask(%q) = %q, want %q", tc.said, got, tc.kept)
			}
		})
	}
}
