package receiver_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/sonde-dev/sonde/receiver"
	"github.com/sonde-dev/sonde/receiver/credential"
	"github.com/sonde-dev/sonde/telemetry/result"
)

func dial(t *testing.T, address string) *grpc.ClientConn {
	t.Helper()
	c, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// authorised returns the context of a call with a header.
func authorised(t *testing.T, authorization string) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return metadata.AppendToOutgoingContext(ctx, "authorization", authorization)
}

func metricsOf(t *testing.T, request string) pmetricotlp.ExportRequest {
	t.Helper()
	r := pmetricotlp.NewExportRequest()
	if err := r.UnmarshalJSON([]byte(request)); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestOTLPOverGRPCIsTaken: three services, with and without gzip.
func TestOTLPOverGRPCIsTaken(t *testing.T) {
	sink := &recorder{receipt: accepted()}
	_, address := serveOTLP(t, sink)
	conn, ctx := dial(t, address), authorised(t, "Bearer "+good(t))
	spans, logs := ptraceotlp.NewExportRequest(), plogotlp.NewExportRequest()
	if err := errors.Join(spans.UnmarshalJSON([]byte(rootOK)), logs.UnmarshalJSON([]byte(oneLog))); err != nil {
		t.Fatal(err)
	}
	metrics := pmetricotlp.NewGRPCClient(conn)
	for name, call := range map[string]func(...grpc.CallOption) error{
		"metrics": func(o ...grpc.CallOption) error {
			_, err := metrics.Export(ctx, metricsOf(t, okIsOne), o...)
			return err
		},
		"traces": func(o ...grpc.CallOption) error {
			_, err := ptraceotlp.NewGRPCClient(conn).Export(ctx, spans, o...)
			return err
		},
		"logs": func(o ...grpc.CallOption) error {
			_, err := plogotlp.NewGRPCClient(conn).Export(ctx, logs, o...)
			return err
		},
		"nothing": func(o ...grpc.CallOption) error {
			_, err := metrics.Export(ctx, pmetricotlp.NewExportRequest(), o...)
			return err
		},
	} {
		for _, options := range [][]grpc.CallOption{nil, {grpc.UseCompressor(gzip.Name)}} {
			before := len(sink.reports)
			if err := call(options...); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if len(sink.reports) != before+1 || sink.reports[before].RunID != run {
				t.Errorf("%s: reports = %+v", name, sink.reports[before:])
			}
		}
	}
	if _, err := metrics.Export(authorised(t, "Basic "+basicValue(t)), metricsOf(t, okIsOne)); err != nil {
		t.Errorf("Basic: %v", err)
	}
}

func basicValue(t *testing.T) string {
	t.Helper()
	_, value, _ := strings.Cut(basic(send(t, "metrics", "")).Header.Get("Authorization"), " ")
	return value
}

// TestOTLPOverGRPCLeavesPartialSuccessUnset: pdata's own server sends an empty one.
func TestOTLPOverGRPCLeavesPartialSuccessUnset(t *testing.T) {
	_, address := serveOTLP(t, &recorder{receipt: accepted()})
	var answer raw
	err := dial(t, address).Invoke(authorised(t, "Bearer "+good(t)),
		"/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", &raw{}, &answer)
	if err != nil || len(answer.body) != 0 {
		t.Errorf("answer = %x, %v, want nothing", answer.body, err)
	}
}

// raw is a message as pdata's codec takes them, left as it is.
type raw struct{ body []byte }

func (m *raw) SizeProto() int                { return len(m.body) }
func (m *raw) MarshalProto(b []byte) int     { return copy(b, m.body) }
func (m *raw) UnmarshalProto(b []byte) error { m.body = append([]byte{}, b...); return nil }

func TestOTLPOverGRPCPartialSuccess(t *testing.T) {
	_, address := serveOTLP(t, &recorder{receipt: accepted()})
	got, err := pmetricotlp.NewGRPCClient(dial(t, address)).Export(authorised(t, "Bearer "+good(t)), metricsOf(t, twoFaults))
	if err != nil || got.PartialSuccess().RejectedDataPoints() != 2 || !strings.Contains(got.PartialSuccess().ErrorMessage(), "histograms and summaries are not taken yet") {
		t.Errorf("answer = %d %s, %v", got.PartialSuccess().RejectedDataPoints(), got.PartialSuccess().ErrorMessage(), err)
	}
}

// TestOTLPOverGRPCRefusals: codes and details as OTLP has them. A sender tries again
// exactly where there is a RetryInfo.
func TestOTLPOverGRPCRefusals(t *testing.T) {
	cred := "Bearer " + good(t)
	small := metricsOf(t, okIsOne)
	large := pmetricotlp.NewExportRequestFromMetrics(ofBytes(receiver.MaxOTLPBytes + 1))
	for name, tc := range map[string]struct {
		credential string
		request    pmetricotlp.ExportRequest
		options    []grpc.CallOption
		err        error // of the sink
		want       string
		refused    int
	}{
		"no credential":              {request: small, want: "Unauthenticated"},
		"malformed credential":       {credential: cred[:70], request: small, want: "Unauthenticated"},
		"foreign credential":         {credential: "Bearer " + credential.Compose(run, credential.Token(key(t, 9), check)), request: small, want: "Unauthenticated"},
		"a stranger with 4 MiB":      {credential: "Bearer x", request: large, want: "Unauthenticated"},
		"too large":                  {credential: cred, request: large, want: "ResourceExhausted", refused: 1},
		"too large in gzip":          {credential: cred, request: large, options: []grpc.CallOption{grpc.UseCompressor(gzip.Name)}, want: "ResourceExhausted", refused: 1},
		"of another check":           {credential: cred, request: small, err: fmt.Errorf("accept: %w", result.ErrForeign), want: "PermissionDenied"},
		"the run is over":            {credential: cred, request: small, err: fmt.Errorf("accept: %w", result.ErrRunOver), want: "FailedPrecondition"},
		"no room":                    {credential: cred, request: small, err: fmt.Errorf("accept: %w", result.ErrNoRoom), want: "Unavailable again in 30s"},
		"not written":                {credential: cred, request: small, err: fmt.Errorf("accept: %w", result.ErrNotWritten), want: "Unavailable again in 30s"},
		"not committed":              {credential: cred, request: small, err: errDisk, want: "Unavailable again in 2s"},
		"the deadline of the commit": {credential: cred, request: small, err: context.DeadlineExceeded, want: "Unavailable again in 2s"},
	} {
		t.Run(name, func(t *testing.T) {
			sink := &recorder{err: tc.err}
			_, address := serveOTLP(t, sink)
			_, err := pmetricotlp.NewGRPCClient(dial(t, address)).Export(authorised(t, tc.credential), tc.request, tc.options...)
			if got := codeOf(err) + again(err); got != tc.want {
				t.Errorf("error = %s (%v), want %s", got, err, tc.want)
			}
			if !eventually(func() bool { return sink.noted() == tc.refused }) || strings.Contains(fmt.Sprint(err), good(t)[40:]) {
				t.Errorf("refused = %v, error %v", sink.refused, err)
			}
		})
	}
}

// eventually says whether done is true within 5 s: grpc tells the sender of a message
// that it cannot read before it tells the handler.
func eventually(done func() bool) bool {
	for range 500 {
		if done() {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

// noted returns how many refusals the sink was told of.
func (s *recorder) noted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.refused)
}

// again says when a sender may try again, by the details of err.
func again(err error) string {
	for _, d := range status.Convert(err).Details() {
		if retry, ok := d.(*errdetails.RetryInfo); ok {
			return " again in " + retry.GetRetryDelay().AsDuration().String()
		}
	}
	return ""
}

// ofBytes returns metrics of n bytes and more.
func ofBytes(n int) pmetric.Metrics {
	m := pmetric.NewMetrics()
	m.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetDescription(strings.Repeat("x", n))
	return m
}

func TestOTLPOverGRPCThatCannotBeDecoded(t *testing.T) {
	sink := &recorder{receipt: accepted()}
	_, address := serveOTLP(t, sink)
	conn := dial(t, address)
	call := func(method string) error {
		return conn.Invoke(authorised(t, "Bearer "+good(t)), method, &raw{[]byte("\x0a\x05\x12")}, &raw{})
	}
	err := call("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
	details := status.Convert(err).Details()
	if codeOf(err) != "InvalidArgument" || len(details) != 1 || len(sink.refused) != 1 {
		t.Fatalf("error = %v, details %v, refused %v", err, details, sink.refused)
	}
	if bad, ok := details[0].(*errdetails.BadRequest); !ok || bad.GetFieldViolations()[0].GetField() != "body" {
		t.Errorf("details = %v", details)
	}
	if err := call("/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export"); codeOf(err) != "Unimplemented" {
		t.Errorf("profiles: %v, want Unimplemented", err)
	}
}

func TestOTLPOverGRPCPanicIsAStatus(t *testing.T) {
	_, address := serveOTLP(t, &recorder{accept: func(context.Context) { panic("a bug") }})
	client := pmetricotlp.NewGRPCClient(dial(t, address))
	for range 2 { // the server lives on
		if _, err := client.Export(authorised(t, "Bearer "+good(t)), metricsOf(t, okIsOne)); codeOf(err) != "Internal" {
			t.Errorf("error = %v, want Internal", err)
		}
	}
}
