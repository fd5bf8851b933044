package problem

import (
	"net/http"
	"strings"
)

// Kind is a kind of refusal: what RFC 9457 calls a problem type. The set is
// closed and its names are promised (docs/spec).
type Kind string

// The kinds of refusal.
const (
	MissingCredential    Kind = "missing-credential"     // 401: no credential came with the request
	MalformedCredential  Kind = "malformed-credential"   // 401: what came is not of a credential's form
	UnknownKey           Kind = "unknown-key"            // 401: signed with a key that is not, or no longer, in use
	BadSignature         Kind = "bad-signature"          // 401: the signature is not that of the key
	UnsupportedMediaType Kind = "unsupported-media-type" // 415: the body is not declared to be JSON
	UnsupportedEncoding  Kind = "unsupported-encoding"   // 415: neither identity nor gzip
	BodyTooLarge         Kind = "body-too-large"         // 413: as sent or when decompressed
	MalformedEncoding    Kind = "malformed-encoding"     // 400: declared to be gzip and is not
	IncompleteBody       Kind = "incomplete-body"        // 400: the connection ended within the body
	SlowBody             Kind = "slow-body"              // 408: the body did not arrive in time
	MalformedJSON        Kind = "malformed-json"         // 400: not JSON
	MalformedOTLP        Kind = "malformed-otlp"         // 400: not an OTLP request in its declared encoding
	InvalidReport        Kind = "invalid-report"         // 422: JSON, with faults
	ForeignRun           Kind = "foreign-run"            // 403: the run belongs to another check
	RunOver              Kind = "run-over"               // 410: the run ended too long ago
	TooManyAtOnce        Kind = "too-many-at-once"       // 429: this check has too many requests in flight
	Overloaded           Kind = "overloaded"             // 503: the collector has too many requests in flight
	NoRoom               Kind = "no-room"                // 503: the report could not be committed for lack of room
	Unavailable          Kind = "unavailable"            // 503: the report could not be committed
	NotFound             Kind = "not-found"              // 404
	MethodNotAllowed     Kind = "method-not-allowed"     // 405
	InternalError        Kind = "internal-error"         // 500: a fault of the collector's own
	NotLive              Kind = "not-live"               // 503: of /livez
	NotReady             Kind = "not-ready"              // 503: of /readyz
)

// Kinds returns the closed set, in order of documentation. The slice is the
// caller's.
func Kinds() []Kind {
	return []Kind{
		MissingCredential, MalformedCredential, UnknownKey, BadSignature,
		UnsupportedMediaType, UnsupportedEncoding, BodyTooLarge, MalformedEncoding, IncompleteBody, SlowBody,
		MalformedJSON, MalformedOTLP, InvalidReport, ForeignRun, RunOver,
		TooManyAtOnce, Overloaded, NoRoom, Unavailable,
		NotFound, MethodNotAllowed, InternalError, NotLive, NotReady,
	}
}

// Type returns the kind's URI, a relative reference.
func (k Kind) Type() string { return "/problems/" + string(k) }

// Label returns the kind as the value of a metric's label.
func (k Kind) Label() string { return strings.ReplaceAll(string(k), "-", "_") }

// Title returns the kind in words: the same for every refusal of the kind.
func (k Kind) Title() string {
	words := strings.ReplaceAll(string(k), "-", " ")
	return strings.NewReplacer("json", "JSON", "otlp", "OTLP").Replace(strings.ToUpper(words[:1]) + words[1:])
}

// Status returns the HTTP status code that a refusal of the kind has.
func (k Kind) Status() int {
	switch k {
	case MalformedEncoding, IncompleteBody, MalformedJSON, MalformedOTLP:
		return http.StatusBadRequest
	case MissingCredential, MalformedCredential, UnknownKey, BadSignature:
		return http.StatusUnauthorized
	case ForeignRun:
		return http.StatusForbidden
	case NotFound:
		return http.StatusNotFound
	case MethodNotAllowed:
		return http.StatusMethodNotAllowed
	case SlowBody:
		return http.StatusRequestTimeout
	case RunOver:
		return http.StatusGone
	case BodyTooLarge:
		return http.StatusRequestEntityTooLarge
	case UnsupportedMediaType, UnsupportedEncoding:
		return http.StatusUnsupportedMediaType
	case InvalidReport:
		return http.StatusUnprocessableEntity
	case TooManyAtOnce:
		return http.StatusTooManyRequests
	case Overloaded, NoRoom, Unavailable, NotLive, NotReady:
		return http.StatusServiceUnavailable
	case InternalError:
		return http.StatusInternalServerError
	}
	return http.StatusInternalServerError
}
