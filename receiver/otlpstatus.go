package receiver

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/sonde-dev/sonde/receiver/otlp"
	"github.com/sonde-dev/sonde/receiver/problem"
)

// otlpHTTPStatus returns the status code of a refusal over OTLP/HTTP. Senders try
// again after 429, 502, 503 and 504 only, so a body that did not arrive is a 503.
func otlpHTTPStatus(k problem.Kind) int {
	if k == problem.SlowBody || k == problem.IncompleteBody {
		return http.StatusServiceUnavailable
	}
	return k.Status()
}

// retryable says whether an OTLP sender will try again after a refusal.
func retryable(k problem.Kind) bool {
	switch otlpHTTPStatus(k) {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return true
	}
	return false
}

// otlpCode returns the gRPC code of a refusal. Of those given here, senders try again
// after UNAVAILABLE only; after RESOURCE_EXHAUSTED they do if it has a RetryInfo.
// Source: OTLP 1.10, "Failures".
func otlpCode(k problem.Kind) codes.Code {
	switch otlpHTTPStatus(k) {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return codes.Unavailable
	case http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusRequestEntityTooLarge:
		return codes.ResourceExhausted
	case http.StatusGone:
		return codes.FailedPrecondition
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return codes.Unimplemented
	case http.StatusInternalServerError:
		return codes.Internal
	default:
		return codes.InvalidArgument
	}
}

// rpcStatus returns a refusal as OTLP has them, over either transport.
func rpcStatus(d problem.Details) *status.Status {
	s := status.New(otlpCode(d.Kind), d.Kind.Title()+": "+d.Detail)
	var detail protoadapt.MessageV1
	switch {
	case retryable(d.Kind):
		detail = &errdetails.RetryInfo{RetryDelay: durationpb.New(time.Duration(retryAfter(d)) * time.Second)}
	case s.Code() == codes.InvalidArgument:
		detail = &errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "body", Description: d.Detail}}}
	default:
		return s
	}
	detailed, err := s.WithDetails(detail)
	if err != nil {
		return s // the text is in it all the same
	}
	return detailed
}

// retryAfter returns when to try again, in seconds.
func retryAfter(d problem.Details) int {
	if d.RetryAfter == 0 {
		return seconds(RetryAfterOverload)
	}
	return d.RetryAfter
}

// encode returns a refusal as the body of an answer over HTTP.
func encode(s *status.Status, encoding otlp.Encoding) []byte {
	if encoding == otlp.Protobuf {
		body, _ := proto.Marshal(s.Proto()) // made here: it cannot fail
		return body
	}
	spaced, _ := protojson.Marshal(s.Proto()) // with spaces at random places
	var body bytes.Buffer
	_ = json.Compact(&body, spaced)
	return body.Bytes()
}
