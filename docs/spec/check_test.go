package spec_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/controller"
	"github.com/sonde-dev/sonde/receiver/credential"
	"github.com/sonde-dev/sonde/telemetry/result"
)

// fields returns the JSON names of a struct's fields and, below a dot, of the structs
// of this API that they point to.
func fields(of reflect.Type) []string {
	var out []string
	for f := range of.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		out = append(out, name)
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && inner.PkgPath() == reflect.TypeFor[v1alpha1.Check]().PkgPath() {
			for _, below := range fields(inner) {
				out = append(out, name+"."+below)
			}
		}
	}
	return out
}

func TestFieldsOfTheCheck(t *testing.T) {
	p := read(t, "check.md")
	spec, status := p.section(t, "Spec"), p.section(t, "Status")
	same(t, spec, "field of the spec", column(t, spec, spec.table(t, "field"), 0), fields(reflect.TypeFor[v1alpha1.CheckSpec]()))
	same(t, status, "field of the status", column(t, status, status.table(t, "field"), 0), fields(reflect.TypeFor[v1alpha1.CheckStatus]()))
}

// crd is what this test reads of the generated CRD.
func crd(t *testing.T) map[string]any {
	t.Helper()
	raw, err := os.ReadFile("../../deploy/crd/sonde.dev_checks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := yaml.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// walk calls visit for every object within v, with its key in the object around it.
func walk(v any, key string, visit func(key string, object map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		visit(key, v)
		for k, inner := range v {
			walk(inner, k, visit)
		}
	case []any:
		for _, inner := range v {
			walk(inner, key, visit)
		}
	}
}

func TestSentencesOfTheAPIServer(t *testing.T) {
	p := read(t, "check.md").section(t, "Spec")
	walk(crd(t), "", func(key string, object map[string]any) {
		if sentence, ok := object["message"].(string); ok && key == "x-kubernetes-validations" && !strings.Contains(p.text(), sentence) {
			t.Errorf("docs: %s does not mention the refusal %q", p.name, sentence)
		}
	})
}

func TestDefaultsAndBoundsOfTheCheck(t *testing.T) {
	p := read(t, "check.md").section(t, "Spec")
	rows := map[string][]string{}
	for _, row := range p.table(t, "field") {
		rows[code(t, p, row[0])] = row
	}
	walk(crd(t), "", func(key string, schema map[string]any) {
		row, ok := rows[key]
		if !ok || schema["type"] == nil {
			return
		}
		for bound, in := range map[string]int{"default": 2, "minimum": 3, "maximum": 3, "maxProperties": 3} {
			if v, ok := schema[bound]; ok && !strings.Contains(row[in], toString(v)) {
				t.Errorf("docs: %s does not say that the %s of %s is %s", p.name, bound, key, toString(v))
			}
		}
	})
}

func toString(v any) string {
	if f, ok := v.(float64); ok {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	if b, ok := v.(bool); ok {
		return strconv.FormatBool(b)
	}
	s, _ := v.(string)
	return s
}

// constants returns the values of the string constants of the API whose names begin
// with prefix.
func constants(t *testing.T, prefix string) []string {
	t.Helper()
	var out []string
	for _, file := range []string{"status_types.go", "labels.go"} {
		parsed, err := parser.ParseFile(token.NewFileSet(), "../../api/v1alpha1/"+file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || !strings.HasPrefix(spec.Names[0].Name, prefix) {
				return true
			}
			literal, _ := spec.Values[0].(*ast.BasicLit)
			value, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, value)
			return false
		})
	}
	return out
}

func TestConditions(t *testing.T) {
	p := read(t, "check.md")
	var documented []string
	for _, condition := range constants(t, "Condition") {
		section := p.section(t, "Condition "+condition)
		for _, row := range section.table(t, "reason") {
			if strings.Contains(row[0], "`") {
				documented = append(documented, code(t, section, row[0]))
			}
		}
	}
	same(t, p, "reason of a condition", documented, constants(t, "Reason"))
}

func TestLabelsAndAnnotations(t *testing.T) {
	p := read(t, "check.md").section(t, "Labels and annotations")
	real := append(constants(t, "Label"), constants(t, "Annotation")...)
	same(t, p, "label or annotation", column(t, p, p.table(t, "key"), 0), append(real, "app.kubernetes.io/managed-by"))
}

func TestVerdicts(t *testing.T) {
	p := read(t, "check.md").section(t, "Verdicts")
	var documented, real []string
	for _, row := range p.table(t, "result") {
		documented = append(documented, code(t, p, row[0])+"/"+code(t, p, row[1]))
	}
	for _, o := range result.Outcomes() {
		real = append(real, string(o.Result)+"/"+string(o.Reason))
	}
	same(t, p, "verdict", documented, real)
}

func TestReportModes(t *testing.T) {
	p := read(t, "check.md").section(t, "Verdicts")
	same(t, p, "mode of report", column(t, p, p.table(t, "`report`"), 0),
		[]string{string(v1alpha1.ReportAuto), string(v1alpha1.ReportRequired), string(v1alpha1.ReportExitCode)})
}

// cronJob returns the CronJob of the smallest Check.
func cronJob(t *testing.T, edit func(*v1alpha1.CheckSpec)) *unstructured.Unstructured {
	t.Helper()
	key, err := credential.NewKey(strings.NewReader(strings.Repeat("k", credential.KeyBytes)))
	if err != nil {
		t.Fatal(err)
	}
	check := &v1alpha1.Check{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "login", UID: "7c9e6679-7425-40de-944b-e07fc1f90ae7"},
		Spec: v1alpha1.CheckSpec{
			Interval:       &metav1.Duration{Duration: 5 * time.Minute},
			Timeout:        metav1.Duration{Duration: 30 * time.Second},
			StartAllowance: metav1.Duration{Duration: 2 * time.Minute},
			PodTemplate:    runtime.RawExtension{Raw: []byte(`{"spec": {"containers": [{"name": "check", "image": "busybox:1.36"}]}}`)},
		},
	}
	if edit != nil {
		edit(&check.Spec)
	}
	cron, err := controller.CronJob(check, controller.Settings{Key: key, ReceiverService: "sonde-receiver", Namespace: "sonde-system", Shards: 1})
	if err != nil {
		t.Fatal(err)
	}
	return cron
}

func TestEnvironmentOfThePod(t *testing.T) {
	p := read(t, "check.md").section(t, "Environment")
	var real []string
	walk(cronJob(t, nil).Object, "", func(key string, object map[string]any) {
		if name, ok := object["name"].(string); ok && key == "env" {
			real = append(real, name)
		}
	})
	same(t, p, "environment variable", column(t, p, p.table(t, "variable"), 0), real)
}

// number64 returns the number at path of a CronJob; nil if there is none.
func number64(cron *unstructured.Unstructured, path ...string) any {
	n, found, _ := unstructured.NestedInt64(cron.Object, path...)
	if !found {
		return nil
	}
	return n
}

func TestSchedules(t *testing.T) {
	p := read(t, "check.md").section(t, "Schedule")
	for _, row := range p.table(t, "`interval`") {
		for interval := range strings.SplitSeq(row[0], ", ") {
			d, err := time.ParseDuration(interval)
			if err != nil {
				t.Fatal(err)
			}
			cron := cronJob(t, func(s *v1alpha1.CheckSpec) { s.Interval.Duration = d })
			schedule, _, _ := unstructured.NestedString(cron.Object, "spec", "schedule")
			if !strings.Contains(row[1], "`"+schedule+"`") {
				t.Errorf("docs: %s does not say that %s may become %q", p.name, interval, schedule)
			}
			want := "none"
			if deadline, ok := number64(cron, "spec", "startingDeadlineSeconds").(int64); ok {
				want = strconv.FormatInt(deadline, 10) + " s"
			}
			if row[2] != want {
				t.Errorf("docs: %s says that the starting deadline of %s is %s, and it is %s", p.name, interval, row[2], want)
			}
		}
	}
}

func TestDeadlines(t *testing.T) {
	p := read(t, "check.md").section(t, "Deadlines")
	for _, row := range p.table(t, "") {
		cron := cronJob(t, func(s *v1alpha1.CheckSpec) {
			if err := yaml.Unmarshal([]byte(strings.ReplaceAll(strings.ReplaceAll(row[0], "`", ""), ", ", "\n")), s); err != nil {
				t.Fatal(err)
			}
		})
		pod := number64(cron, "spec", "jobTemplate", "spec", "template", "spec", "activeDeadlineSeconds")
		job := number64(cron, "spec", "jobTemplate", "spec", "activeDeadlineSeconds")
		sameLimits(t, p, [][]string{{"`pod`", row[1]}, {"`Job`", row[2]}}, []limit{{"pod", pod}, {"Job", job}})
	}
}

// TestTheExampleBecomesItsCronJob compares what check.md shows of the CronJob with what
// the controller makes.
func TestTheExampleBecomesItsCronJob(t *testing.T) {
	var check v1alpha1.Check
	var shown unstructured.Unstructured
	blocks := strings.Split(read(t, "check.md").section(t, "Example").text(), "```yaml\n")
	if len(blocks) != 3 {
		t.Fatalf("the example has %d blocks of YAML, want the Check and its CronJob", len(blocks)-1)
	}
	for i, into := range []any{&check, &shown.Object} {
		block, _, _ := strings.Cut(blocks[i+1], "```")
		if err := yaml.Unmarshal([]byte(block), into); err != nil {
			t.Fatal(err)
		}
	}
	real := cronJob(t, func(s *v1alpha1.CheckSpec) {
		allowance := s.StartAllowance
		*s = check.Spec
		s.StartAllowance = allowance // the API server's default
	})
	unstructured.RemoveNestedField(shown.Object, "spec", "schedule") // the offset is the check's own
	for _, fault := range missing(shown.Object, real.Object, "") {
		t.Errorf("docs: check.md shows of the CronJob %s", fault)
	}
}

// missing returns what of shown real has not; an ellipsis stands for anything.
func missing(shown, real any, path string) []string {
	switch shown := shown.(type) {
	case map[string]any:
		var faults []string
		held, _ := real.(map[string]any)
		for k, v := range shown {
			faults = append(faults, missing(v, held[k], path+"."+k)...)
		}
		return faults
	case []any:
		var faults []string
		held, _ := real.([]any)
		for i, v := range shown {
			var is any
			if i < len(held) {
				is = held[i]
			}
			if object, ok := v.(map[string]any); ok && object["name"] != nil {
				is = named(held, object["name"])
			}
			faults = append(faults, missing(v, is, path+"["+strconv.Itoa(i)+"]")...)
		}
		return faults
	case string:
		if is, _ := real.(string); shown == "…" || shown == is {
			return nil
		}
	default:
		if toNumber(shown) == toNumber(real) {
			return nil
		}
	}
	return []string{path + ", which is not so"}
}

// named returns the object of that name.
func named(list []any, name any) any {
	for _, v := range list {
		if object, ok := v.(map[string]any); ok && object["name"] == name {
			return object
		}
	}
	return nil
}

// toNumber makes numbers of YAML and of Go comparable.
func toNumber(v any) any {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case int32:
		return float64(v)
	}
	return v
}
