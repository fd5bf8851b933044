package receiver_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/otel/metric/noop"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/sonde-dev/sonde/receiver"
	"github.com/sonde-dev/sonde/receiver/credential"
	"github.com/sonde-dev/sonde/telemetry/result"
)

// accepted is what a sink answers that takes everything.
func accepted() result.Receipt {
	return result.Receipt{Check: result.Key{Namespace: "shop", Name: "login"}, Disposition: result.Accepted}
}

// otlpEdge returns the two servers over s, and what they log.
func otlpEdge(tb testing.TB, s receiver.Sink) (http.Handler, *grpc.Server, *bytes.Buffer) {
	tb.Helper()
	logs := &bytes.Buffer{}
	h, srv, err := receiver.OTLP{
		Keys: credential.NewKeyring(key(tb, 1)), Sink: s, Now: func() time.Time { return noon },
		Log:   slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Meter: noop.Meter{},
	}.Servers(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return h, srv, logs
}

// send returns an OTLP request in JSON with the run's own credential.
func send(tb testing.TB, signal, body string) *http.Request {
	tb.Helper()
	r := httptest.NewRequest(http.MethodPost, "/v1/"+signal, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+good(tb))
	r.Header.Set("Content-Type", "application/json")
	return r
}

// protobuf turns a request in JSON into one in protobuf.
func protobuf(tb testing.TB, r *http.Request) *http.Request {
	tb.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		tb.Fatal(err)
	}
	var request interface {
		UnmarshalJSON(raw []byte) error
		MarshalProto() ([]byte, error)
	}
	switch r.URL.Path {
	case "/v1/metrics":
		request = pmetricotlp.NewExportRequest()
	case "/v1/traces":
		request = ptraceotlp.NewExportRequest()
	case "/v1/logs":
		request = plogotlp.NewExportRequest()
	}
	if err := request.UnmarshalJSON(body); err != nil {
		tb.Fatal(err)
	}
	raw, err := request.MarshalProto()
	if err != nil {
		tb.Fatal(err)
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
	r.Header.Set("Content-Type", "application/x-protobuf")
	return r
}

const (
	okIsOne    = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"sonde.check.ok","gauge":{"dataPoints":[{"asInt":"1"}]}}]}]}]}`
	twoFaults  = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"a","gauge":{"dataPoints":[{"asInt":1}]}},{"name":"sonde_mine","gauge":{"dataPoints":[{"asInt":1}]}},{"name":"b","histogram":{"dataPoints":[{"count":1}]}}]}]}]}`
	rootOK     = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0F8FAD5BD9CB469Fa16570867728950e","spanId":"AbCdEf0123456789","name":"login","endTimeUnixNano":"1","status":{"code":1}}]}]}]}`
	oneLog     = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"severityNumber":9,"body":{"stringValue":"hello"}}]}]}]}`
	halfClaims = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"sonde.check.ok","gauge":{"dataPoints":[{"asDouble":0.5}]}}]}]}]}`
)

// TestOTLPOverHTTPIsTaken is what OTLP 1.10 says that a server takes, item by item of
// its section OTLP/HTTP.
func TestOTLPOverHTTPIsTaken(t *testing.T) {
	success := result.Report{RunID: run, CheckUID: check, Received: noon, Claim: result.ClaimSuccess}
	by := func(form result.Form) result.Report { r := success; r.Form = form; return r }
	heard := result.Report{RunID: run, CheckUID: check, Received: noon}
	for name, tc := range map[string]struct {
		request *http.Request
		want    result.Report
	}{
		"metrics in JSON":                  {send(t, "metrics", okIsOne), by(result.FormGauge)},
		"metrics in protobuf":              {protobuf(t, send(t, "metrics", okIsOne)), by(result.FormGauge)},
		"JSON with a charset":              {with(send(t, "metrics", okIsOne), "Content-Type", "application/json; charset=utf-8"), by(result.FormGauge)},
		"traces in JSON, ids in any case":  {send(t, "traces", rootOK), by(result.FormSpan)},
		"traces in protobuf":               {protobuf(t, send(t, "traces", rootOK)), by(result.FormSpan)},
		"logs in JSON":                     {send(t, "logs", oneLog), heard},
		"logs in protobuf":                 {protobuf(t, send(t, "logs", oneLog)), heard},
		"an empty request, JSON":           {send(t, "metrics", `{}`), heard},
		"an empty request, protobuf":       {protobuf(t, send(t, "metrics", `{}`)), heard},
		"empty traces":                     {protobuf(t, send(t, "traces", `{}`)), heard},
		"empty logs":                       {protobuf(t, send(t, "logs", `{}`)), heard},
		"unknown fields":                   {send(t, "metrics", `{"resourceMetrics":[],"colour":[{"x":1}]}`), heard},
		"gzip":                             {with(send(t, "metrics", gzipped(t, strings.NewReader(okIsOne))), "Content-Encoding", "gzip"), by(result.FormGauge)},
		"identity":                         {with(send(t, "metrics", okIsOne), "Content-Encoding", "identity"), by(result.FormGauge)},
		"exactly 4 MiB":                    {send(t, "metrics", okIsOne+strings.Repeat(" ", receiver.MaxOTLPBytes-len(okIsOne))), by(result.FormGauge)},
		"Basic":                            {basic(send(t, "metrics", okIsOne)), by(result.FormGauge)},
		"a resource that says another run": {send(t, "metrics", `{"resourceMetrics":[{"resource":{"attributes":[{"key":"sonde.run.id","value":{"stringValue":"other"}}]}}]}`), heard},
	} {
		t.Run(name, func(t *testing.T) {
			sink := &recorder{receipt: accepted()}
			h, _, logs := otlpEdge(t, sink)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, tc.request)
			want := "{}"
			if tc.request.Header.Get("Content-Type") == "application/x-protobuf" {
				want = ""
			}
			got := w.Header().Get("Content-Type")
			if media, _, _ := strings.Cut(tc.request.Header.Get("Content-Type"), ";"); w.Code != 200 || w.Body.String() != want || got != media {
				t.Errorf("answer = %d %s %q, want 200 %s %q", w.Code, got, w.Body, media, want)
			}
			if diff := cmp.Diff([]result.Report{tc.want}, sink.reports); diff != "" {
				t.Errorf("reports (-want +got):\n%s", diff)
			}
			if logs.Len() > 0 || len(sink.refused) > 0 {
				t.Errorf("logged %s, refused %v", logs, sink.refused)
			}
		})
	}
}

func basic(r *http.Request) *http.Request {
	_, cred, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	r.SetBasicAuth("", cred)
	return r
}

// TestOTLPPartialSuccess: what is rejected is counted and said, in a 200.
func TestOTLPPartialSuccess(t *testing.T) {
	sink := &recorder{receipt: result.Receipt{Disposition: result.Held, Rejected: []result.Rejection{{Index: 0, Reason: result.RejectedCheckLimit, Detail: "the check has its 200 series"}}}}
	h, _, _ := otlpEdge(t, sink)
	const why = `metric "sonde_mine": name is "sonde_mine" to Prometheus, which is reserved; choose another name; ` +
		`metric "b": histograms and summaries are not taken yet; send a gauge or a sum; metric "a": the check has its 200 series`

	w := httptest.NewRecorder()
	h.ServeHTTP(w, send(t, "metrics", twoFaults))
	want := `{"partialSuccess":{"rejectedDataPoints":"3","errorMessage":"` + strings.ReplaceAll(why, `"`, `\"`) + `"}}`
	if w.Code != 200 || w.Body.String() != want {
		t.Errorf("answer = %d %s\nwant 200 %s", w.Code, w.Body, want)
	}

	w = httptest.NewRecorder()
	h.ServeHTTP(w, protobuf(t, send(t, "metrics", twoFaults)))
	response := pmetricotlp.NewExportResponse()
	if err := response.UnmarshalProto(w.Body.Bytes()); err != nil || w.Code != 200 {
		t.Fatalf("answer = %d %q, %v", w.Code, w.Body, err)
	}
	if got := response.PartialSuccess(); got.RejectedDataPoints() != 3 || got.ErrorMessage() != why {
		t.Errorf("partial success = %d %s", got.RejectedDataPoints(), got.ErrorMessage())
	}
	if len(sink.reports) != 2 || len(sink.reports[0].Samples) != 1 || len(sink.refused) > 0 {
		t.Errorf("reports = %+v, refused %v", sink.reports, sink.refused)
	}
}

func TestClaimThatCannotBeReadIsNoted(t *testing.T) {
	sink := &recorder{receipt: accepted()}
	h, _, _ := otlpEdge(t, sink)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, send(t, "metrics", halfClaims))
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"rejectedDataPoints":"1"`) || len(sink.reports) != 1 {
		t.Errorf("answer = %d %s", w.Code, w.Body)
	}
	if want := []string{"0f8fad5b 7c9e6679 a claim was refused: sonde.check.ok must be 1 or 0, not 0.5"}; !cmp.Equal(want, sink.refused) {
		t.Errorf("refused = %q", sink.refused)
	}
}

// TestOTLPRefusals holds every refusal as its sender sees it, over HTTP, and what the
// verdict's message will say of it. Every body is a google.rpc.Status.
func TestOTLPRefusals(t *testing.T) {
	cred := good(t)
	for name, tc := range map[string]struct {
		request *http.Request
		err     error // of the sink
	}{
		"no credential":                     {request: with(send(t, "metrics", okIsOne), "Authorization", "")},
		"no credential in protobuf":         {request: with(protobuf(t, send(t, "metrics", okIsOne)), "Authorization", "")},
		"malformed credential":              {request: with(send(t, "traces", rootOK), "Authorization", "Bearer "+cred[:60])},
		"foreign credential":                {request: with(send(t, "logs", oneLog), "Authorization", "Bearer "+credential.Compose(run, credential.Token(key(t, 9), check)))},
		"no content type":                   {request: with(send(t, "metrics", okIsOne), "Content-Type", "")},
		"another content type":              {request: with(send(t, "metrics", okIsOne), "Content-Type", "text/plain")},
		"zstd":                              {request: with(protobuf(t, send(t, "metrics", okIsOne)), "Content-Encoding", "zstd")},
		"gzip that is not gzip":             {request: with(send(t, "metrics", okIsOne), "Content-Encoding", "gzip")},
		"a gzip bomb of 200 MiB":            {request: with(send(t, "metrics", gzipped(t, io.LimitReader(zeros{}, 200<<20))), "Content-Encoding", "gzip")},
		"one byte more than 4 MiB":          {request: send(t, "metrics", okIsOne+strings.Repeat(" ", receiver.MaxOTLPBytes-len(okIsOne)+1))},
		"more than 4 MiB of unknown length": {request: unknownLength(send(t, "traces", strings.Repeat(" ", receiver.MaxOTLPBytes+1)))},
		"more than 4 MiB of logs":           {request: send(t, "logs", strings.Repeat(" ", receiver.MaxOTLPBytes+1))},
		"too many parts":                    {request: send(t, "metrics", `{"resourceMetrics":[`+strings.Repeat(`{},`, 200_000)+`{}]}`)},
		"JSON that is none":                 {request: send(t, "metrics", `{"resourceMetrics":`)},
		"JSON of another shape":             {request: send(t, "metrics", `{"resourceMetrics":"x"}`)},
		"protobuf that is none":             {request: with(send(t, "metrics", okIsOne), "Content-Type", "application/x-protobuf")},
		"cut off within the body":           {request: cutOff(send(t, "metrics", okIsOne))},
		"the run belongs to another check":  {request: send(t, "metrics", okIsOne), err: fmt.Errorf("accept: %w", result.ErrForeign)},
		"the run is over":                   {request: send(t, "metrics", okIsOne), err: fmt.Errorf("accept: %w", result.ErrRunOver)},
		"no room":                           {request: send(t, "metrics", okIsOne), err: fmt.Errorf("accept: %w", result.ErrNoRoom)},
		"not written":                       {request: protobuf(t, send(t, "metrics", okIsOne)), err: fmt.Errorf("accept: %w", result.ErrNotWritten)},
		"not committed":                     {request: send(t, "metrics", okIsOne), err: errDisk},
		"the sender is gone":                {request: send(t, "metrics", okIsOne), err: context.Canceled},
		"another path":                      {request: with(httptest.NewRequest(http.MethodPost, "/v1/profiles", nil), "Content-Type", "application/x-protobuf")},
		"another method":                    {request: httptest.NewRequest(http.MethodGet, "/v1/metrics", nil)},
	} {
		t.Run(name, func(t *testing.T) {
			sink := &recorder{err: tc.err}
			h, _, logs := otlpEdge(t, sink)
			w := httptest.NewRecorder()
			inProtobuf := tc.request.Header.Get("Content-Type") == "application/x-protobuf"
			h.ServeHTTP(w, tc.request)
			if inProtobuf {
				w.Body = bytes.NewBufferString(inJSON(t, w))
			}
			got := show(t, w)
			for _, s := range sink.refused {
				got += "\nverdict: " + s + "\n"
			}
			if logs.Len() > 0 {
				_, line, _ := strings.Cut(logs.String(), " ") // without the time
				got += "\nlog: " + line
			}
			golden(t, "otlp/"+fileName(name), got)
			wantStatus(t, w)
		})
	}
}

// inJSON returns the google.rpc.Status in an answer as JSON.
func inJSON(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var s statuspb.Status
	if err := proto.Unmarshal(w.Body.Bytes(), &s); err != nil {
		t.Fatalf("answer = %q: %v", w.Body, err)
	}
	raw, err := protojson.Marshal(&s)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(strings.ReplaceAll(string(raw), `":  `, `":`), `,  "`, `,"`)
}

// wantStatus fails the test unless the body of an answer is a google.rpc.Status, with
// a RetryInfo exactly where an OTLP sender tries again.
func wantStatus(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	var s statuspb.Status
	if err := protojson.Unmarshal(w.Body.Bytes(), &s); err != nil {
		t.Fatalf("answer = %s: %v", w.Body, err)
	}
	again := w.Code == 429 || w.Code == 502 || w.Code == 503 || w.Code == 504
	if retry := strings.Contains(w.Body.String(), "RetryInfo"); s.GetMessage() == "" || retry != again || (w.Header().Get("Retry-After") != "") != again {
		t.Errorf("answer = %d %s, Retry-After %q", w.Code, w.Body, w.Header().Get("Retry-After"))
	}
}

// serveOTLP runs both servers on loopback until the test ends, and returns their
// addresses.
func serveOTLP(t *testing.T, s receiver.Sink) (overHTTP, overGRPC string) {
	t.Helper()
	h, srv, _ := otlpEdge(t, s)
	web := httptest.NewServer(h)
	t.Cleanup(web.Close)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- receiver.ServeGRPC(ctx, l, srv, 10*time.Second) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("ServeGRPC() = %v", err)
		}
	})
	return web.Listener.Addr().String(), l.Addr().String()
}

func TestOTLPPanicIsAStatusAndALogLine(t *testing.T) {
	h, _, logs := otlpEdge(t, &recorder{accept: func(context.Context) { panic("a bug") }})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, send(t, "metrics", okIsOne))
	golden(t, "otlp/a-panic.txt", show(t, w))
	wantStatus(t, w)
	if !strings.Contains(logs.String(), "a bug") || bytes.Contains(logs.Bytes(), []byte(good(t))) {
		t.Errorf("logs = %s", logs)
	}
}

// codeOf returns the gRPC code of an error as text.
func codeOf(err error) string { return status.Code(err).String() }
