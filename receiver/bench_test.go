package receiver_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sonde-dev/sonde/receiver"
	"github.com/sonde-dev/sonde/telemetry/result"
)

// BenchmarkReport is one report with 5 metrics, from header to answer.
func BenchmarkReport(b *testing.B) {
	body := []byte(`{"ok":true,"duration":1.25,"metrics":[` +
		`{"name":"login.steps","value":4},` +
		`{"name":"login.requests","value":17,"kind":"counter","unit":"{request}","labels":{"method":"GET"}},` +
		`{"name":"login.dns","value":0.0021,"unit":"s","labels":{"host":"shop.example"}},` +
		`{"name":"login.tls","value":0.013,"unit":"s","labels":{"host":"shop.example"}},` +
		`{"name":"login.size","value":48123,"unit":"By","description":"Bytes of all pages."}]}`)
	sink := &recorder{receipt: result.Receipt{Disposition: result.Accepted}}
	h, _ := edge(b, sink)
	header := post(b, "").Header
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, receiver.ResultsPath, io.NopCloser(bytes.NewReader(body)))
		if err != nil {
			b.Fatal(err)
		}
		r.Header = header
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
		sink.reports = sink.reports[:0]
	}
}
