package credential_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/receiver/credential"
)

const (
	run   = "0f8fad5b-d9cb-469f-a165-70867728950e"
	check = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
)

// key returns a key of 32 times b.
func key(tb testing.TB, b byte) credential.Key {
	tb.Helper()
	k, err := credential.ParseKey(bytes.Repeat([]byte{b}, credential.KeyBytes))
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

// TestTokenIsPartOfTheWire holds the token of a known key still: pods carry
// tokens of the version before, while an upgrade is under way.
func TestTokenIsPartOfTheWire(t *testing.T) {
	const want = "72cd6e84.7c9e6679-7425-40de-944b-e07fc1f90ae7.i_Gyyr_iCdAlDAZPZCpm5HgGFq7PLhmavm_EHjMxUxE"
	if got := credential.Token(key(t, 1), check); got != want {
		t.Errorf("Token() = %s, want %s", got, want)
	}
}

func TestVerify(t *testing.T) {
	mine, old, foreign := key(t, 1), key(t, 2), key(t, 3)
	ring := credential.NewKeyring(mine, old)
	good := credential.Compose(run, credential.Token(mine, check))
	mac := good[strings.LastIndexByte(good, '.')+1:]

	for name, tc := range map[string]struct {
		credential string
		want       error
	}{
		"signed with the current key":                {good, nil},
		"signed with the previous key":               {credential.Compose(run, credential.Token(old, check)), nil},
		"signed with a foreign key":                  {credential.Compose(run, credential.Token(foreign, check)), credential.ErrUnknownKey},
		"a foreign signature under a known key's id": {run + "." + mine.ID() + "." + check + "." + strings.Repeat("A", 43), credential.ErrSignature},
		"the token of one check, the UID of another": {strings.Replace(good, check, run, 1), credential.ErrSignature},
		"one bit of the signature is another":        {good[:len(good)-2] + flip(good[len(good)-2]) + good[len(good)-1:], credential.ErrSignature},
		"the last character has another spare bit":   {good[:len(good)-1] + flip(good[len(good)-1]), credential.ErrSignature},
		"another run of the same check":              {strings.Replace(good, run, "11111111-2222-3333-4444-555555555555", 1), nil},
		"truncated by one character":                 {good[:len(good)-1], credential.ErrMalformed},
		"one character too many":                     {good + "A", credential.ErrMalformed},
		"the token without a run":                    {credential.Token(mine, check), credential.ErrMalformed},
		"a run without a token":                      {run, credential.ErrMalformed},
		"an unexpanded variable":                     {"$(SONDE_RUN_ID)." + credential.Token(mine, check), credential.ErrMalformed},
		"an empty run":                               {"." + credential.Token(mine, check), credential.ErrMalformed},
		"a run in upper case":                        {strings.ToUpper(run) + good[len(run):], credential.ErrMalformed},
		"a check in upper case":                      {strings.Replace(good, check, strings.ToUpper(check), 1), credential.ErrMalformed},
		"a run without dashes":                       {strings.ReplaceAll(run, "-", "") + good[len(run):], credential.ErrMalformed},
		"a dash in the wrong place":                  {"0f8fad5-bd9cb-469f-a165-70867728950e" + good[len(run):], credential.ErrMalformed},
		"an extra dot at the end":                    {good + ".", credential.ErrMalformed},
		"an extra dot within":                        {strings.Replace(good, ".", "..", 1), credential.ErrMalformed},
		"an extra part":                              {good + ".x", credential.ErrMalformed},
		"padded base64":                              {good[:len(good)-1] + "=", credential.ErrMalformed},
		"standard base64":                            {strings.TrimSuffix(good, mac) + strings.Repeat("+", 43), credential.ErrMalformed},
		"a space before":                             {" " + good, credential.ErrMalformed},
		"a line break after":                         {good + "\n", credential.ErrMalformed},
		"empty":                                      {"", credential.ErrMalformed},
		"only dots":                                  {"...", credential.ErrMalformed},
		"huge":                                       {strings.Repeat(good+".", 10_000), credential.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ring.Verify(tc.credential)
			if !errors.Is(err, tc.want) {
				t.Fatalf("Verify() error = %v, want %v", err, tc.want)
			}
			if err == nil && (got.RunID != tc.credential[:36] || got.CheckUID != check) {
				t.Errorf("Verify() = %+v", got)
			}
			if err != nil && (got != credential.Identity{} || tc.credential != "" && strings.Contains(err.Error(), tc.credential)) {
				t.Errorf("Verify() = %+v, %v: says more than it should", got, err)
			}
		})
	}
}

// flip returns another character of the alphabet than c, one that differs in
// its last bit.
func flip(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, c)^1])
}

func TestRedact(t *testing.T) {
	token := credential.Token(key(t, 1), check)
	cred := credential.Compose(run, token)
	mac := token[strings.LastIndexByte(token, '.')+1:]

	for name, tc := range map[string]struct{ in, want string }{
		"the credential in an address":    {"post http://" + cred + "@sonde/v1/results: EOF", "post http://[redacted]@sonde/v1/results: EOF"},
		"the token alone, twice":          {token + " and " + token, "[redacted] and [redacted]"},
		"the token with another run":      {"11111111-2222-3333-4444-555555555555." + token, "11111111-2222-3333-4444-555555555555.[redacted]"},
		"the signature alone":             {"sig=" + mac, "sig=[redacted]"},
		"the run and the check stay":      {run + " of " + check + " failed", run + " of " + check + " failed"},
		"nothing to hide":                 {"connection refused", "connection refused"},
		"a text shorter than a signature": {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := credential.Redact(tc.in, cred); got != tc.want {
				t.Errorf("Redact() = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestKeyNeverPrintsItsSecret(t *testing.T) {
	k := key(t, 'K')
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, got := range []string{fmt.Sprintf(verb, k), fmt.Sprintf(verb, struct{ K credential.Key }{k})} {
			if !strings.Contains(got, k.ID()) || strings.Contains(got, "KKKK") || strings.Contains(got, "4b4b") || strings.Contains(got, "75, 75") {
				t.Errorf("%s prints %s", verb, got)
			}
		}
	}
}

func TestNewKey(t *testing.T) {
	k, err := credential.NewKey(bytes.NewReader(bytes.Repeat([]byte{7}, 40)))
	if err != nil || !bytes.Equal(k.Bytes(), bytes.Repeat([]byte{7}, credential.KeyBytes)) {
		t.Errorf("NewKey() = %v, %v", k, err)
	}
	if _, err := credential.NewKey(strings.NewReader("short")); err == nil {
		t.Error("NewKey() of too little randomness made a key")
	}
	if _, err := credential.ParseKey(make([]byte, 31)); err == nil {
		t.Error("ParseKey() took 31 bytes")
	}
}

// FuzzVerify: whatever comes in, nothing panics, and only what this key has
// signed is accepted.
func FuzzVerify(f *testing.F) {
	k := key(f, 1)
	ring := credential.NewKeyring(k)
	good := credential.Compose(run, credential.Token(k, check))
	for _, seed := range []string{good, good[:40], "", "...", good + ".", strings.ToUpper(good)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ring.Verify(s)
		_ = credential.Redact("some text that is long enough to look at: "+s, s)
		if err != nil {
			return
		}
		if s != credential.Compose(id.RunID, credential.Token(k, id.CheckUID)) {
			t.Errorf("accepted %q as %+v", s, id)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	k := key(b, 1)
	ring := credential.NewKeyring(key(b, 2), k)
	cred := credential.Compose(run, credential.Token(k, check))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ring.Verify(cred); err != nil {
			b.Fatal(err)
		}
	}
}
