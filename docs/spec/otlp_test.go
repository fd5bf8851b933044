package spec_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	"github.com/sonde-dev/sonde/receiver"
	"github.com/sonde-dev/sonde/receiver/credential"
	"github.com/sonde-dev/sonde/receiver/otlp"
	"github.com/sonde-dev/sonde/receiver/problem"
	"github.com/sonde-dev/sonde/telemetry/result"
)

// aCheck is the UID of the check in the examples.
const aCheck = "7c9e6679-7425-40de-944b-e07fc1f90ae7"

// listener is a Sink that takes everything of shop/login, and remembers the last
// report.
type listener struct{ last result.Report }

func (l *listener) Accept(_ context.Context, r result.Report) (result.Receipt, error) {
	l.last = r
	return result.Receipt{Check: result.Key{Namespace: "shop", Name: "login"}, Disposition: result.Accepted}, nil
}

func (l *listener) Refused(credential.Identity, string) {}

// exampleEdge returns the handlers for JSON reports and for OTLP over s, and what
// makes the credential of a run that they take.
func exampleEdge(t *testing.T, s receiver.Sink) (reports, telemetry http.Handler, credentialOf func(run string) string) {
	t.Helper()
	key, err := credential.ParseKey(bytes.Repeat([]byte{1}, credential.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	keys, log := credential.NewKeyring(key), slog.New(slog.DiscardHandler)
	reports, err = receiver.CheckFacing{Keys: keys, Sink: s, Log: log, Now: time.Now, Meter: noop.Meter{}}.Handler(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	telemetry, _, err = receiver.OTLP{Keys: keys, Sink: s, Log: log, Now: time.Now, Meter: noop.Meter{}}.Servers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return reports, telemetry, func(run string) string { return credential.Compose(run, credential.Token(key, aCheck)) }
}

// blocks returns the blocks of code of p in a language.
func (p page) blocks(language string) []string {
	var out []string
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(p.text(), -1) {
		out = append(out, m[1])
	}
	return out
}

// otlpExample is the section of a request with its answer.
type otlpExample struct {
	title  string
	report string // whether it has a table of what the report says: "claim", "sample" or ""
}

func otlpExamples() []otlpExample {
	return []otlpExample{
		{"By a gauge", "claim"},
		{"By an attribute", "claim"},
		{"By a span", "claim"},
		{"By the exit code", "claim"},
		{"Custom metrics over OTLP", "sample"},
		{"Refusals over OTLP", ""},
	}
}

// TestOTLPExamples sends the requests in results.md to the receiver, and compares what
// it answers and what it makes of them with what is written there.
func TestOTLPExamples(t *testing.T) {
	doc := read(t, "results.md")
	run := regexp.MustCompile("the run is `([0-9a-f-]{36})`").FindStringSubmatch(doc.text())
	if run == nil {
		t.Fatal("docs: results.md does not say which run the examples are of")
	}
	sink := &listener{}
	_, edge, credentialOf := exampleEdge(t, sink)
	for _, e := range otlpExamples() {
		t.Run(e.title, func(t *testing.T) {
			p := doc.section(t, e.title)
			pair := p.blocks("http")
			if len(pair) != 2 {
				t.Fatalf("docs: %s has %d blocks of HTTP, want a request and its answer", p.name, len(pair))
			}
			head, body, _ := strings.Cut(pair[0], "\n\n")
			request, err := http.ReadRequest(bufio.NewReader(strings.NewReader(
				strings.Replace(head, "\n", " HTTP/1.1\nHost: sonde\n", 1) + "\nContent-Length: " + strconv.Itoa(len(body)) + "\n\n" + body)))
			if err != nil {
				t.Fatalf("docs: %s: the request: %v", p.name, err)
			}
			request.Header.Set("Authorization", "Bearer "+credentialOf(run[1]))
			w := httptest.NewRecorder()
			edge.ServeHTTP(w, request)
			sameAnswer(t, p, pair[1], w)
			if e.report != "" {
				if got, want := reportRows(e.report, sink.last), p.table(t, e.report); !reflect.DeepEqual(got, want) {
					t.Errorf("docs: %s says that the report has %q, and it has %q", p.name, want, got)
				}
				if sink.last.RunID != run[1] || sink.last.CheckUID != aCheck {
					t.Errorf("the report is of run %s of %s", sink.last.RunID, sink.last.CheckUID)
				}
			}
		})
	}
}

// sameAnswer compares an answer with one that is written down: status, all headers
// that are written, and JSON.
func sameAnswer(t *testing.T, p page, documented string, w *httptest.ResponseRecorder) {
	t.Helper()
	head, body, _ := strings.Cut(documented, "\n\n")
	lines := strings.Split(head, "\n")
	if got := fmt.Sprintf("%d %s", w.Code, http.StatusText(w.Code)); got != lines[0] {
		t.Errorf("docs: %s says that the answer is %s, and it is %s %s", p.name, lines[0], got, w.Body)
	}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		if got := w.Header().Get(name); got != value {
			t.Errorf("docs: %s says that %s is %q, and it is %q", p.name, name, value, got)
		}
	}
	sameJSON(t, p, body, w.Body.String())
}

func sameJSON(t *testing.T, p page, documented, real string) {
	t.Helper()
	var want, got any
	if err := json.Unmarshal([]byte(documented), &want); err != nil {
		t.Fatalf("docs: %s: %v in %s", p.name, err, documented)
	}
	if err := json.Unmarshal([]byte(real), &got); err != nil {
		t.Fatalf("the answer is not JSON: %v in %s", err, real)
	}
	if !reflect.DeepEqual(want, got) {
		t.Errorf("docs: %s says that the answer is\n%s\nand it is\n%s", p.name, documented, real)
	}
}

// reportRows returns a report as the rows of the table that says what it has.
func reportRows(table string, r result.Report) [][]string {
	if table == "claim" {
		form := map[result.Form]string{result.FormNone: "none", result.FormGauge: "gauge", result.FormAttribute: "attribute", result.FormSpan: "span"}[r.Form]
		claim := string(r.Claim)
		if r.Claim == result.ClaimNone {
			claim = "none"
		}
		return [][]string{{claim, form, strings.Join(r.Errors, ", "), r.Duration.String(), strconv.Itoa(len(r.Samples))}}
	}
	var rows [][]string
	for _, s := range r.Samples {
		var labels []string
		for _, l := range s.Labels {
			labels = append(labels, l.Name+"="+l.Value)
		}
		rows = append(rows, []string{"`" + s.Name + "`", string(s.Kind), string(s.Temporality), strconv.FormatFloat(s.Value, 'g', -1, 64), strings.Join(labels, ", ")})
	}
	return rows
}

// TestReportExamples sends the reports in the commands of results.md, and compares the
// answer, and what the table says that they cause.
func TestReportExamples(t *testing.T) {
	p := read(t, "results.md").section(t, "Example")
	answers := p.blocks("json")
	commands := p.blocks("sh")
	if len(answers) != 1 || len(commands) != 2 {
		t.Fatalf("docs: %s has %d commands and %d answers, want 2 and 1", p.name, len(commands), len(answers))
	}
	var answer struct{ Run string }
	if err := json.Unmarshal([]byte(answers[0]), &answer); err != nil {
		t.Fatal(err)
	}
	sink := &listener{}
	edge, _, credentialOf := exampleEdge(t, sink)
	var claims []result.Claim
	for _, command := range commands {
		body := regexp.MustCompile(`(?s)(?:-d|--post-data) '(.*?)'`).FindStringSubmatch(command)
		header := regexp.MustCompile(`'(Content-Type): (.*?)'`).FindStringSubmatch(command)
		if body == nil || header == nil {
			t.Fatalf("docs: %s: no body and header in %s", p.name, command)
		}
		request := httptest.NewRequest(http.MethodPost, receiver.ResultsPath, strings.NewReader(body[1]))
		request.Header.Set(header[1], header[2])
		request.Header.Set("Authorization", "Bearer "+credentialOf(answer.Run))
		w := httptest.NewRecorder()
		edge.ServeHTTP(w, request)
		if w.Code != http.StatusOK {
			t.Errorf("docs: %s: the answer to %s is %d %s", p.name, body[1], w.Code, w.Body)
		}
		sameJSON(t, p, answers[0], w.Body.String())
		claims = append(claims, sink.last.Claim)
		if len(claims) > 1 {
			continue
		}
		got := fmt.Sprintf("%v %v %v", sink.last.Errors, sink.last.Duration, reportRows("sample", sink.last))
		if want := "[the basket is empty] 1.7s [[`pages.visited` counter  5 ] [`basket.size` gauge  0 currency=EUR]]"; got != want {
			t.Errorf("the report has %s, want %s", got, want)
		}
	}
	if want := []result.Claim{result.ClaimFailure, result.ClaimSuccess}; !slices.Equal(claims, want) {
		t.Errorf("docs: %s: the reports claim %v, want %v", p.name, claims, want)
	}
}

// TestClaimsOfAttributes compares the table of values with what they claim.
func TestClaimsOfAttributes(t *testing.T) {
	p := read(t, "results.md").section(t, "By an attribute")
	sink := &listener{}
	_, edge, credentialOf := exampleEdge(t, sink)
	for _, row := range p.table(t, "attribute") {
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			body := fmt.Sprintf(`{"resourceLogs":[{"resource":{"attributes":[{"key":%q,"value":{"stringValue":%q}}]}}]}`, code(t, p, row[0]), m[1])
			request := httptest.NewRequest(http.MethodPost, "/v1/logs", strings.NewReader(body))
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set("Authorization", "Bearer "+credentialOf("0f8fad5b-d9cb-469f-a165-70867728950e"))
			edge.ServeHTTP(httptest.NewRecorder(), request)
			if got := reportRows("claim", sink.last)[0][0]; got != row[2] {
				t.Errorf("docs: %s says that %s %s claims %s, and it claims %s", p.name, row[0], m[1], row[2], got)
			}
		}
	}
}

// TestAttributesOfARun compares the list of attributes that are no labels with the
// decoder.
func TestAttributesOfARun(t *testing.T) {
	p := read(t, "results.md").section(t, "Custom metrics over OTLP")
	_, list, _ := strings.Cut(p.text(), "are of one run, and are no labels: ")
	list, _, _ = strings.Cut(list, ". Together")
	names := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(list, -1)
	if len(names) < 16 {
		t.Fatalf("docs: %s lists %d attributes", p.name, len(names))
	}
	sink := &listener{}
	_, edge, credentialOf := exampleEdge(t, sink)
	labelsOf := func(key string) int {
		body := fmt.Sprintf(`{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"a","gauge":{"dataPoints":[{"asInt":1,"attributes":[{"key":%q,"value":{"stringValue":"x"}}]}]}}]}]}]}`, key)
		request := httptest.NewRequest(http.MethodPost, "/v1/metrics", strings.NewReader(body))
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", "Bearer "+credentialOf("0f8fad5b-d9cb-469f-a165-70867728950e"))
		edge.ServeHTTP(httptest.NewRecorder(), request)
		return len(sink.last.Samples[0].Labels)
	}
	for _, m := range names {
		if labelsOf(strings.Replace(m[1], "*", "name", 1)) > 0 {
			t.Errorf("docs: %s says that %s is no label, and it is one", p.name, m[1])
		}
	}
	if labelsOf("server.address") != 1 {
		t.Error("server.address is no label")
	}
}

func TestReasonsOfPoints(t *testing.T) {
	p := read(t, "results.md").section(t, "Answers over OTLP")
	var documented, real []string
	for _, row := range p.table(t, "reason of a point") {
		documented = append(documented, strings.Split(strings.ReplaceAll(row[0], "`", ""), ", ")...)
	}
	for _, r := range otlp.Reasons() {
		real = append(real, string(r))
	}
	same(t, p, "reason", documented, real)
}

// TestRefusalsOverOTLP compares the kinds of refusals with those that there are, and
// their status codes, which are those of problems but for bodies that did not arrive.
func TestRefusalsOverOTLP(t *testing.T) {
	p := read(t, "results.md").section(t, "Refusals over OTLP")
	var documented, real []string
	for _, row := range p.table(t, "problem") {
		kinds := strings.Split(strings.ReplaceAll(row[0], "`", ""), ", ")
		documented = append(documented, kinds...)
		for _, k := range kinds {
			arrived := problem.Kind(k) != problem.SlowBody && problem.Kind(k) != problem.IncompleteBody
			if want := strconv.Itoa(problem.Kind(k).Status()); arrived && row[1] != want {
				t.Errorf("docs: %s says that the status of %s is %s, and it is %s", p.name, k, row[1], want)
			}
		}
	}
	notOfOTLP := []problem.Kind{problem.MalformedJSON, problem.InvalidReport, problem.NotLive, problem.NotReady}
	for _, k := range problem.Kinds() {
		if !slices.Contains(notOfOTLP, k) {
			real = append(real, string(k))
		}
	}
	same(t, p, "problem", documented, real)
}

func TestLimitsOfOTLP(t *testing.T) {
	p := read(t, "results.md").section(t, "Limits of OTLP")
	rows := p.table(t, "limit")
	real := []limit{
		{"MaxOTLPBytes", receiver.MaxOTLPBytes},
		{"MaxParts", otlp.MaxParts},
		{"MaxPoints", otlp.MaxPoints},
		{"MaxOTLPInFlight", receiver.MaxOTLPInFlight},
		{"MaxOTLPInFlightOfCheck", receiver.MaxOTLPInFlightOfCheck},
		{"MaxStreams", receiver.MaxStreams},
		{"OTLPIdleTimeout", int(receiver.OTLPIdleTimeout / time.Second)},
	}
	sameLimits(t, p, rows, real)
	var names []string
	for _, l := range real {
		names = append(names, l.name)
	}
	same(t, p, "limit", column(t, p, rows, 0), names)
}
