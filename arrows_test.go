package sonde_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/sonde-dev/sonde/"

// arrow says what a package, and all below it, may import.
type arrow struct {
	pkg  string   // of this module; a longer one wins over a shorter one
	may  []string // of this module: a package, or with a slash at its end all below it
	kube []string // prefixes of Kubernetes' packages
	gin  bool
}

// anyKube is all of Kubernetes.
var anyKube = []string{"k8s.io/", "sigs.k8s.io/"}

// arrows are the ones that docs/architecture.md draws.
var arrows = []arrow{
	{pkg: "api/v1alpha1", kube: []string{"k8s.io/apimachinery/"}},
	{pkg: "controller", may: []string{"api/v1alpha1", "controller/shard", "controller/status", "receiver/credential", "telemetry/result"}, kube: anyKube},
	{pkg: "controller/run", may: []string{"api/v1alpha1", "controller/shard", "controller/status", "receiver/credential", "telemetry/ledger", "telemetry/result", "telemetry/verdict"}, kube: anyKube},
	{pkg: "controller/shard", kube: anyKube},
	{pkg: "controller/status", may: []string{"api/v1alpha1"}, kube: anyKube},
	{pkg: "receiver", may: []string{"receiver/", "telemetry/result", "telemetry/series"}, gin: true},
	{pkg: "receiver/credential"},
	{pkg: "telemetry/result"},
	{pkg: "telemetry/verdict", may: []string{"telemetry/result"}},
	{pkg: "telemetry/series", may: []string{"telemetry/result"}},
	{pkg: "telemetry/journal"},
	{pkg: "telemetry/ledger", may: []string{"telemetry/journal", "telemetry/result", "telemetry/verdict", "telemetry/series"}},
	{pkg: "telemetry/export", may: []string{"telemetry/"}},
	{pkg: "docs"},
	{pkg: "cmd", may: []string{"/"}, kube: anyKube},
	{pkg: "test", may: []string{"/"}, kube: anyKube},
}

// TestImportArrows fails when a package imports what it must not, or when nobody
// has said what it may.
func TestImportArrows(t *testing.T) {
	format := `{{range .Imports}}{{$.ImportPath}} {{.}}{{"\n"}}{{else}}{{.ImportPath}} {{"\n"}}{{end}}`
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", format, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	missing := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		from, to, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if from+"/" == module {
			continue // the root has this test and no code
		}
		pkg, below := strings.CutPrefix(from, module)
		if !below {
			continue // the root, which has tests only
		}
		rule, ok := ruleFor(pkg)
		if !ok && !missing[pkg] {
			missing[pkg] = true
			t.Errorf("%s has no arrow: add one here and in docs/architecture.md", pkg)
		}
		if fault := rule.fault(to); ok && fault != "" {
			t.Errorf("%s imports %s: %s", from, to, fault)
		}
	}
}

// ruleFor returns the most special arrow for pkg.
func ruleFor(pkg string) (arrow, bool) {
	var best arrow
	for _, a := range arrows {
		if (pkg == a.pkg || strings.HasPrefix(pkg, a.pkg+"/")) && len(a.pkg) > len(best.pkg) {
			best = a
		}
	}
	return best, best.pkg != ""
}

// fault says why a must not import the package to; it is empty if a may.
func (a arrow) fault(to string) string {
	own, inside := strings.CutPrefix(to, module)
	kube := slices.ContainsFunc(anyKube, func(p string) bool { return strings.HasPrefix(to, p) })
	switch {
	case inside && !slices.ContainsFunc(a.may, func(m string) bool { return covers(m, own) }):
		return "not one of its arrows"
	case kube && !slices.ContainsFunc(a.kube, func(p string) bool { return strings.HasPrefix(to, p) }):
		return "only controller and cmd know Kubernetes, and the API its types"
	case strings.HasPrefix(to, "github.com/gin-gonic/") && !a.gin:
		return "HTTP routing is the receiver's business"
	default:
		return ""
	}
}

func covers(may, own string) bool {
	return may == "/" || may == own || strings.HasSuffix(may, "/") && strings.HasPrefix(own, may)
}

// TestImportArrowsHold proves that the rules refuse what they are there to refuse.
func TestImportArrowsHold(t *testing.T) {
	for name, tc := range map[string]struct {
		from, to string
		allowed  bool
	}{
		"the edge imports its own":                      {"receiver", module + "receiver/report", true},
		"a subpackage has the arrow of its parent":      {"receiver/problem", "github.com/gin-gonic/gin", true},
		"the edge knows no Kubernetes":                  {"receiver", "k8s.io/api/core/v1", false},
		"the edge knows no ledger":                      {"receiver", module + "telemetry/ledger", false},
		"decisions know no series":                      {"telemetry/verdict", module + "telemetry/series", false},
		"the vocabulary is a leaf":                      {"telemetry/result", module + "telemetry/verdict", false},
		"gin stays in its room":                         {"telemetry/export", "github.com/gin-gonic/gin", false},
		"the API knows Kubernetes' machinery":           {"api/v1alpha1", "k8s.io/apimachinery/pkg/runtime", true},
		"the API knows no controller":                   {"api/v1alpha1", "sigs.k8s.io/controller-runtime", false},
		"the controller does not know what runs do":     {"controller", module + "controller/run", false},
		"a name that only begins alike is not meant":    {"controller", module + "telemetry/results", false},
		"the command puts everything together":          {"cmd/sonde", module + "controller/run", true},
		"the standard library is everybody's":           {"telemetry/result", "strings", true},
		"the watcher does not know how series are kept": {"controller/run", module + "telemetry/series", false},
	} {
		t.Run(name, func(t *testing.T) {
			rule, ok := ruleFor(tc.from)
			if !ok {
				t.Fatalf("no arrow for %s", tc.from)
			}
			if fault := rule.fault(tc.to); (fault == "") != tc.allowed {
				t.Errorf("%s imports %s: fault %q", tc.from, tc.to, fault)
			}
		})
	}
	if _, ok := ruleFor("controllers"); ok {
		t.Error("a package that only begins like another has its arrow")
	}
}
