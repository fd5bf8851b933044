package receiver_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/sonde-dev/sonde/receiver"
	"github.com/sonde-dev/sonde/receiver/credential"
	"github.com/sonde-dev/sonde/telemetry/result"
)

// TestReportsAreCounted holds the whole closed set of series, most of them 0.
func TestReportsAreCounted(t *testing.T) {
	reader := sdk.NewManualReader()
	sink := &recorder{receipt: result.Receipt{Disposition: result.Held}}
	h, err := receiver.CheckFacing{
		Keys: credential.NewKeyring(key(t, 1)), Sink: sink, Now: func() time.Time { return noon },
		Log: slog.New(slog.DiscardHandler), Meter: sdk.NewMeterProvider(sdk.WithReader(reader)).Meter("test"),
	}.Handler(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []string{`{}`, `{"ok": true}`, `{"ok": 1}`, `no`} {
		h.ServeHTTP(httptest.NewRecorder(), post(t, r))
	}
	h.ServeHTTP(httptest.NewRecorder(), with(post(t, `{}`), "Authorization", "Bearer x"))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/elsewhere", nil))

	var rm metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &rm); err != nil {
		t.Fatal(err)
	}
	m := rm.ScopeMetrics[0].Metrics[0]
	lines := []string{m.Name + " " + m.Unit}
	for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
		outcome, _ := p.Attributes.Value(attribute.Key("outcome"))
		reason, _ := p.Attributes.Value(attribute.Key("reason"))
		lines = append(lines, fmt.Sprintf("outcome=%s reason=%s %d", outcome.AsString(), reason.AsString(), p.Value))
	}
	slices.Sort(lines[1:])
	golden(t, "counted.txt", strings.Join(lines, "\n")+"\n")
}
