package spec_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sonde-dev/sonde/receiver"
	"github.com/sonde-dev/sonde/receiver/problem"
	"github.com/sonde-dev/sonde/receiver/report"
	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/series"
)

func TestProblems(t *testing.T) {
	p := read(t, "results.md").section(t, "Problems")
	rows := p.table(t, "type")
	var real []string
	for _, k := range problem.Kinds() {
		real = append(real, string(k))
		i := slices.IndexFunc(rows, func(r []string) bool { return r[0] == "`"+string(k)+"`" })
		if i >= 0 && rows[i][1] != fmt.Sprint(k.Status()) {
			t.Errorf("docs: %s says that the status of %s is %s, and it is %d", p.name, k, rows[i][1], k.Status())
		}
	}
	same(t, p, "problem", column(t, p, rows, 0), real)
}

// TestFieldsOfTheReport asks the decoder which fields there are: it says so of one that
// there is not.
func TestFieldsOfTheReport(t *testing.T) {
	p := read(t, "results.md").section(t, "Report")
	_, err := report.Parse([]byte(`{"zzzzzzzz": 1, "metrics": [{"name": "x", "value": 1, "zzzzzzzz": 1}]}`), report.Origin{})
	invalid, ok := errors.AsType[*report.InvalidError](err)
	if !ok || len(invalid.Faults) != 2 {
		t.Fatalf("error = %v, want two faults", err)
	}
	var real []string
	for _, f := range invalid.Faults {
		_, list, _ := strings.Cut(f.Detail, "the fields here are ")
		real = append(real, strings.Split(list, ", ")...)
	}
	same(t, p, "field of a report", column(t, p, p.table(t, "field"), 0), real)
}

func TestAnswers(t *testing.T) {
	p := read(t, "results.md").section(t, "Answers")
	same(t, p, "disposition", column(t, p, p.table(t, "status"), 1),
		[]string{string(result.Accepted), string(result.Ignored), string(result.Held)})
	same(t, p, "reason of a rejection", column(t, p, p.table(t, "`reason`"), 0),
		[]string{string(result.RejectedType), string(result.RejectedCheckLimit), string(result.RejectedTotalLimit)})
}

func TestLimitsOfReports(t *testing.T) {
	p := read(t, "results.md").section(t, "Limits")
	rows := p.table(t, "limit")
	seconds := func(d time.Duration) int { return int(d / time.Second) }
	real := []limit{
		{"MaxBodyBytes", receiver.MaxBodyBytes},
		{"MaxMetrics", report.MaxMetrics},
		{"MaxErrors", report.MaxErrors},
		{"MaxErrorBytes", report.MaxErrorBytes},
		{"MaxDuration", seconds(report.MaxDuration)},
		{"MaxFaults", report.MaxFaults},
		{"MaxNameBytes", series.MaxNameBytes},
		{"MaxUnitBytes", series.MaxUnitBytes},
		{"MaxDescriptionBytes", series.MaxDescriptionBytes},
		{"MaxLabels", series.MaxLabels},
		{"MaxLabelNameBytes", series.MaxLabelNameBytes},
		{"MaxLabelValueBytes", series.MaxLabelValueBytes},
		{"MaxLabelsBytes", series.MaxLabelsBytes},
		{"MaxHeaderBytes", receiver.MaxHeaderBytes},
		{"ReadHeaderTimeout", seconds(receiver.ReadHeaderTimeout)},
		{"ReadTimeout", seconds(receiver.ReadTimeout)},
		{"WriteTimeout", seconds(receiver.WriteTimeout)},
		{"IdleTimeout", seconds(receiver.IdleTimeout)},
		{"MaxConnections", receiver.MaxConnections},
		{"MaxInFlight", receiver.MaxInFlight},
		{"MaxInFlightOfCheck", receiver.MaxInFlightOfCheck},
		{"MaxWait", seconds(receiver.MaxWait)},
		{"AcceptTimeout", seconds(receiver.AcceptTimeout)},
	}
	sameLimits(t, p, rows, real)
	var names []string
	for _, l := range real {
		names = append(names, l.name)
	}
	same(t, p, "limit", column(t, p, rows, 0), names)
}
