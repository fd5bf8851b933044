package receiver_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/sonde-dev/sonde/receiver"
	"github.com/sonde-dev/sonde/receiver/credential"
	"github.com/sonde-dev/sonde/telemetry/result"
)

var update = flag.Bool("update", false, "accept what is answered into testdata")

const (
	run   = "0f8fad5b-d9cb-469f-a165-70867728950e"
	check = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// recorder is a Sink that remembers, and answers as it is told.
type recorder struct {
	receipt result.Receipt
	err     error
	accept  func(context.Context) // called by Accept if not nil

	mu      sync.Mutex // guards the rest
	reports []result.Report
	refused []string
}

func (s *recorder) Accept(ctx context.Context, r result.Report) (result.Receipt, error) {
	if s.accept != nil {
		s.accept(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reports = append(s.reports, r)
	return s.receipt, s.err
}

func (s *recorder) Refused(id credential.Identity, detail string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = append(s.refused, id.RunID[:8]+" "+id.CheckUID[:8]+" "+detail)
}

func key(tb testing.TB, b byte) credential.Key {
	tb.Helper()
	k, err := credential.ParseKey(bytes.Repeat([]byte{b}, credential.KeyBytes))
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func good(tb testing.TB) string {
	tb.Helper()
	return credential.Compose(run, credential.Token(key(tb, 1), check))
}

// edge returns the handler for checks over s, and what it logs.
func edge(tb testing.TB, s receiver.Sink) (http.Handler, *bytes.Buffer) {
	tb.Helper()
	logs := &bytes.Buffer{}
	h, err := receiver.CheckFacing{
		Keys: credential.NewKeyring(key(tb, 1)), Sink: s, Now: func() time.Time { return noon },
		Log:   slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Meter: noop.Meter{},
	}.Handler(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return h, logs
}

// post returns a report's request with the run's own credential.
func post(tb testing.TB, body string) *http.Request {
	tb.Helper()
	r := httptest.NewRequest(http.MethodPost, receiver.ResultsPath, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+good(tb))
	r.Header.Set("Content-Type", "application/json")
	return r
}

func with(r *http.Request, header, value string) *http.Request {
	r.Header.Set(header, value)
	return r
}

func gzipped(tb testing.TB, body io.Reader) string {
	tb.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.Copy(z, body); err != nil {
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// many returns a report of n metrics.
func many(n int) string {
	var b strings.Builder
	b.WriteString(`{"metrics":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"name":"m%d","value":1}`, i)
	}
	b.WriteString(`]}`)
	return b.String()
}

// show prints an answer as a person would read it, for a golden.
func show(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s\n", w.Code, http.StatusText(w.Code))
	for _, name := range []string{"Content-Type", "Retry-After", "Www-Authenticate", "Accept", "Accept-Encoding", "Allow"} {
		for _, v := range w.Header()[name] {
			fmt.Fprintf(&b, "%s: %s\n", name, v)
		}
	}
	b.WriteByte('\n')
	if !json.Valid(w.Body.Bytes()) {
		b.Write(w.Body.Bytes())
		return b.String()
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, w.Body.Bytes(), "", "  "); err != nil {
		t.Fatal(err)
	}
	b.Write(indented.Bytes())
	return b.String()
}

// golden compares got with testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-golden +got), go test -update to accept:\n%s", path, diff)
	}
}

// fileName makes a file's name of a test's.
func fileName(sentence string) string { return strings.ReplaceAll(sentence, " ", "-") + ".txt" }

// errDisk is an error that no sender can do anything about.
var errDisk = errors.New("write /data/ledger: input/output error")

// credentialOf returns the credential of a run of the i-th check.
func credentialOf(tb testing.TB, i int) string {
	tb.Helper()
	uid := fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
	return credential.Compose(run, credential.Token(key(tb, 1), uid))
}
