package spec_test

import (
	"bufio"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/sonde-dev/sonde/receiver"
	"github.com/sonde-dev/sonde/telemetry/export"
	"github.com/sonde-dev/sonde/telemetry/journal"
	"github.com/sonde-dev/sonde/telemetry/ledger"
	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/series"
)

// exposed is a receiver's metrics after one run of one check: those of OpenTelemetry
// with their units and labels, and Prometheus' names with their types.
type exposed struct {
	units  map[string]string
	labels map[string][]string
	types  map[string]string
}

func exposeOneRun(t *testing.T) exposed {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }
	store := series.New(series.Config{}, now)
	store.PutCheck(series.Check{
		UID: "uid", Key: result.Key{Namespace: "shop", Name: "login"},
		Info: []result.Label{{Name: "sonde.check.schedule", Value: "* * * * *"}, {Name: "sonde.check.suspended", Value: "false"}},
	})
	store.Record(result.Run{
		CheckUID: "uid", ID: "run", Scheduled: now(), Started: now(), Decided: now(), Duration: time.Second,
		Verdict: result.Verdict{Result: result.Success, Reason: result.Reported},
	})
	store.SetNextRun("uid", now())

	reader := sdkmetric.NewManualReader(sdkmetric.WithProducer(store))
	push := pushTo(t, store, now)
	handler, meters, err := export.Prometheus(export.Config{
		Producer: store, Readers: []sdkmetric.Reader{reader}, Pushes: []*export.Push{push}, Version: "dev", Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := push.ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
	meter := meters.Meter("test")
	disk, err := journal.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = disk.Close() })
	if _, err := ledger.New(ledger.Config{Series: store, Journal: disk, Log: slog.New(slog.DiscardHandler), Meter: meter, Now: now, Changed: func(result.Key) {}}); err != nil {
		t.Fatal(err)
	}
	if _, err := (receiver.CheckFacing{Log: slog.New(slog.DiscardHandler), Now: now, Meter: meter}).Handler(t.Context()); err != nil {
		t.Fatal(err)
	}

	if _, _, err := (receiver.OTLP{Log: slog.New(slog.DiscardHandler), Now: now, Meter: meter}).Servers(t.Context()); err != nil {
		t.Fatal(err)
	}

	out := exposed{units: map[string]string{}, labels: map[string][]string{}, types: map[string]string{}}
	var collected metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &collected); err != nil {
		t.Fatal(err)
	}
	for _, scope := range collected.ScopeMetrics {
		for _, m := range scope.Metrics {
			out.units[m.Name] = m.Unit
			out.labels[m.Name] = labelsOf(m.Data)
		}
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if of := strings.Fields(lines.Text()); len(of) == 4 && of[1] == "TYPE" && strings.HasPrefix(of[2], "sonde_") {
			out.types[of[2]] = of[3]
		}
	}
	return out
}

// pushTo returns a push to a server that takes everything.
func pushTo(t *testing.T, producer sdkmetric.Producer, now func() time.Time) *export.Push {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	endpoint, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	push, err := export.OTLP(t.Context(), export.Destination{
		Name: "backend", Endpoint: endpoint, Protocol: export.HTTPProtobuf, Interval: time.Hour, Timeout: 10 * time.Second,
	}, export.Pushing{Producer: producer, Now: now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return push
}

// labelsOf returns the names of labels of the first point, as Prometheus has them, but
// for those that every series of a check has.
func labelsOf(data metricdata.Aggregation) []string {
	var sets []attribute.Set
	switch data := data.(type) {
	case metricdata.Gauge[float64]:
		sets = append(sets, data.DataPoints[0].Attributes)
	case metricdata.Gauge[int64]:
		sets = append(sets, data.DataPoints[0].Attributes)
	case metricdata.Sum[int64]:
		sets = append(sets, data.DataPoints[0].Attributes)
	}
	var out []string
	for _, set := range sets {
		for _, kv := range set.ToSlice() {
			if kv.Key != series.AttributeNamespace && kv.Key != series.AttributeCheck {
				out = append(out, strings.ReplaceAll(string(kv.Key), ".", "_"))
			}
		}
	}
	slices.Sort(out)
	return out
}

func TestMetrics(t *testing.T) {
	real := exposeOneRun(t)
	p := read(t, "telemetry.md")
	var rows [][]string
	for _, title := range []string{"Of a check", "Of the fleet", "Of Sonde itself"} {
		rows = append(rows, p.section(t, title).table(t, "OpenTelemetry")...)
	}
	same(t, p, "metric", column(t, p, rows, 0), keys(real.units))
	same(t, p, "metric", column(t, p, rows, 1), keys(real.types))
	for _, row := range rows {
		name, prometheus := code(t, p, row[0]), code(t, p, row[1])
		if row[2] != real.types[prometheus] {
			t.Errorf("docs: %s says that %s is a %s, and it is a %s", p.name, prometheus, row[2], real.types[prometheus])
		}
		if unit := strings.Trim(row[3], "`"); unit != real.units[name] {
			t.Errorf("docs: %s says that the unit of %s is %q, and it is %q", p.name, name, unit, real.units[name])
		}
		labels := regexp.MustCompile("[a-z_]+").FindAllString(row[4], -1)
		if slices.Sort(labels); !slices.Equal(labels, real.labels[name]) {
			t.Errorf("docs: %s says that %s has the labels %v of its own, and it has %v", p.name, name, labels, real.labels[name])
		}
		if !strings.HasPrefix(prometheus, strings.ReplaceAll(name, ".", "_")) {
			t.Errorf("docs: %s has %s and %s in one row", p.name, name, prometheus)
		}
	}
}

func keys(m map[string]string) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// TestMetricsThatAreMentionedExist looks for Sonde's metrics in all documents, and for
// those of the controller, which are made in the command, in its source.
func TestMetricsThatAreMentionedExist(t *testing.T) {
	real := keys(exposeOneRun(t).types)
	source, err := os.ReadFile("../../cmd/sonde/controller.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`Name: "(sonde_[a-z_]+)"`).FindAllStringSubmatch(string(source), -1) {
		real = append(real, m[1])
		if !strings.Contains(read(t, "telemetry.md").text(), "`"+m[1]+"`") {
			t.Errorf("docs: telemetry.md does not mention the metric %s", m[1])
		}
	}
	labels := []string{"sonde_check_name", "sonde_check_schedule", "sonde_check_suspended"}
	for _, path := range []string{"check.md", "results.md", "telemetry.md", "../operations.md", "../../README.md"} {
		for _, name := range regexp.MustCompile(`\bsonde_[a-z_]+[a-z]\b`).FindAllString(read(t, path).text(), -1) {
			family := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
			if !slices.Contains(real, name) && !slices.Contains(real, family) && !slices.Contains(labels, name) {
				t.Errorf("docs: %s mentions %s, which no metric is called", path, name)
			}
		}
	}
}

// TestNamesOfCustomMetrics proves the table of translations, and that what is called
// reserved is refused.
func TestNamesOfCustomMetrics(t *testing.T) {
	p := read(t, "telemetry.md").section(t, "Names")
	for _, row := range p.table(t, "reported") {
		sample := result.Sample{Kind: result.Gauge, Value: 1}
		if strings.Contains(row[0], "counter") {
			sample.Kind = result.Counter
		}
		quoted := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[0], -1)
		sample.Name = quoted[0][1]
		if len(quoted) > 1 {
			sample.Unit = quoted[1][1]
		}
		if want := code(t, p, row[1]); !strings.Contains(exposeSample(t, sample), "\n"+want+"{") {
			t.Errorf("docs: %s says that %s becomes %s, and it does not", p.name, row[0], want)
		}
	}
	_, sentence, _ := strings.Cut(p.text(), "Reserved, as translated: ")
	sentence, _, _ = strings.Cut(sentence, ". A report")
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(sentence, -1) {
		name := m[1]
		if strings.HasSuffix(name, "_") {
			name += "x"
		}
		if len(series.CheckSample(result.Sample{Name: name, Kind: result.Gauge})) == 0 {
			t.Errorf("docs: %s says that the name %s is reserved, and it is not", p.name, m[1])
		}
	}
}

// exposeSample returns the exposition of one sample.
func exposeSample(t *testing.T, sample result.Sample) string {
	t.Helper()
	store := series.New(series.Config{}, time.Now)
	handler, _, err := export.Prometheus(export.Config{Producer: store, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	store.PutCheck(series.Check{UID: "uid", Key: result.Key{Namespace: "shop", Name: "login"}, MaxSeries: 1})
	if rejected := store.Add("uid", series.Source{}, []result.Sample{sample}, time.Now()); len(rejected) > 0 {
		t.Fatal(rejected)
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return answer.Body.String()
}

func TestLimitsOfSeries(t *testing.T) {
	p := read(t, "telemetry.md").section(t, "Limits")
	var documented [][]string
	for i, row := range p.table(t, "limit") {
		documented = append(documented, []string{"`" + []string{"maxSeries", "--max-series", "SeriesBytes", "names", "MaxStreams"}[i] + "`", row[1]})
	}
	sameLimits(t, p, documented, []limit{
		{"--max-series", series.DefaultMaxSeries}, {"SeriesBytes", series.SeriesBytes}, {"names", series.DefaultMaxNames}, {"MaxStreams", series.MaxStreams},
	})
}
