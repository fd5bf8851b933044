package controller

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

func TestMergeEnvironment(t *testing.T) {
	ours := []corev1.EnvVar{value("A", "ours"), value("B", "ours of $(A)")}
	for name, tc := range map[string]struct {
		users string // JSON
		want  string // JSON
	}{
		"none of the user's": {`null`, `[{"name":"A","value":"ours"},{"name":"B","value":"ours of $(A)"}]`},
		"an empty list":      {`[]`, `[{"name":"A","value":"ours"},{"name":"B","value":"ours of $(A)"}]`},
		"the user's stand behind, and may refer to ours": {
			`[{"name":"C","value":"$(B)"}]`,
			`[{"name":"A","value":"ours"},{"name":"B","value":"ours of $(A)"},{"name":"C","value":"$(B)"}]`,
		},
		"the user's win":        {`[{"name":"A","value":"theirs"}]`, `[{"name":"B","value":"ours of $(A)"},{"name":"A","value":"theirs"}]`},
		"of many the last wins": {`[{"name":"C","value":"1"},{"name":"A","value":"2"},{"name":"C","value":"3"}]`, `[{"name":"B","value":"ours of $(A)"},{"name":"A","value":"2"},{"name":"C","value":"3"}]`},
		"what has no name is left for the API server to refuse": {
			`[{"value":"1"},{"value":"2"},5,null,{"name":6}]`,
			`[{"name":"A","value":"ours"},{"name":"B","value":"ours of $(A)"},{"value":"1"},{"value":"2"},5,null,{"name":6}]`,
		},
		"fields of tomorrow stay": {
			`[{"name":"A","valueFrom":{"fileKeyRef":{"path":"x"}}}]`,
			`[{"name":"B","value":"ours of $(A)"},{"name":"A","valueFrom":{"fileKeyRef":{"path":"x"}}}]`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := mergeEnvironment(ours, parsed(t, tc.users))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(parsed(t, tc.want), any(got)); diff != "" {
				t.Errorf("mergeEnvironment() (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := mergeEnvironment(ours, "A=1"); err == nil {
		t.Error("an environment that is a string was taken")
	}
}

func parsed(t *testing.T, content string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(content), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestWhatIsNullIsAbsent(t *testing.T) {
	got, err := decodeTemplate([]byte(`{"metadata": null, "spec": {"initContainers": null, "containers": [{"name": "c", "env": null}, null], "restartPolicy": null}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := template{"spec": map[string]any{"containers": []any{map[string]any{"name": "c"}, nil}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("decodeTemplate() (-want +got):\n%s", diff)
	}
	if _, err := decodeTemplate([]byte(`{"spec": null}`)); !errors.As(err, new(*SpecError)) {
		t.Errorf("a spec that is null: %v, want a SpecError", err)
	}
}
