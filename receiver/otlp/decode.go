package otlp

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/sonde-dev/sonde/receiver/credential"
	"github.com/sonde-dev/sonde/receiver/report"
	"github.com/sonde-dev/sonde/telemetry/result"
)

// Encoding is how a request and its answer are written.
type Encoding string

// The encodings of OTLP.
const (
	Protobuf Encoding = "protobuf"
	JSON     Encoding = "JSON"
)

// MalformedError is that a body is not an OTLP request.
type MalformedError struct{ Detail string }

// Error says what is wrong, as far as that is known.
func (e *MalformedError) Error() string { return e.Detail }

// ErrTooManyParts is that a body has more messages than MaxParts, or deeper ones than
// anybody needs.
var ErrTooManyParts = errors.New("the request has too many parts")

// unmarshaler is an export request of pdata.
type unmarshaler interface {
	UnmarshalProto(raw []byte) error
	UnmarshalJSON(raw []byte) error
}

// Decode reads the one request in raw, or returns a *MalformedError or
// ErrTooManyParts. It keeps nothing of raw.
func Decode(signal Signal, encoding Encoding, raw []byte, from report.Origin) (Taken, error) {
	if err := checkBulk(signal, encoding, raw); err != nil {
		return Taken{}, err
	}
	switch signal {
	case Metrics:
		request := pmetricotlp.NewExportRequest()
		if err := unmarshal(request, encoding, raw, from); err != nil {
			return Taken{}, err
		}
		return FromMetrics(request.Metrics(), from), nil
	case Traces:
		request := ptraceotlp.NewExportRequest()
		if err := unmarshal(request, encoding, raw, from); err != nil {
			return Taken{}, err
		}
		return FromTraces(request.Traces(), from), nil
	case Logs:
		request := plogotlp.NewExportRequest()
		if err := unmarshal(request, encoding, raw, from); err != nil {
			return Taken{}, err
		}
		return FromLogs(request.Logs(), from), nil
	}
	panic("otlp: no such signal: " + string(signal))
}

func unmarshal(request unmarshaler, encoding Encoding, raw []byte, from report.Origin) error {
	read := request.UnmarshalProto
	if encoding == JSON {
		read = request.UnmarshalJSON
	}
	if err := read(raw); err != nil {
		const most = 256 // bytes: pdata quotes the body
		why := result.Truncate(credential.Redact(err.Error(), from.Credential), most)
		return &MalformedError{fmt.Sprintf("the body is not an OTLP request in %s: %s", encoding, why)}
	}
	return nil
}

// Answer returns the body of the answer to a request that was taken. Where all of it
// was, that has no fields: OTLP wants partial_success unset then.
func Answer(signal Signal, encoding Encoding, rejected Rejected) []byte {
	if rejected.Points == 0 {
		if encoding == JSON {
			return []byte("{}")
		}
		return nil
	}
	response := pmetricotlp.NewExportResponse() // the three differ in the name of the count only
	response.PartialSuccess().SetRejectedDataPoints(int64(rejected.Points))
	response.PartialSuccess().SetErrorMessage(rejected.Message())
	marshal := response.MarshalProto
	if encoding == JSON {
		marshal = response.MarshalJSON
	}
	body, err := marshal()
	if err != nil {
		panic("otlp: answer to " + string(signal) + ": " + err.Error()) // an int and a string: it cannot fail
	}
	return body
}
