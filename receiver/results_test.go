package receiver_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/receiver"
	"github.com/sonde-dev/sonde/receiver/credential"
	"github.com/sonde-dev/sonde/telemetry/result"
)

const fullReport = `{
  "ok": false,
  "errors": ["step 2: got 502"],
  "duration": "1.5s",
  "metrics": [
    {"name": "login.steps", "value": 2},
    {"name": "login.requests", "value": 7, "kind": "counter", "unit": "{request}", "description": "Requests made.", "labels": {"step": "2", "method": "GET"}}
  ]
}`

func TestReportIsHandedOn(t *testing.T) {
	sink := &recorder{receipt: result.Receipt{Check: result.Key{Namespace: "shop", Name: "login"}, Disposition: result.Accepted}}
	h, logs := edge(t, sink)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, post(t, fullReport))

	if want := `{"check":"shop/login","run":"` + run + `","status":"accepted","rejected":[]}` + "\n"; w.Code != 200 || w.Body.String() != want {
		t.Errorf("answer = %d %s, want 200 %s", w.Code, w.Body, want)
	}
	want := []result.Report{{
		RunID: run, CheckUID: check, Claim: result.ClaimFailure, Form: result.FormJSON, Errors: []string{"step 2: got 502"},
		Duration: 1500 * time.Millisecond, Received: noon,
		Samples: []result.Sample{
			{Name: "login.steps", Kind: result.Gauge, Value: 2},
			{
				Name: "login.requests", Kind: result.Counter, Unit: "{request}", Description: "Requests made.", Value: 7,
				Labels: []result.Label{{Name: "method", Value: "GET"}, {Name: "step", Value: "2"}},
			},
		},
	}}
	if diff := cmp.Diff(want, sink.reports); diff != "" {
		t.Errorf("reports (-want +got):\n%s", diff)
	}
	if logs.Len() > 0 || len(sink.refused) > 0 {
		t.Errorf("a good report was logged or refused: %s %v", logs, sink.refused)
	}
}

func TestAnswers(t *testing.T) {
	shop := result.Key{Namespace: "shop", Name: "login"}
	for name, receipt := range map[string]result.Receipt{
		"held until the run is known":      {Disposition: result.Held},
		"ignored after the verdict":        {Check: shop, Disposition: result.Ignored},
		"accepted but for two metrics":     {Check: shop, Disposition: result.Accepted, Rejected: []result.Rejection{{Index: 0, Reason: result.RejectedType, Detail: "is a counter in shop/cart"}, {Index: 3, Reason: result.RejectedCheckLimit, Detail: "the check has its 200 series"}}},
		"accepted as a failure with words": {Check: shop, Disposition: result.Accepted},
	} {
		t.Run(name, func(t *testing.T) {
			h, _ := edge(t, &recorder{receipt: receipt})
			w := httptest.NewRecorder()
			h.ServeHTTP(w, post(t, fullReport))
			golden(t, "answers/"+fileName(name), show(t, w))
		})
	}
}

// TestWaysToAuthorise: every client can say whom it speaks for in one of these.
func TestWaysToAuthorise(t *testing.T) {
	cred := good(t)
	for name, set := range map[string]func(*http.Request){
		"bearer":                         func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+cred) },
		"bearer in lower case":           func(r *http.Request) { r.Header.Set("Authorization", "bearer "+cred) },
		"bearer with two spaces":         func(r *http.Request) { r.Header.Set("Authorization", "Bearer  "+cred) },
		"the password of Basic":          func(r *http.Request) { r.SetBasicAuth("sonde", cred) },
		"the password, without a user":   func(r *http.Request) { r.SetBasicAuth("", cred) },
		"the user of Basic, no password": func(r *http.Request) { r.SetBasicAuth(cred, "") },
		"the run as user, its token as password": func(r *http.Request) {
			run, token, _ := strings.Cut(cred, ".")
			r.SetBasicAuth(run, token)
		},
		"the user of Basic and a password": func(r *http.Request) { r.SetBasicAuth(cred, "x") },
	} {
		t.Run(name, func(t *testing.T) {
			sink := &recorder{}
			h, _ := edge(t, sink)
			r := post(t, `{"ok": true}`)
			set(r)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != 200 || len(sink.reports) != 1 || sink.reports[0].CheckUID != check {
				t.Errorf("answer = %d %s", w.Code, w.Body)
			}
		})
	}
}

func TestBodiesThatAreTaken(t *testing.T) {
	for name, r := range map[string]*http.Request{
		"no content type":          with(post(t, `{}`), "Content-Type", ""),
		"with a charset":           with(post(t, `{}`), "Content-Type", "application/json; charset=utf-8"),
		"another flavour of JSON":  with(post(t, `{}`), "Content-Type", "application/vnd.sonde+json"),
		"identity":                 with(post(t, `{}`), "Content-Encoding", "identity"),
		"gzip":                     with(post(t, gzipped(t, strings.NewReader(fullReport))), "Content-Encoding", "gzip"),
		"exactly 1 MiB":            post(t, `{}`+strings.Repeat(" ", receiver.MaxBodyBytes-2)),
		"exactly 1 MiB in gzip":    with(post(t, gzipped(t, strings.NewReader(`{}`+strings.Repeat(" ", receiver.MaxBodyBytes-2)))), "Content-Encoding", "gzip"),
		"2,000 metrics":            post(t, many(2000)),
		"nothing claimed, a gauge": post(t, many(1)),
	} {
		t.Run(name, func(t *testing.T) {
			sink := &recorder{}
			h, _ := edge(t, sink)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != 200 || len(sink.reports) != 1 {
				t.Errorf("answer = %d %.500s", w.Code, w.Body)
			}
		})
	}
}

// TestRefusals holds every refusal as its sender sees it, and what the verdict's
// message will say of it.
func TestRefusals(t *testing.T) {
	cred := good(t)
	bearer := func(credential string) *http.Request {
		return with(post(t, `{"ok": true}`), "Authorization", "Bearer "+credential)
	}
	manyFaults := `{"metrics":[` + strings.Repeat(`{"value":"1"},`, 100) + `{}]}`

	for name, tc := range map[string]struct {
		request *http.Request
		err     error // of the sink
	}{
		"no credential":                      {request: with(post(t, `{"ok": true}`), "Authorization", "")},
		"another scheme":                     {request: with(post(t, `{"ok": true}`), "Authorization", "Negotiate abc")},
		"malformed credential":               {request: bearer(cred[:60])},
		"foreign credential":                 {request: bearer(credential.Compose(run, credential.Token(key(t, 9), check)))},
		"wrong signature":                    {request: bearer(strings.Replace(cred, check, run, 1))},
		"a form":                             {request: with(post(t, `{"ok": true}`), "Content-Type", "application/x-www-form-urlencoded")},
		"plain text":                         {request: with(post(t, `{"ok": true}`), "Content-Type", "text/plain")},
		"a content type that is none":        {request: with(post(t, `{"ok": true}`), "Content-Type", "json; json")},
		"zstd":                               {request: with(post(t, `{"ok": true}`), "Content-Encoding", "zstd")},
		"gzip in gzip":                       {request: with(post(t, `{"ok": true}`), "Content-Encoding", "gzip, gzip")},
		"gzip that is not gzip":              {request: with(post(t, `{"ok": true}`), "Content-Encoding", "gzip")},
		"gzip that ends too early":           {request: with(post(t, gzipped(t, strings.NewReader(fullReport))[:50]), "Content-Encoding", "gzip")},
		"cut off within the body":            {request: cutOff(post(t, `{"ok": true}`))},
		"one byte more than 1 MiB":           {request: post(t, `{}`+strings.Repeat(" ", receiver.MaxBodyBytes-1))},
		"more than 1 MiB of unknown length":  {request: unknownLength(post(t, strings.Repeat(" ", receiver.MaxBodyBytes+1)))},
		"a gzip bomb":                        {request: with(post(t, gzipped(t, io.LimitReader(zeros{}, 32<<20))), "Content-Encoding", "gzip")},
		"100,000 metrics":                    {request: post(t, many(100_000))},
		"2,001 metrics":                      {request: post(t, many(2001))},
		"an empty body":                      {request: post(t, ``)},
		"NaN":                                {request: post(t, "{\n  \"metrics\": [{\"name\": \"a\", \"value\": NaN}]\n}")},
		"two reports":                        {request: post(t, `{"ok": true}{"ok": true}`)},
		"unknown fields":                     {request: post(t, `{"OK": true, "error": ["x"], "colour": "red", "metrics": [{"name": "a", "value": 1, "lables": {"a": "b"}}]}`)},
		"all faults at once":                 {request: post(t, allFaults)},
		"reserved labels":                    {request: post(t, `{"metrics": [{"name": "a", "value": 1, "labels": {"le": "1", "__x": "2", "quantile": "3"}}]}`)},
		"a contradiction":                    {request: post(t, `{"ok": true, "errors": ["no"]}`)},
		"an array":                           {request: post(t, `[]`)},
		"more faults than are listed":        {request: post(t, manyFaults)},
		"the run belongs to another check":   {request: post(t, `{"ok": true}`), err: fmt.Errorf("accept: %w", result.ErrForeign)},
		"the run is over":                    {request: post(t, `{"ok": true}`), err: fmt.Errorf("accept: %w", result.ErrRunOver)},
		"no room":                            {request: post(t, `{"ok": true}`), err: fmt.Errorf("accept: %w", result.ErrNoRoom)},
		"not committed":                      {request: post(t, `{"ok": true}`), err: errDisk},
		"the sender is gone":                 {request: post(t, `{"ok": true}`), err: context.Canceled},
		"another path":                       {request: httptest.NewRequest(http.MethodPost, "/v1/result", nil)},
		"another method":                     {request: httptest.NewRequest(http.MethodGet, receiver.ResultsPath, nil)},
		"its own credential within a report": {request: post(t, `{"x `+cred+`": 1, "duration": "`+cred+`", "metrics": [{"name": "`+cred+`", "value": 1, "labels": {"le": "a", "`+cred+`": 1}}]}`)},
	} {
		t.Run(name, func(t *testing.T) {
			sink := &recorder{err: tc.err}
			h, logs := edge(t, sink)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, tc.request)
			got := show(t, w)
			for _, s := range sink.refused {
				got += "\nverdict: " + s + "\n"
			}
			if logs.Len() > 0 {
				_, line, _ := strings.Cut(logs.String(), " ") // without the time
				got += "\nlog: " + line
			}
			if mac := cred[strings.LastIndex(cred, ".")+1:]; strings.Contains(got, mac) {
				t.Errorf("the credential is shown:\n%s", got)
			}
			golden(t, "refusals/"+fileName(name), got)
		})
	}
}

const allFaults = `{
  "ok": "yes",
  "ok": true,
  "errors": ["a", 1, null],
  "duration": -1,
  "metrics": [
    {"name": "a"},
    {"name": 1, "value": "1"},
    {"name": "x", "value": 1e999},
    {"name": "x", "value": -1, "kind": "counter"},
    {"name": "x", "value": 1, "kind": "histogram", "unit": "a b"},
    {"name": "x", "value": 1, "labels": {"code": 200, "a/b~c": null, "d": "1", "d": "2"}},
    {"name": "x", "value": 1, "labels": []},
    {"name": "sonde_mine", "value": null, "extra": [[[[{"deep": 1}]]]]},
    7
  ]
}`

// zeros is an endless reader of zeros.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestAConnectionThatEndsWithinGzip is told to come again: half a body is not malformed.
func TestAConnectionThatEndsWithinGzip(t *testing.T) {
	s := &recorder{}
	handler, _ := edge(t, s)
	whole := gzipped(t, strings.NewReader(`{"ok": true}`))
	r := with(post(t, ""), "Content-Encoding", "gzip")
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader(whole[:len(whole)/2]), iotest.ErrReader(io.ErrUnexpectedEOF)))
	r.ContentLength = int64(len(whole))
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if !strings.Contains(w.Body.String(), "/problems/incomplete-body") {
		t.Errorf("answer:\n%s", w.Body)
	}
}

// cutOff lets the body of r end as net/http says when a connection does.
func cutOff(r *http.Request) *http.Request {
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader("{"), iotest.ErrReader(io.ErrUnexpectedEOF)))
	return r
}

func unknownLength(r *http.Request) *http.Request {
	r.ContentLength = -1
	return r
}

func TestOwnCredentialIsKeptOutOfWhatIsStored(t *testing.T) {
	cred := good(t)
	sink := &recorder{}
	h, _ := edge(t, sink)
	w := httptest.NewRecorder()
	long := strings.Repeat("x", 4060) // the cut at 4,096 bytes falls into the credential
	h.ServeHTTP(w, post(t, `{"errors": ["post http://`+cred+`@sonde: refused", "`+long+cred+`"],
		"metrics": [{"name": "a", "value": 1, "description": "`+cred+`", "labels": {"url": "`+strings.ReplaceAll(cred, ".", `\u002e`)+`"}}]}`))
	if w.Code != 200 {
		t.Fatalf("answer = %d %s", w.Code, w.Body)
	}
	r := sink.reports[0]
	kept := fmt.Sprintf("%+v", r)
	token := cred[len(run)+1:]
	if strings.Contains(kept, token[:20]) || r.Samples[0].Labels[0].Value != "[redacted]" || r.Errors[0] != "post http://[redacted]@sonde: refused" {
		t.Errorf("kept: %s", kept)
	}
}

func TestPanicIsAProblemAndALogLine(t *testing.T) {
	h, logs := edge(t, &recorder{accept: func(context.Context) { panic("a bug") }})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, post(t, `{"ok": true}`))
	golden(t, "refusals/a-panic.txt", show(t, w))
	if !strings.Contains(logs.String(), "a bug") || bytes.Contains(logs.Bytes(), []byte(good(t))) {
		t.Errorf("logs = %s", logs)
	}
}
