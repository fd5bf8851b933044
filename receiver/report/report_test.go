package report_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/receiver/credential"
	"github.com/sonde-dev/sonde/receiver/problem"
	"github.com/sonde-dev/sonde/receiver/report"
	"github.com/sonde-dev/sonde/telemetry/result"
	"github.com/sonde-dev/sonde/telemetry/series"
)

var origin = report.Origin{
	Identity: credential.Identity{RunID: "run", CheckUID: "check"},
	Received: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
}

func TestParse(t *testing.T) {
	gauge := func(v float64) []result.Sample { return []result.Sample{{Name: "a", Kind: result.Gauge, Value: v}} }
	for name, tc := range map[string]struct {
		body string
		want result.Report
	}{
		"nothing said, nothing claimed":          {`{}`, result.Report{}},
		"spaces everywhere":                      {" \r\n\t{ \"ok\" : true , \"errors\" : [ ] } \n", result.Report{Claim: result.ClaimSuccess, Form: result.FormJSON}},
		"null is the same as left out":           {`{"ok": null, "errors": null, "duration": null, "metrics": null}`, result.Report{}},
		"success":                                {`{"ok": true}`, result.Report{Claim: result.ClaimSuccess, Form: result.FormJSON}},
		"failure without a word":                 {`{"ok": false}`, result.Report{Claim: result.ClaimFailure, Form: result.FormJSON}},
		"errors alone are a failure":             {`{"errors": ["x"]}`, result.Report{Claim: result.ClaimFailure, Form: result.FormJSON, Errors: []string{"x"}}},
		"no errors alone claim nothing":          {`{"errors": []}`, result.Report{}},
		"seconds":                                {`{"duration": 0.25}`, result.Report{Duration: 250 * time.Millisecond}},
		"a Go duration":                          {`{"duration": "1m0.5s"}`, result.Report{Duration: 60500 * time.Millisecond}},
		"a year":                                 {`{"duration": 31622400}`, result.Report{Duration: report.MaxDuration}},
		"an escaped name of a field":             {`{"\u006fk": true}`, result.Report{Claim: result.ClaimSuccess, Form: result.FormJSON}},
		"what is not UTF-8 is mended":            {"{\"errors\": [\"a\xff\\ud800b\"]}", result.Report{Claim: result.ClaimFailure, Form: result.FormJSON, Errors: []string{"a\ufffd\ufffdb"}}},
		"the smallest double":                    {`{"metrics": [{"name": "a", "value": 5e-324}]}`, result.Report{Samples: gauge(5e-324)}},
		"smaller than a double is zero":          {`{"metrics": [{"name": "a", "value": 1e-999}]}`, result.Report{Samples: gauge(0)}},
		"the largest double":                     {`{"metrics": [{"name": "a", "value": 1.7976931348623157e308}]}`, result.Report{Samples: gauge(1.7976931348623157e308)}},
		"a metric's nulls are left out":          {`{"metrics": [{"name": "a", "value": -2, "kind": null, "unit": null, "labels": null}]}`, result.Report{Samples: gauge(-2)}},
		"brackets within strings are no nest":    {`{"errors": ["}]\"{["]}`, result.Report{Claim: result.ClaimFailure, Form: result.FormJSON, Errors: []string{`}]"{[`}}},
		"an error is cut between two letters":    {`{"errors": ["` + strings.Repeat("x", 4095) + `ü"]}`, result.Report{Claim: result.ClaimFailure, Form: result.FormJSON, Errors: []string{strings.Repeat("x", 4095)}}},
		"labels are sorted":                      {`{"metrics": [{"name": "a", "value": 1, "labels": {"y": "1", "x": "2"}}]}`, result.Report{Samples: []result.Sample{{Name: "a", Kind: result.Gauge, Value: 1, Labels: []result.Label{{Name: "x", Value: "2"}, {Name: "y", Value: "1"}}}}}},
		"as many errors as are kept":             {`{"errors": [` + strings.Repeat(`"x",`, 63) + `"x"]}`, result.Report{Claim: result.ClaimFailure, Form: result.FormJSON, Errors: repeat("x", 64)}},
		"more errors than are kept, with a note": {`{"errors": [` + strings.Repeat(`"x",`, 66) + `"x"]}`, result.Report{Claim: result.ClaimFailure, Form: result.FormJSON, Errors: append(repeat("x", 64), "… and 3 more errors, of which nothing was kept")}},
	} {
		t.Run(name, func(t *testing.T) {
			tc.want.RunID, tc.want.CheckUID, tc.want.Received = "run", "check", origin.Received
			got, err := report.Parse([]byte(tc.body), origin)
			if err != nil {
				t.Fatal(err, all(err))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Parse() (-want +got):\n%s", diff)
			}
		})
	}
}

func repeat(s string, n int) []string {
	out := make([]string, 0, n)
	for range n {
		out = append(out, s)
	}
	return out
}

// all returns every fault of err.
func all(err error) []problem.Fault {
	if e, ok := errors.AsType[*report.InvalidError](err); ok {
		return e.Faults
	}
	return nil
}

// TestParseKeepsNothingOfTheBody: a report must not hold a body of 1 MiB.
func TestParseKeepsNothingOfTheBody(t *testing.T) {
	body := []byte(`{"errors": ["abc"], "metrics": [{"name": "abc", "value": 1, "labels": {"abc": "abc"}}]}`)
	r, err := report.Parse(body, origin)
	if err != nil {
		t.Fatal(err)
	}
	clear(body)
	if s := r.Samples[0]; r.Errors[0] != "abc" || s.Name != "abc" || s.Labels[0] != (result.Label{Name: "abc", Value: "abc"}) {
		t.Errorf("the report changed with the body: %+v", r)
	}
}

func TestFaults(t *testing.T) {
	for name, tc := range map[string]struct {
		body string
		want []problem.Fault
	}{
		"a duration of words":             {`{"duration": "soon"}`, []problem.Fault{{Pointer: "/duration", Detail: `must be a number of seconds or a Go duration such as "1.5s", not "soon"`}}},
		"a duration without a unit":       {`{"duration": "5"}`, []problem.Fault{{Pointer: "/duration", Detail: `must be a number of seconds or a Go duration such as "1.5s", not "5"`}}},
		"a duration of another kind":      {`{"duration": [1]}`, []problem.Fault{{Pointer: "/duration", Detail: `must be a number of seconds or a Go duration such as "1.5s", not an array`}}},
		"a duration beyond a year":        {`{"duration": "9000h"}`, []problem.Fault{{Pointer: "/duration", Detail: "must be from 0 to 31622400 seconds, not 32400000"}}},
		"a name of no more than nulls":    {`{"metrics": [{"name": null, "value": null}]}`, []problem.Fault{{Pointer: "/metrics/0/name", Detail: "is required"}, {Pointer: "/metrics/0/value", Detail: "is required"}}},
		"an empty kind":                   {`{"metrics": [{"name": "a", "value": 1, "kind": ""}]}`, []problem.Fault{{Pointer: "/metrics/0/kind", Detail: `must be gauge or counter, not ""`}}},
		"an empty field":                  {`{"": 1}`, []problem.Fault{{Pointer: "/", Detail: "is not a field of a report; the fields here are ok, errors, duration, metrics"}}},
		"what is found is not said twice": {`{"metrics": [{"name": 1, "value": "x", "kind": "counter"}]}`, []problem.Fault{{Pointer: "/metrics/0/name", Detail: "must be a string, not a number"}, {Pointer: "/metrics/0/value", Detail: "must be a number, not a string"}}},
		"a label twice":                   {`{"metrics": [{"name": "a", "value": 1, "labels": {"b": "1", "a": "1", "b": "2"}}]}`, []problem.Fault{{Pointer: "/metrics/0/labels/b", Detail: "is written twice"}}},
		"a long name is cut":              {`{"` + strings.Repeat("x", 1000) + `": 1}`, []problem.Fault{{Pointer: "/" + strings.Repeat("x", 64) + "…", Detail: "is not a field of a report; the fields here are ok, errors, duration, metrics"}}},
		"deep nesting in the wrong place": {`{"ok": ` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}`, []problem.Fault{{Pointer: "/ok", Detail: "must be true or false, not an array"}}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := report.Parse([]byte(tc.body), origin)
			if diff := cmp.Diff(tc.want, all(err)); diff != "" {
				t.Errorf("faults (-want +got):\n%s\n%v", diff, err)
			}
		})
	}
}

// TestFaultsAreBounded: a body of nothing but faults is answered with no more
// than a person reads, and the rest is counted.
func TestFaultsAreBounded(t *testing.T) {
	for name, body := range map[string]string{
		"errors that are numbers":  `{"errors": [` + strings.Repeat("1,", 300_000) + `1]}`,
		"fields that are unknown":  `{` + strings.Repeat(`"okk":1,`, 100_000) + `"x":1}`,
		"labels that are numbers":  `{"metrics": [{"name": "a", "value": 1, "labels": {` + strings.Repeat(`"a":1,`, 150_000) + `"b":1}}]}`,
		"metrics that are numbers": `{"metrics": [` + strings.Repeat("1,", 300_000) + `1]}`,
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, err := report.Parse([]byte(body), origin)
			e, ok := errors.AsType[*report.InvalidError](err)
			if !ok {
				t.Fatal(err)
			}
			size := 0
			for _, f := range e.Faults {
				size += len(f.Pointer) + len(f.Detail)
			}
			if len(e.Faults) > report.MaxFaults || e.Total < len(e.Faults) || size > 64<<10 {
				t.Errorf("%d faults of %d, %d bytes", len(e.Faults), e.Total, size)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestSyntaxErrors(t *testing.T) {
	for name, tc := range map[string]struct{ body, want string }{
		"nothing":                      {" \n", `line 1, column 1 (byte 0): the body is empty; the smallest report is {"ok": true}`},
		"cut off":                      {`{"ok": true`, "line 1, column 12 (byte 11): the document ends too early"},
		"cut off within a word":        {`{"ok": tru`, "line 1, column 11 (byte 10): the document ends too early"},
		"cut off within a string":      {`{"errors": ["a`, "line 1, column 15 (byte 14): the document ends too early"},
		"NaN":                          {`{"x": NaN}`, "line 1, column 7 (byte 6): 'N' is not expected here; NaN and Infinity are not JSON: leave the metric out where there is no number"},
		"nan":                          {`{"x": nan}`, "line 1, column 8 (byte 7): 'a' is not expected here; NaN and Infinity are not JSON: leave the metric out where there is no number"},
		"minus Infinity":               {`{"x": -Infinity}`, "line 1, column 8 (byte 7): 'I' is not expected here; NaN and Infinity are not JSON: leave the metric out where there is no number"},
		"Python's True":                {"{\n \"ok\": True}", "line 2, column 8 (byte 9): 'T' is not expected here; JSON writes true and false in lower case"},
		"Python's None":                {`{"ok": None}`, "line 1, column 8 (byte 7): 'N' is not expected here; JSON writes null for nothing, in lower case"},
		"single quotes":                {`{'ok': true}`, `line 1, column 2 (byte 1): '\'' is not expected here; JSON knows double quotes only`},
		"an unquoted name":             {`{ok: true}`, "line 1, column 2 (byte 1): 'o' is not expected here; names and strings are written in double quotes"},
		"a comma too many":             {`{"ok": true, }`, "line 1, column 14 (byte 13): '}' is not expected here; take the comma after the last element away"},
		"the wrong bracket":            {`{"errors": ["a"}`, "line 1, column 16 (byte 15): '}' is not expected here"},
		"a comment":                    {"{} // done", "line 1, column 4 (byte 3): there is something after the end of the report; send one report in each request"},
		"a comment within":             {"{ // ok\n}", "line 1, column 3 (byte 2): '/' is not expected here; JSON has no comments"},
		"a bare decimal point":         {`{"duration": .5}`, "line 1, column 14 (byte 13): '.' is not expected here; a number begins with a digit or a minus"},
		"a line break within a string": {"{\"errors\": [\"a\nb\"]}", `line 1, column 15 (byte 14): '\n' is not expected here; within a string a line break is written \n and a tab \t`},
		"a variable left as it was":    {`{"duration": $TOOK}`, "line 1, column 14 (byte 13): '$' is not expected here; a variable was not replaced by its value"},
		"a byte order mark":            {"\ufeff{}", "line 1, column 1 (byte 0): '\\ufeff' is not expected here; send the body without a byte order mark"},
		"two reports":                  {"{}\n{}", "line 2, column 1 (byte 3): there is something after the end of the report; send one report in each request"},
		"nested without end":           {strings.Repeat("[", 1_000_000), "line 1, column 10001 (byte 10000): is nested too deeply"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := report.Parse([]byte(tc.body), origin)
			if e, ok := errors.AsType[*report.SyntaxError](err); !ok || e.Error() != tc.want {
				t.Errorf("Parse() = %v\nwant      %s", err, tc.want)
			}
		})
	}
}

// FuzzParse: nothing panics; what is accepted is valid, bounded, and what
// encoding/json reads of the same body.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"ok": true, "errors": [], "duration": 1.5}`, `{"ok": false, "errors": ["a\u0000\ud83d\ude00"], "duration": "1h"}`,
		`{"metrics": [{"name": "a.b", "value": 1e3, "kind": "counter", "unit": "By", "description": "d", "labels": {"a": "b"}}]}`,
		`[]`, `{"ok": tru`, `{"x": {"y": [1, {"z": "}"}]}}`, `{"metrics": [{"name": "a", "value": NaN}]}`, "\"\\", `{"ok":null,"ok":true}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := report.Parse(body, origin)
		if err != nil {
			if err.Error() == "" || !errors.As(err, new(*report.SyntaxError)) && len(all(err)) == 0 {
				t.Errorf("a refusal that says nothing: %#v", err)
			}
			return
		}
		if fault := invalid(r); fault != "" {
			t.Errorf("accepted %q: %s", body, fault)
		}
		var plain struct {
			OK      *bool             `json:"ok"`
			Metrics []json.RawMessage `json:"metrics"`
		}
		if err := json.Unmarshal(body, &plain); err != nil || len(plain.Metrics) != len(r.Samples) {
			t.Errorf("encoding/json reads %q otherwise: %v", body, err)
		}
		if plain.OK != nil && *plain.OK != (r.Claim == result.ClaimSuccess) {
			t.Errorf("%q became the claim %q", body, r.Claim)
		}
	})
}

// invalid says what is wrong with an accepted report, or "".
func invalid(r result.Report) string {
	if len(r.Errors) > report.MaxErrors+1 || len(r.Samples) > report.MaxMetrics || r.Duration < 0 || r.Duration > report.MaxDuration {
		return "out of bounds"
	}
	for _, e := range r.Errors {
		if len(e) > report.MaxErrorBytes || !utf8.ValidString(e) {
			return fmt.Sprintf("the error %q", e)
		}
	}
	for _, s := range r.Samples {
		if faults := series.CheckSample(s); len(faults) > 0 {
			return fmt.Sprintf("the sample %+v: %v", s, faults)
		}
		for i := 1; i < len(s.Labels); i++ {
			if s.Labels[i-1].Name >= s.Labels[i].Name {
				return fmt.Sprintf("labels out of order: %v", s.Labels)
			}
		}
	}
	return ""
}
