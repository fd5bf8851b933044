package receiver

import (
	"errors"
	"net/http"
	"strings"

	"github.com/sonde-dev/sonde/receiver/credential"
)

// errNoCredential is a request that does not say whom it speaks for.
var errNoCredential = errors.New("no credential")

// sender is who sent a request: verified, with what it proved that with.
type sender struct {
	credential.Identity
	credential string
}

// authenticate returns who sent a request with header h, or errNoCredential or an
// error of package credential.
func authenticate(keys Verifier, h http.Header) (sender, error) {
	presented := presentedCredential(h)
	if presented == "" {
		return sender{}, errNoCredential
	}
	id, err := keys.Verify(presented)
	if err != nil {
		return sender{}, err
	}
	return sender{Identity: id, credential: presented}, nil
}

// presentedCredential returns what h authorises with: a bearer credential or,
// which is what clients make of the userinfo of an address, HTTP Basic; "" if there
// is neither. With Basic the run is the user and its token the password, as in
// KU_API_URL, or either of them is the whole credential.
func presentedCredential(h http.Header) string {
	scheme, value, _ := strings.Cut(h.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(value)
	}
	user, password, ok := (&http.Request{Header: h}).BasicAuth()
	if !ok {
		return ""
	}
	if _, err := credential.Parse(user); err == nil || password == "" {
		return user
	}
	if _, err := credential.Parse(password); err == nil {
		return password
	}
	return credential.Compose(user, password)
}
