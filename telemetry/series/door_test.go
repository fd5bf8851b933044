package series_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/series"
)

// TestCheckSample changes a good sample and lists the fields at fault.
func TestCheckSample(t *testing.T) {
	named := func(name string) func(*result.Sample) { return func(s *result.Sample) { s.Name = name } }
	labelled := func(pairs ...string) func(*result.Sample) {
		return func(s *result.Sample) { s.Labels = labels(pairs...) }
	}
	many := func(n int, value string) func(*result.Sample) {
		var pairs []string
		for i := range n {
			pairs = append(pairs, fmt.Sprint("l", i), value)
		}
		return labelled(pairs...)
	}
	for name, tc := range map[string]struct {
		change func(*result.Sample)
		want   []string
	}{
		"a good sample":                           {func(*result.Sample) {}, nil},
		"all syntax of a name":                    {named("aZ0_.-/"), nil},
		"a name of 255 bytes":                     {named(strings.Repeat("a", 255)), nil},
		"a name of 256 bytes":                     {named(strings.Repeat("a", 256)), []string{"name"}},
		"no name":                                 {named(""), []string{"name"}},
		"a name that begins with a digit":         {named("1a"), []string{"name"}},
		"a name with a colon":                     {named("a:b"), []string{"name"}},
		"a name that is not ASCII":                {named("é"), []string{"name"}},
		"a name that is not UTF-8":                {named("a\xff"), []string{"name"}},
		"Sonde's own names":                       {named("sonde.check.ok"), []string{"name"}},
		"Sonde's own names in another spelling":   {named("sonde//x"), []string{"name"}},
		"a name that its unit makes Sonde's":      {func(s *result.Sample) { s.Name, s.Unit = "sonde", "s" }, []string{"name"}},
		"a name like Sonde's":                     {named("sondex"), nil},
		"a name of the Go runtime":                {named("go.goroutines"), []string{"name"}},
		"a name of the process":                   {named("process-cpu"), []string{"name"}},
		"a name of the handler":                   {named("promhttp.x"), []string{"name"}},
		"a name of a scrape":                      {named("scrape.duration"), []string{"name"}},
		"a name of OpenTelemetry":                 {named("otel.scope.info"), []string{"name"}},
		"up":                                      {named("up"), []string{"name"}},
		"uptime":                                  {named("uptime"), nil},
		"target_info":                             {named("target.info"), []string{"name"}},
		"an unknown kind":                         {func(s *result.Sample) { s.Kind = "summary" }, []string{"kind"}},
		"a unit of 63 bytes":                      {func(s *result.Sample) { s.Unit = strings.Repeat("a", 63) }, nil},
		"a unit of 64 bytes":                      {func(s *result.Sample) { s.Unit = strings.Repeat("a", 64) }, []string{"unit"}},
		"a unit that is not ASCII":                {func(s *result.Sample) { s.Unit = "µs" }, []string{"unit"}},
		"a unit with a line feed":                 {func(s *result.Sample) { s.Unit = "s\n" }, []string{"unit"}},
		"a description of 1025 bytes":             {func(s *result.Sample) { s.Description = strings.Repeat("a", 1025) }, []string{"description"}},
		"a description that is not UTF-8":         {func(s *result.Sample) { s.Description = "\xff" }, []string{"description"}},
		"not a number":                            {func(s *result.Sample) { s.Value = math.NaN() }, []string{"value"}},
		"infinity":                                {func(s *result.Sample) { s.Value = math.Inf(-1) }, []string{"value"}},
		"a gauge below zero":                      {func(s *result.Sample) { s.Value = -1 }, nil},
		"a counter below zero":                    {func(s *result.Sample) { s.Kind, s.Value = result.Counter, -1 }, []string{"value"}},
		"labels of any script with a Latin word":  {labelled("größe", "ü", "result", "x", "k8s.namespace.name", "x"), nil},
		"a label without a name":                  {labelled("", "x"), []string{"labels/"}},
		"a label name of 129 bytes":               {labelled(strings.Repeat("a", 129), "x"), []string{"labels/" + strings.Repeat("a", 128)}},
		"a label name that is not UTF-8":          {labelled("a\xff", "x"), []string{"labels/a"}},
		"a label name that nothing would be left": {labelled("日本", "x"), []string{"labels/日本"}},
		"Prometheus' labels": {
			labelled("le", "1", "quantile", "1", "job", "x", "instance", "x"),
			[]string{"labels/le", "labels/quantile", "labels/job", "labels/instance"},
		},
		"labels that are reserved once translated": {
			labelled("__name__", "x", "__x", "x", "otel.scope.name", "x", "otel_scope_x", "x"),
			[]string{"labels/__name__", "labels/__x", "labels/otel.scope.name", "labels/otel_scope_x"},
		},
		"two labels that are one to Prometheus": {labelled("a.b", "x", "a_b", "y"), []string{"labels/a_b"}},
		"the same label twice":                  {labelled("a", "x", "a", "x"), []string{"labels/a"}},
		"a label value of 1024 bytes":           {labelled("a", strings.Repeat("x", 1024)), nil},
		"a label value of 1025 bytes":           {labelled("a", strings.Repeat("x", 1025)), []string{"labels/a"}},
		"a label value that is not UTF-8":       {labelled("a", "\xff"), []string{"labels/a"}},
		"a label value with a NUL":              {labelled("a", "x\x00"), []string{"labels/a"}},
		"32 labels":                             {many(32, "x"), nil},
		"33 labels":                             {many(33, "x"), []string{"labels"}},
		"labels too large together":             {many(5, strings.Repeat("x", 1000)), []string{"labels"}},
		"every fault is reported": {
			func(s *result.Sample) { *s = result.Sample{Unit: "µ", Labels: labels("le", "x")} },
			[]string{"name", "kind", "unit", "labels/le"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			sample := result.Sample{Name: "page.load", Kind: result.Gauge, Value: 1, Labels: labels("page", "home")}
			tc.change(&sample)
			var got []string
			for _, f := range series.CheckSample(sample) {
				got = append(got, f.Field)
				if f.Detail == "" || len(f.Detail) > 800 {
					t.Errorf("%s: the detail is %q", f.Field, f.Detail)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("fields at fault (-want +got):\n%s", diff)
			}
		})
	}
}

// labels returns labels of names and values in turn.
func labels(pairs ...string) []result.Label {
	var out []result.Label
	for pair := range slices.Chunk(pairs, 2) {
		out = append(out, result.Label{Name: pair[0], Value: pair[1]})
	}
	return out
}
