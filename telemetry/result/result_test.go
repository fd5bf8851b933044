package result_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// constants returns the values of the constants of one type in a file of this
// package, in order.
func constants(t *testing.T, file, kind string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == kind {
			values = append(values, strings.Trim(spec.Values[0].(*ast.BasicLit).Value, `"`))
		}
		return true
	})
	if len(values) == 0 {
		t.Fatalf("%s has no constants of type %s", file, kind)
	}
	return values
}

func TestOutcomesHaveEveryReasonAndResult(t *testing.T) {
	reasons, results := map[string]bool{}, map[string]bool{}
	for _, o := range result.Outcomes() {
		reasons[string(o.Reason)] = true
		results[string(o.Result)] = true
	}
	for _, r := range constants(t, "reason.go", "Reason") {
		if !reasons[r] {
			t.Errorf("no outcome has the reason %s: sonde_runs_total would begin without it", r)
		}
		delete(reasons, r)
	}
	for r := range reasons {
		t.Errorf("an outcome has the reason %s, which is no constant", r)
	}
	for _, r := range result.Results() {
		if !results[string(r)] {
			t.Errorf("no outcome has the result %s", r)
		}
	}
}

func TestOutcomesAreUnique(t *testing.T) {
	seen := map[result.Outcome]bool{}
	for _, o := range result.Outcomes() {
		if seen[o] {
			t.Errorf("%v is there twice", o)
		}
		seen[o] = true
	}
}

func TestResultsAreEveryConstant(t *testing.T) {
	var got []string
	for _, r := range result.Results() {
		got = append(got, string(r))
	}
	if diff := cmp.Diff(constants(t, "result.go", "Result"), got); diff != "" {
		t.Errorf("Results() (-constants +got):\n%s", diff)
	}
}

func TestTheSetsAreTheCallers(t *testing.T) {
	result.Outcomes()[0].Reason = "mine"
	result.Results()[0] = "mine"
	if result.Outcomes()[0].Reason == "mine" || slices.Contains(result.Results(), "mine") {
		t.Error("a caller can change the closed sets")
	}
}

func TestTruncate(t *testing.T) {
	for name, tc := range map[string]struct {
		in    string
		limit int
		want  string
	}{
		"short enough":                       {"abc", 4, "abc"},
		"just short enough":                  {"abcd", 4, "abcd"},
		"one byte too long":                  {"abcde", 4, "abcd"},
		"a character that fits":              {"abé", 4, "abé"},
		"a character that ends past it":      {"abcé", 4, "abc"},
		"a long character, its last byte":    {"a😀", 4, "a"},
		"a long character that fits":         {"😀", 4, "😀"},
		"nothing fits":                       {"😀", 3, ""},
		"no limit to speak of":               {"abc", 0, ""},
		"what is not UTF-8 goes":             {"a\xffb", 4, "ab"},
		"an empty string":                    {"", 4, ""},
		"a character cut off by its sender":  {"ab\xc3", 4, "ab"},
		"a replacement character is allowed": {"a\uFFFD", 4, "a\uFFFD"},
	} {
		t.Run(name, func(t *testing.T) {
			got := result.Truncate(tc.in, tc.limit)
			if got != tc.want {
				t.Errorf("Truncate(%q, %d) = %q, want %q", tc.in, tc.limit, got, tc.want)
			}
		})
	}
}

func FuzzTruncate(f *testing.F) {
	f.Add("abcé😀\xff", 5)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = max(limit, 0)
		got := result.Truncate(s, limit)
		if len(got) > limit || !utf8.ValidString(got) {
			t.Errorf("Truncate(%q, %d) = %q", s, limit, got)
		}
		if utf8.ValidString(s) && len(s) <= limit && got != s {
			t.Errorf("Truncate(%q, %d) = %q, though it fits", s, limit, got)
		}
	})
}

func TestTraceID(t *testing.T) {
	run := result.Run{ID: "0af76519-16cd-43dd-8448-eb211c80319c"}
	if got, want := run.TraceID(), "0af7651916cd43dd8448eb211c80319c"; got != want {
		t.Errorf("TraceID() = %s, want %s", got, want)
	}
}

func TestKeyIsWrittenAsPeopleDo(t *testing.T) {
	if got := (result.Key{Namespace: "shop", Name: "login"}).String(); got != "shop/login" {
		t.Errorf("String() = %s", got)
	}
}
