package otlp_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/sonde-dev/sonde/receiver/credential"
	"github.com/sonde-dev/sonde/receiver/otlp"
	"github.com/sonde-dev/sonde/receiver/report"
	"github.com/sonde-dev/sonde/telemetry/result"
)

const (
	run   = "0f8fad5b-d9cb-469f-a165-70867728950e"
	check = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func from(tb testing.TB) report.Origin {
	tb.Helper()
	key, err := credential.ParseKey(bytes.Repeat([]byte{1}, credential.KeyBytes))
	if err != nil {
		tb.Fatal(err)
	}
	return report.Origin{
		Identity:   credential.Identity{RunID: run, CheckUID: check},
		Credential: credential.Compose(run, credential.Token(key, check)), Received: noon,
	}
}

// decode reads a request in JSON.
func decode(tb testing.TB, signal otlp.Signal, request string) otlp.Taken {
	tb.Helper()
	taken, err := otlp.Decode(signal, otlp.JSON, []byte(request), from(tb))
	if err != nil {
		tb.Fatal(err)
	}
	return taken
}

// metrics returns a request of one resource and scope.
func metrics(metrics ...string) string {
	return `{"resourceMetrics":[{"resource":{"attributes":[]},"scopeMetrics":[{"scope":{"name":"shop"},"metrics":[` + strings.Join(metrics, ",") + `]}]}]}`
}

func gauge(name string, points ...string) string {
	return fmt.Sprintf(`{"name":%q,"gauge":{"dataPoints":[%s]}}`, name, strings.Join(points, ","))
}

const (
	nano  = int64(1_772_366_400_000_000_000) // noon
	times = `"startTimeUnixNano":"1772366390000000000","timeUnixNano":"1772366400000000000"`
)

func sum(name string, monotonic, temporality any, points ...string) string {
	return fmt.Sprintf(`{"name":%q,"sum":{"isMonotonic":%v,"aggregationTemporality":%v,"dataPoints":[%s]}}`, name, monotonic, temporality, strings.Join(points, ","))
}

func TestSamples(t *testing.T) {
	const delta, cumulative = 1, 2
	began := noon.Add(-10 * time.Second)
	shop := decode(t, otlp.Metrics, metrics(sum("a", true, cumulative, `{"asInt":1,`+times+`}`))).Report.Samples[0].Stream
	if len(shop) != 16 {
		t.Fatalf("stream = %q, want 16 digits", shop)
	}
	for name, tc := range map[string]struct {
		metric   string
		want     []result.Sample
		rejected string
	}{
		"a gauge": {
			metric: `{"name":"basket.size","unit":"{item}","description":"Items.","gauge":{"dataPoints":[{"asDouble":1.5,"timeUnixNano":"1772366400000000000"}]}}`,
			want:   []result.Sample{{Name: "basket.size", Kind: result.Gauge, Unit: "{item}", Description: "Items.", Value: 1.5, Time: noon}},
		},
		"a gauge without a time": {
			metric: gauge("a", `{"asInt":"7"}`), want: []result.Sample{{Name: "a", Kind: result.Gauge, Value: 7}},
		},
		"a cumulative counter": {
			metric: sum("a", true, cumulative, `{"asInt":"5",`+times+`}`),
			want:   []result.Sample{{Name: "a", Kind: result.Counter, Value: 5, Temporality: result.Cumulative, Start: began, Time: noon, Stream: shop}},
		},
		"a delta counter": {
			metric: sum("a", true, delta, `{"asInt":5,`+times+`}`),
			want:   []result.Sample{{Name: "a", Kind: result.Counter, Value: 5, Temporality: result.Delta, Start: began, Time: noon, Stream: shop}},
		},
		"a counter whose start is not known": {
			metric: sum("a", true, cumulative, `{"asInt":5,"timeUnixNano":"1772366400000000000"}`),
			want:   []result.Sample{{Name: "a", Kind: result.Counter, Value: 5, Temporality: result.Cumulative, Time: noon, Stream: shop}},
		},
		"an up-down counter is a gauge that adds": {
			metric: sum("a", false, delta, `{"asInt":-5,`+times+`}`),
			want:   []result.Sample{{Name: "a", Kind: result.Gauge, Value: -5, Temporality: result.Delta, Start: began, Time: noon, Stream: shop}},
		},
		"attributes of every type, sorted": {
			metric: gauge("a", `{"asInt":1,"attributes":[{"key":"s","value":{"stringValue":"x"}},{"key":"b","value":{"boolValue":true}},{"key":"i","value":{"intValue":"9007199254740993"}},`+
				`{"key":"d","value":{"doubleValue":0.5}},{"key":"l","value":{"arrayValue":{"values":[{"intValue":"1"},{"stringValue":"y"}]}}},{"key":"m","value":{"kvlistValue":{"values":[{"key":"k","value":{"intValue":"1"}}]}}},{"key":"y","value":{"bytesValue":"AQI="}}]}`),
			want: []result.Sample{{Name: "a", Kind: result.Gauge, Value: 1, Labels: []result.Label{
				{Name: "b", Value: "true"},
				{Name: "d", Value: "0.5"},
				{Name: "i", Value: "9007199254740993"},
				{Name: "l", Value: `[1,"y"]`},
				{Name: "m", Value: `{"k":1}`},
				{Name: "s", Value: "x"},
				{Name: "y", Value: "AQI="},
			}}},
		},
		"the first of two attributes of a name": {
			metric: gauge("a", `{"asInt":1,"attributes":[{"key":"k","value":{"stringValue":"x"}},{"key":"k","value":{"stringValue":"y"}}]}`),
			want:   []result.Sample{{Name: "a", Kind: result.Gauge, Value: 1, Labels: []result.Label{{Name: "k", Value: "x"}}}},
		},
		"attributes of one run are no labels": {
			metric: gauge("a", `{"asInt":1,"attributes":[{"key":"k8s.pod.name","value":{"stringValue":"x"}},{"key":"host.name","value":{"stringValue":"y"}},{"key":"step","value":{"stringValue":"z"}},{"key":"k8s.namespace.name","value":{"stringValue":"n"}}]}`),
			want:   []result.Sample{{Name: "a", Kind: result.Gauge, Value: 1, Labels: []result.Label{{Name: "k8s.namespace.name", Value: "n"}, {Name: "step", Value: "z"}}}},
		},
		"a point without a recorded value is passed over": {
			metric: gauge("a", `{"flags":1}`, `{"asInt":1}`), want: []result.Sample{{Name: "a", Kind: result.Gauge, Value: 1}},
		},
		"a metric without data": {metric: `{"name":"a"}`},
		"of two points one": {
			metric: sum("a", true, cumulative, `{"asInt":-1,`+times+`}`, `{"asInt":1,`+times+`}`),
			want:   []result.Sample{{Name: "a", Kind: result.Counter, Value: 1, Temporality: result.Cumulative, Start: began, Time: noon, Stream: shop}}, rejected: `1 map[invalid:1] metric "a": value of a counter must not be negative`,
		},
		"a sum without a time":        {metric: sum("a", true, cumulative, `{"asInt":1}`), rejected: `1 map[invalid:1] metric "a": a point of a sum must have a time`},
		"a sum without a temporality": {metric: sum("a", true, 0, `{"asInt":1,`+times+`}`), rejected: `1 map[invalid:1] metric "a": must say whether its sum is cumulative or delta`},
		"a sum of another one":        {metric: sum("a", true, 7, `{"asInt":1,`+times+`}`), rejected: `1 map[invalid:1] metric "a": must say whether its sum is cumulative or delta`},
		"a point without a value":     {metric: gauge("a", `{}`), rejected: `1 map[invalid:1] metric "a": a point must have a value`},
		"NaN":                         {metric: gauge("a", `{"asDouble":"NaN"}`), rejected: `1 map[invalid:1] metric "a": value must be a finite number`},
		"infinity":                    {metric: gauge("a", `{"asDouble":"Infinity"}`), rejected: `1 map[invalid:1] metric "a": value must be a finite number`},
		"a time beyond an int64":      {metric: gauge("a", `{"asInt":1,"timeUnixNano":"18446744073709551615"}`), rejected: `1 map[invalid:1] metric "a": its times must be in nanoseconds, before the year 2262`},
		"a reserved name":             {metric: gauge("sonde.mine", `{"asInt":1}`), rejected: `1 map[invalid:1] metric "sonde.mine": name is "sonde_mine" to Prometheus, which is reserved; choose another name`},
		"a reserved label":            {metric: gauge("a", `{"asInt":1,"attributes":[{"key":"le","value":{"stringValue":"x"}}]}`), rejected: `1 map[invalid:1] metric "a": labels/le is "le" to Prometheus, which is reserved; choose another name`},
		"a histogram":                 {metric: `{"name":"a","histogram":{"aggregationTemporality":2,"dataPoints":[{"count":"1"},{"count":"2"},{"flags":1}]}}`, rejected: `2 map[unsupported_kind:2] metric "a": histograms and summaries are not taken yet; send a gauge or a sum`},
		"an exponential histogram":    {metric: `{"name":"a","exponentialHistogram":{"aggregationTemporality":2,"dataPoints":[{"count":"1"}]}}`, rejected: `1 map[unsupported_kind:1] metric "a": histograms and summaries are not taken yet; send a gauge or a sum`},
		"a summary":                   {metric: `{"name":"a","summary":{"dataPoints":[{"count":"1"}]}}`, rejected: `1 map[unsupported_kind:1] metric "a": histograms and summaries are not taken yet; send a gauge or a sum`},
	} {
		t.Run(name, func(t *testing.T) {
			got := decode(t, otlp.Metrics, metrics(tc.metric))
			if diff := cmp.Diff(result.Report{RunID: run, CheckUID: check, Samples: tc.want, Received: noon}, got.Report); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
			said := ""
			if got.Rejected.Points > 0 {
				said = fmt.Sprintf("%d %v %s", got.Rejected.Points, got.Rejected.ByReason, got.Rejected.Message())
			}
			if said != tc.rejected {
				t.Errorf("rejected = %s\nwant       %s", said, tc.rejected)
			}
		})
	}
}

// TestStreams: what is counted in several places has as many streams, and a repetition
// has the same one.
func TestStreams(t *testing.T) {
	stream := func(resource, scope, attributes string) string {
		t.Helper()
		got := decode(t, otlp.Metrics, `{"resourceMetrics":[{"resource":{"attributes":[`+resource+`]},"scopeMetrics":[{"scope":`+scope+`,"metrics":[`+
			sum("a", true, 2, `{"asInt":1,`+times+`,"attributes":[`+attributes+`]}`)+`]}]}]}`)
		return got.Report.Samples[0].Stream
	}
	kv := func(key, value string) string {
		return fmt.Sprintf(`{"key":%q,"value":{"stringValue":%q}}`, key, value)
	}
	seen := map[string]string{}
	for name, s := range map[string]string{
		"nothing":                       stream(``, `{}`, ``),
		"a pod":                         stream(kv("k8s.pod.uid", "1"), `{}`, ``),
		"another pod":                   stream(kv("k8s.pod.uid", "2"), `{}`, ``),
		"a container of the same value": stream(kv("k8s.container.name", "1"), `{}`, ``),
		"an instance":                   stream(kv("service.instance.id", "1"), `{}`, ``),
		"a process":                     stream(`{"key":"process.pid","value":{"intValue":"1"}}`, `{}`, ``),
		"a scope":                       stream(``, `{"name":"1"}`, ``),
		"a version":                     stream(``, `{"version":"1"}`, ``),
		"a scope's attribute":           stream(``, `{"attributes":[`+kv("a", "1")+`]}`, ``),
		"a pod of a point":              stream(``, `{}`, kv("k8s.pod.uid", "1")),
		"another pod of a point":        stream(``, `{}`, kv("k8s.pod.uid", "2")),
		"a pod's name of a point":       stream(``, `{}`, kv("k8s.pod.name", "1")),
	} {
		if other, ok := seen[s]; ok || len(s) != 16 {
			t.Errorf("%s and %s have the stream %q", name, other, s)
		}
		seen[s] = name
	}
	if stream(kv("k8s.pod.name", "1"), `{}`, kv("step", "1")) != stream(kv("k8s.pod.name", "2"), `{}`, kv("step", "2")) {
		t.Error("what is of no stream makes one")
	}
	if stream(``, `{}`, kv("host.id", "1")+","+kv("host.name", "2")) != stream(``, `{}`, kv("host.name", "2")+","+kv("host.id", "1")) {
		t.Error("the order of attributes makes a stream")
	}
}

// claimed is what a request says of its run.
type claimed struct {
	Claim    result.Claim
	Form     result.Form
	Errors   []string
	Duration time.Duration
}

func claimOf(taken otlp.Taken) claimed {
	r := taken.Report
	return claimed{r.Claim, r.Form, r.Errors, r.Duration}
}

func TestClaimsOfMetrics(t *testing.T) {
	resource := func(key, value, metrics string) string {
		return `{"resourceMetrics":[{"resource":{"attributes":[{"key":"` + key + `","value":{"stringValue":"` + value + `"}}]},"scopeMetrics":[{"metrics":[` + metrics + `]}]}]}`
	}
	for name, tc := range map[string]struct {
		request   string
		want      claimed
		misspoken string
	}{
		"nothing":            {request: `{}`},
		"a metric":           {request: metrics(gauge("a", `{"asInt":1}`))},
		"ok is 1":            {request: metrics(gauge("sonde.check.ok", `{"asInt":1}`)), want: claimed{Claim: "success", Form: result.FormGauge}},
		"ok is 1.0":          {request: metrics(gauge("sonde.check.ok", `{"asDouble":1}`)), want: claimed{Claim: "success", Form: result.FormGauge}},
		"ok is 0":            {request: metrics(gauge("sonde.check.ok", `{"asInt":0}`)), want: claimed{Claim: "failure", Form: result.FormGauge}},
		"ok is 0, with why":  {request: metrics(gauge("sonde.check.ok", `{"asInt":0,"attributes":[{"key":"error","value":{"stringValue":"no basket"}}]}`)), want: claimed{"failure", result.FormGauge, []string{"no basket"}, 0}},
		"0, then 1":          {request: metrics(gauge("sonde.check.ok", `{"asInt":0,"timeUnixNano":"1"}`, `{"asInt":1,"timeUnixNano":"2"}`)), want: claimed{Claim: "failure", Form: result.FormGauge}},
		"1, then 0":          {request: metrics(gauge("sonde.check.ok", `{"asInt":1}`, `{"asInt":0,"attributes":[{"key":"error.message","value":{"stringValue":"no"}}]}`)), want: claimed{"failure", result.FormGauge, []string{"no"}, 0}},
		"two different whys": {request: metrics(gauge("sonde.check.ok", `{"asInt":0,"attributes":[{"key":"error","value":{"stringValue":"a"}}]}`, `{"asInt":0,"attributes":[{"key":"exception.message","value":{"stringValue":"b"}}]}`, `{"asInt":0,"attributes":[{"key":"error","value":{"stringValue":"a"}}]}`)), want: claimed{"failure", result.FormGauge, []string{"a", "b"}, 0}},
		"ok without a value": {request: metrics(gauge("sonde.check.ok", `{"flags":1}`))},
		"ok is a half":       {request: metrics(gauge("sonde.check.ok", `{"asDouble":0.5}`)), misspoken: "sonde.check.ok must be 1 or 0, not 0.5"},
		"ok is a half and 1": {request: metrics(gauge("sonde.check.ok", `{"asDouble":0.5}`, `{"asInt":1}`)), want: claimed{Claim: "success", Form: result.FormGauge}, misspoken: "sonde.check.ok must be 1 or 0, not 0.5"},
		"ok is NaN":          {request: metrics(gauge("sonde.check.ok", `{"asDouble":"NaN"}`)), misspoken: "sonde.check.ok must be 1 or 0, not NaN"},
		"ok is a sum":        {request: metrics(sum("sonde.check.ok", false, 2, `{"asInt":1,`+times+`}`)), misspoken: "sonde.check.ok must be a gauge"},
		"a duration":         {request: metrics(`{"name":"sonde.check.duration","unit":"s","gauge":{"dataPoints":[{"asDouble":1.25}]}}`), want: claimed{Duration: 1250 * time.Millisecond}},
		"a duration in ms":   {request: metrics(`{"name":"sonde.check.duration","unit":"ms","gauge":{"dataPoints":[{"asInt":1250}]}}`), want: claimed{Duration: 1250 * time.Millisecond}},
		"the latest of two":  {request: metrics(gauge("sonde.check.duration", `{"asInt":2,"timeUnixNano":"2"}`, `{"asInt":1,"timeUnixNano":"1"}`)), want: claimed{Duration: 2 * time.Second}},
		"a negative one":     {request: metrics(gauge("sonde.check.duration", `{"asInt":-1}`))},
		"one of 367 days":    {request: metrics(gauge("sonde.check.duration", `{"asInt":31708800}`))},
		"one in minutes":     {request: metrics(`{"name":"sonde.check.duration","unit":"min","gauge":{"dataPoints":[{"asInt":1}]}}`)},
		"success":            {request: resource("cicd.pipeline.result", "success", ""), want: claimed{Claim: "success", Form: result.FormAttribute}},
		"failure":            {request: resource("cicd.pipeline.result", "failure", ""), want: claimed{"failure", result.FormAttribute, []string{"cicd.pipeline.result is failure"}, 0}},
		"error":              {request: resource("cicd.pipeline.result", "error", ""), want: claimed{"failure", result.FormAttribute, []string{"cicd.pipeline.result is error"}, 0}},
		"timeout":            {request: resource("cicd.pipeline.result", "timeout", ""), want: claimed{"failure", result.FormAttribute, []string{"cicd.pipeline.result is timeout"}, 0}},
		"cancellation":       {request: resource("cicd.pipeline.result", "cancellation", ""), want: claimed{"failure", result.FormAttribute, []string{"cicd.pipeline.result is cancellation"}, 0}},
		"skip":               {request: resource("cicd.pipeline.result", "skip", "")},
		"an unknown result":  {request: resource("cicd.pipeline.result", "splendid", "")},
		"a suite's success":  {request: resource("test.suite.run.status", "success", ""), want: claimed{Claim: "success", Form: result.FormAttribute}},
		"a suite's failure":  {request: resource("test.suite.run.status", "failure", ""), want: claimed{"failure", result.FormAttribute, []string{"test.suite.run.status is failure"}, 0}},
		"a suite aborted":    {request: resource("test.suite.run.status", "aborted", ""), want: claimed{"failure", result.FormAttribute, []string{"test.suite.run.status is aborted"}, 0}},
		"a suite timed out":  {request: resource("test.suite.run.status", "timed_out", ""), want: claimed{"failure", result.FormAttribute, []string{"test.suite.run.status is timed_out"}, 0}},
		"a suite skipped":    {request: resource("test.suite.run.status", "skipped", "")},
		"a suite going on":   {request: resource("test.suite.run.status", "in_progress", "")},
		"the gauge wins":     {request: resource("cicd.pipeline.result", "failure", gauge("sonde.check.ok", `{"asInt":1}`)), want: claimed{Claim: "success", Form: result.FormGauge}},
	} {
		t.Run(name, func(t *testing.T) {
			taken := decode(t, otlp.Metrics, tc.request)
			if diff := cmp.Diff(tc.want, claimOf(taken)); diff != "" {
				t.Errorf("claim (-want +got):\n%s", diff)
			}
			if taken.Misspoken != tc.misspoken {
				t.Errorf("misspoken = %q, want %q", taken.Misspoken, tc.misspoken)
			}
			if (taken.Misspoken != "") && taken.Rejected.ByReason[otlp.Invalid] != 1 {
				t.Errorf("rejected = %v, want one point", taken.Rejected)
			}
		})
	}
}

func TestClaimsOfSpans(t *testing.T) {
	const (
		trace = "0f8fad5bd9cb469fa16570867728950e"
		half  = "a16570867728950e"
	)
	span := func(trace, parent, fields string) string {
		return fmt.Sprintf(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":%q,"spanId":"1111111111111111","parentSpanId":%q,"name":"login"%s}]}]}]}`, trace, parent, fields)
	}
	const ended = `,"endTimeUnixNano":"1"`
	for name, tc := range map[string]struct {
		request string
		want    claimed
	}{
		"nothing":                          {request: `{}`},
		"a root that says nothing":         {request: span(trace, "", ended)},
		"a root that is Unset":             {request: span(trace, "", ended+`,"status":{"code":0,"message":"x"}`)},
		"a root that is Ok":                {request: span(trace, "", ended+`,"status":{"code":1}`), want: claimed{Claim: "success", Form: result.FormSpan}},
		"a root with an error":             {request: span(trace, "", ended+`,"status":{"code":2,"message":"no basket"}`), want: claimed{"failure", result.FormSpan, []string{"no basket"}, 0}},
		"a root with an error and no word": {request: span(trace, "", ended+`,"status":{"code":2}`), want: claimed{"failure", result.FormSpan, []string{"the root span login ended with status Error"}, 0}},
		"a root with an exception":         {request: span(trace, "", ended+`,"status":{"code":2},"events":[{"name":"exception","attributes":[{"key":"exception.message","value":{"stringValue":"boom"}}]},{"name":"other"}]`), want: claimed{"failure", result.FormSpan, []string{"boom"}, 0}},
		"a root of another trace":          {request: span("11111111111111111111111111111111", "", ended+`,"status":{"code":2,"message":"x"}`), want: claimed{"failure", result.FormSpan, []string{"x"}, 0}},
		"a root that has not ended":        {request: span(trace, "", `,"status":{"code":2}`)},
		"a child of TRACEPARENT":           {request: span(trace, half, ended+`,"status":{"code":2,"message":"x"}`), want: claimed{"failure", result.FormSpan, []string{"x"}, 0}},
		"in upper case":                    {request: span(strings.ToUpper(trace), strings.ToUpper(half), ended+`,"status":{"code":1}`), want: claimed{Claim: "success", Form: result.FormSpan}},
		"a child of another span":          {request: span(trace, "2222222222222222", ended+`,"status":{"code":2}`)},
		"that span in another trace":       {request: span("11111111111111111111111111111111", half, ended+`,"status":{"code":2}`)},
		"an attribute of a child":          {request: span(trace, "2222222222222222", `,"status":{"code":2,"message":"why"},"attributes":[{"key":"cicd.pipeline.result","value":{"stringValue":"timeout"}}]`), want: claimed{"failure", result.FormAttribute, []string{"cicd.pipeline.result is timeout", "why"}, 0}},
		"an attribute before the root":     {request: span(trace, "", ended+`,"status":{"code":2},"attributes":[{"key":"test.suite.run.status","value":{"stringValue":"success"}}]`), want: claimed{Claim: "success", Form: result.FormAttribute}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, claimOf(decode(t, otlp.Traces, tc.request))); diff != "" {
				t.Errorf("claim (-want +got):\n%s", diff)
			}
		})
	}
	logs := `{"resourceLogs":[{"resource":{"attributes":[{"key":"cicd.pipeline.result","value":{"stringValue":"success"}}]},"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"}}]}]}]}`
	if diff := cmp.Diff(claimed{Claim: "success", Form: result.FormAttribute}, claimOf(decode(t, otlp.Logs, logs))); diff != "" {
		t.Errorf("claim of logs (-want +got):\n%s", diff)
	}
}

func TestErrorsAreBounded(t *testing.T) {
	var points []string
	for i := range 70 {
		points = append(points, fmt.Sprintf(`{"asInt":0,"attributes":[{"key":"error","value":{"stringValue":"%d %s"}}]}`, i, strings.Repeat("x", 5000)))
	}
	errs := decode(t, otlp.Metrics, metrics(gauge("sonde.check.ok", points...))).Report.Errors
	if len(errs) != report.MaxErrors+1 || len(errs[0]) != report.MaxErrorBytes || errs[report.MaxErrors] != "… and 6 more errors, of which nothing was kept" {
		t.Errorf("%d errors, the first of %d bytes, the last %q", len(errs), len(errs[0]), errs[len(errs)-1])
	}
}

func TestMostPoints(t *testing.T) {
	got := decode(t, otlp.Metrics, metrics(gauge("a", strings.Repeat(`{"asInt":1},`, otlp.MaxPoints+6)+`{"asInt":1}`)))
	if len(got.Report.Samples) != otlp.MaxPoints || got.Rejected.ByReason[otlp.RequestLimit] != 7 || got.Rejected.Message() != "of one request 10000 points are taken; send them in several" {
		t.Errorf("%d samples, rejected %v %s", len(got.Report.Samples), got.Rejected.ByReason, got.Rejected.Message())
	}
}

func TestReasonsAreBounded(t *testing.T) {
	var all []string
	for i := range 20 {
		all = append(all, gauge(fmt.Sprintf("%d%s", i, strings.Repeat("x", 10_000)), `{"asInt":1}`, `{"asInt":2}`))
	}
	rejected := decode(t, otlp.Metrics, metrics(all...)).Rejected
	if m := rejected.Message(); rejected.Points != 40 || len(m) > 3000 || !strings.HasSuffix(m, "; and 30 more points for other reasons") {
		t.Errorf("%d points: %s", rejected.Points, m)
	}
}

func TestCredentialIsTakenOut(t *testing.T) {
	cred := from(t).Credential
	_, mac, _ := strings.Cut(cred, check+".")
	kv := `{"key":"url ` + cred + `","value":{"stringValue":"http://` + cred + `@sonde"}}`
	for name, tc := range map[string]struct {
		signal  otlp.Signal
		request string
	}{
		"a metric":        {otlp.Metrics, metrics(`{"name":"a","description":"` + cred + `","gauge":{"dataPoints":[{"asInt":1,"attributes":[` + kv + `]}]}}`)},
		"a rejected name": {otlp.Metrics, metrics(gauge("1"+cred, `{"asInt":1}`))},
		"a rejected unit": {otlp.Metrics, metrics(`{"name":"a","unit":"x ` + cred + `","gauge":{"dataPoints":[{"asInt":1}]}}`)},
		"an error":        {otlp.Metrics, metrics(gauge("sonde.check.ok", `{"asInt":0,"attributes":[{"key":"error","value":{"stringValue":"`+strings.Repeat("x", report.MaxErrorBytes-20)+cred+`"}}]}`))},
		"a span":          {otlp.Traces, `{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"` + cred + `","endTimeUnixNano":"1","status":{"code":2}}]}]}]}`},
		"a status":        {otlp.Traces, `{"resourceSpans":[{"scopeSpans":[{"spans":[{"endTimeUnixNano":"1","status":{"code":2,"message":"` + cred + `"}}]}]}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			taken := decode(t, tc.signal, tc.request)
			said := fmt.Sprintf("%+v %s %s", taken.Report, taken.Rejected.Message(), taken.Misspoken)
			if strings.Contains(said, mac) || strings.Contains(said, mac[:20]) {
				t.Errorf("the credential is kept or told: %s", said)
			}
		})
	}
	_, err := otlp.Decode(otlp.Metrics, otlp.JSON, []byte(`{"resourceMetrics":"`+cred+`"}`), from(t))
	if err == nil || strings.Contains(err.Error(), mac[:20]) {
		t.Errorf("error = %v", err)
	}
}

// TestJSONOfOTLP: what is special about JSON in OTLP is read as it says.
func TestJSONOfOTLP(t *testing.T) {
	for name, point := range map[string]string{
		"an int64 as a string":  `{"asInt":"9007199254740993","timeUnixNano":"1"}`,
		"an int64 as a number":  `{"asInt":9007199254740993,"timeUnixNano":1}`,
		"unknown fields":        `{"asInt":9007199254740993,"timeUnixNano":1,"colour":{"a":[1]}}`,
		"unknown fields before": `{"colour":{"a":[1]},"asInt":9007199254740993,"timeUnixNano":1}`,
	} {
		t.Run(name, func(t *testing.T) {
			got := decode(t, otlp.Metrics, metrics(gauge("a", point))).Report.Samples
			if len(got) != 1 || got[0].Value != math.Nextafter(9007199254740992, 0) && got[0].Value != 9007199254740992 || !got[0].Time.Equal(time.Unix(0, 1)) {
				t.Errorf("samples = %+v", got)
			}
		})
	}
}

func TestWhatCannotBeDecoded(t *testing.T) {
	for name, tc := range map[string]struct {
		encoding otlp.Encoding
		body     string
	}{
		"nothing in JSON":       {otlp.JSON, ``},
		"no JSON":               {otlp.JSON, `{`},
		"JSON and more":         {otlp.JSON, `{} {}`},
		"an array":              {otlp.JSON, `[]`},
		"JSON of another shape": {otlp.JSON, `{"resourceMetrics":{"a":1}}`},
		"a bad id":              {otlp.JSON, `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"gauge":{"dataPoints":[{"asInt":"x"}]}}]}]}]}`},
		"null in a list":        {otlp.JSON, `{"resourceMetrics": [ null, null]}`},
		"null later in a list":  {otlp.JSON, `{"resourceMetrics":[{}, null]}`},
		"JSON as protobuf":      {otlp.Protobuf, `{"resourceMetrics":[]}`},
		"protobuf cut off":      {otlp.Protobuf, "\x0a\x05\x12"},
		"protobuf and more":     {otlp.Protobuf, "\x0a\x00garbage"},
	} {
		t.Run(name, func(t *testing.T) {
			taken, err := otlp.Decode(otlp.Metrics, tc.encoding, []byte(tc.body), from(t))
			if _, ok := errors.AsType[*otlp.MalformedError](err); !ok {
				t.Errorf("Decode() = %+v, %v, want a MalformedError", taken, err)
			}
		})
	}
}

// TestBulkIsBounded: a request that would take a hundred times its size in memory is
// refused before any is taken.
func TestBulkIsBounded(t *testing.T) {
	wrap := func(raw []byte, fields ...protowire.Number) []byte {
		for _, f := range fields {
			raw = protowire.AppendBytes(protowire.AppendTag(nil, f, protowire.BytesType), raw)
		}
		return raw
	}
	deep := []byte{}
	for range 40 {
		deep = wrap(deep, 1, 5)
	}
	lists := `{"intValue":"1"}`
	for range 11_000 {
		lists = `{"arrayValue":{"values":[` + lists + `]}}`
	}
	many := func(field protowire.Number) []byte {
		return bytes.Repeat(wrap(nil, field), otlp.MaxParts+1)
	}
	for name, tc := range map[string]struct {
		signal   otlp.Signal
		encoding otlp.Encoding
		body     []byte
	}{
		"resources":     {otlp.Metrics, otlp.Protobuf, many(1)},
		"points":        {otlp.Metrics, otlp.Protobuf, wrap(many(1), 5, 2, 2, 1)},
		"attributes":    {otlp.Metrics, otlp.Protobuf, wrap(many(7), 1, 7, 2, 2, 1)},
		"buckets":       {otlp.Metrics, otlp.Protobuf, wrap(many(9), 1, 9, 2, 2, 1)},
		"spans":         {otlp.Traces, otlp.Protobuf, wrap(many(2), 2, 1)},
		"events":        {otlp.Traces, otlp.Protobuf, wrap(many(11), 2, 2, 1)},
		"log records":   {otlp.Logs, otlp.Protobuf, wrap(many(2), 2, 1)},
		"lists in logs": {otlp.Logs, otlp.Protobuf, wrap(deep, 5, 2, 2, 1)},
		"JSON":          {otlp.Metrics, otlp.JSON, []byte(`{"resourceMetrics":[{}` + strings.Repeat(`,{}`, otlp.MaxParts) + `]}`)},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := otlp.Decode(tc.signal, tc.encoding, tc.body, from(t)); !errors.Is(err, otlp.ErrTooManyParts) {
				t.Errorf("error = %v, want ErrTooManyParts", err)
			}
		})
	}
	if _, err := otlp.Decode(otlp.Logs, otlp.JSON, []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":`+lists+`}]}]}]}`), from(t)); err == nil {
		t.Error("lists in lists in JSON are taken, however deep")
	}
	braces := `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"\"` + strings.Repeat(`{`, otlp.MaxParts) + `"}}]}]}]}`
	if _, err := otlp.Decode(otlp.Logs, otlp.JSON, []byte(braces), from(t)); err != nil {
		t.Errorf("braces in a text are taken for messages: %v", err)
	}
}

func TestAnswers(t *testing.T) {
	var some otlp.Rejected
	some.Add(3, otlp.Invalid, "a", "is wrong")
	for name, tc := range map[string]struct {
		encoding otlp.Encoding
		rejected otlp.Rejected
		want     string
	}{
		"all taken":          {otlp.Protobuf, otlp.Rejected{}, ""},
		"all taken, JSON":    {otlp.JSON, otlp.Rejected{}, "{}"},
		"three points, JSON": {otlp.JSON, some, `{"partialSuccess":{"rejectedDataPoints":"3","errorMessage":"metric \"a\": is wrong"}}`},
		"three points":       {otlp.Protobuf, some, "\x0a\x18\x12\x14metric \"a\": is wrong\x08\x03"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := string(otlp.Answer(otlp.Metrics, tc.encoding, tc.rejected)); got != tc.want {
				t.Errorf("Answer() = %q, want %q", got, tc.want)
			}
		})
	}
}

// FuzzDecode: whatever comes in, nothing panics, and what is taken is fit for a Sink.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{}`, metrics(gauge("sonde.check.ok", `{"asInt":0}`)), metrics(sum("a", true, 2, `{"asInt":1,`+times+`}`)),
		`{"resourceSpans":[{"scopeSpans":[{"spans":[{"endTimeUnixNano":"1","status":{"code":2}}]}]}]}`,
	} {
		f.Add([]byte(seed), true)
		request := pmetricotlp.NewExportRequest()
		if err := request.UnmarshalJSON([]byte(seed)); err == nil {
			raw, err := request.MarshalProto()
			if err != nil {
				f.Fatal(err)
			}
			f.Add(raw, false)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte, inJSON bool) {
		encoding := otlp.Protobuf
		if inJSON {
			encoding = otlp.JSON
		}
		for _, signal := range otlp.Signals() {
			taken, err := otlp.Decode(signal, encoding, raw, from(t))
			if err != nil {
				continue
			}
			r := taken.Report
			if r.RunID != run || r.CheckUID != check || (r.Claim == result.ClaimNone) != (r.Form == result.FormNone) || r.Duration < 0 {
				t.Errorf("report = %+v", r)
			}
			if !json.Valid(otlp.Answer(signal, otlp.JSON, taken.Rejected)) {
				t.Error("the answer is not JSON")
			}
		}
	})
}

// points returns a request of n points in protobuf, a tenth of them of each metric.
func points(tb testing.TB, n int) []byte {
	tb.Helper()
	all := pmetric.NewMetrics()
	resource := all.ResourceMetrics().AppendEmpty()
	resource.Resource().Attributes().PutStr("k8s.pod.uid", run)
	scope := resource.ScopeMetrics().AppendEmpty()
	scope.Scope().SetName("shop")
	for i := range n {
		if i%10 == 0 {
			m := scope.Metrics().AppendEmpty()
			m.SetName(fmt.Sprintf("login.requests.%d", i/10))
			m.SetUnit("{request}")
			m.SetEmptySum().SetIsMonotonic(true)
			m.Sum().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		}
		p := scope.Metrics().At(i / 10).Sum().DataPoints().AppendEmpty()
		p.SetIntValue(int64(i))
		p.SetTimestamp(2)
		p.SetStartTimestamp(1)
		p.Attributes().PutStr("http.request.method", "GET")
		p.Attributes().PutStr("server.address", "shop.example")
		p.Attributes().PutInt("http.response.status_code", int64(200+i%10))
		p.Attributes().PutStr("network.protocol.version", "1.1")
	}
	raw, err := pmetricotlp.NewExportRequestFromMetrics(all).MarshalProto()
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}
