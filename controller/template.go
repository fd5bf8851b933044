package controller

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// terminationGrace is how long a container may take to end after SIGTERM, unless
// the template says. A check has nothing to drain.
const terminationGraceSeconds = 5

// template is a PodTemplateSpec as the user wrote it. It stays a map, so that
// fields of pods that this program is too old to know go through, and so that the
// API server is the one to say what is wrong with it.
type template map[string]any

// decodeTemplate reads raw, the JSON of spec.podTemplate.
func decodeTemplate(raw []byte) (template, error) {
	var t template
	if err := json.Unmarshal(raw, &t); err != nil || t == nil {
		return nil, specErrorf("spec.podTemplate: must be an object with metadata and spec")
	}
	dropNulls(t)
	if spec, found, err := unstructured.NestedMap(t, "spec"); err != nil || !found || len(spec) == 0 {
		return nil, specErrorf("spec.podTemplate.spec: is required; the containers go there")
	}
	return t, nil
}

// dropNulls removes what is null, as templates leave behind where nothing was set:
// Kubernetes takes that as absent.
func dropNulls(v any) {
	switch v := v.(type) {
	case template:
		dropNulls(map[string]any(v))
	case map[string]any:
		maps.DeleteFunc(v, func(_ string, field any) bool { return field == nil })
		for _, field := range v {
			dropNulls(field)
		}
	case []any:
		for _, item := range v {
			dropNulls(item)
		}
	}
}

// addStrings adds pairs to the string map at path. Where both have a key, pairs
// win.
func (t template) addStrings(pairs map[string]string, path ...string) error {
	held, _, err := unstructured.NestedStringMap(t, path...)
	if err != nil {
		return specErrorf("spec.podTemplate: %v", err)
	}
	if held == nil {
		held = map[string]string{}
	}
	maps.Copy(held, pairs)
	if len(held) == 0 {
		return nil
	}
	if err := unstructured.SetNestedStringMap(t, held, path...); err != nil {
		return specErrorf("spec.podTemplate: %v", err)
	}
	return nil
}

func (t template) set(v any, path ...string) error {
	if err := unstructured.SetNestedField(t, v, path...); err != nil {
		return specErrorf("spec.podTemplate: %v", err)
	}
	return nil
}

// setDefault sets the field at path unless the user has.
func (t template) setDefault(v any, path ...string) error {
	if _, found, err := unstructured.NestedFieldNoCopy(t, path...); err != nil || found {
		return nil //nolint:nilerr // the first to write below path reports it
	}
	return t.set(v, path...)
}

// restartNever sets the restart policy, and refuses another one.
func (t template) restartNever() error {
	policy, found, err := unstructured.NestedString(t, "spec", "restartPolicy")
	switch {
	case err != nil:
		return specErrorf("spec.podTemplate: %v", err)
	case found && policy != string(corev1.RestartPolicyNever):
		return specErrorf("spec.podTemplate.spec.restartPolicy: must be Never (or absent), not %s: a container that restarts in place hides its failure; set spec.retries to try again", policy)
	}
	return t.set(string(corev1.RestartPolicyNever), "spec", "restartPolicy")
}

// addEnvironment gives every container and init container the variables that env
// returns for its name. What the user set wins, and stands behind ours, so that
// it may refer to them.
func (t template) addEnvironment(env func(container string) []corev1.EnvVar) error {
	for _, list := range []string{"initContainers", "containers"} {
		containers, found, err := unstructured.NestedSlice(t, "spec", list)
		if err != nil {
			return specErrorf("spec.podTemplate.spec.%s: must be a list", list)
		}
		if !found {
			continue
		}
		for i, c := range containers {
			container, ok := c.(map[string]any)
			if !ok {
				return specErrorf("spec.podTemplate.spec.%s[%d]: must be an object", list, i)
			}
			name, _ := container["name"].(string)
			merged, err := mergeEnvironment(env(name), container["env"])
			if err != nil {
				return specErrorf("spec.podTemplate.spec.%s[%d].env: %v", list, i, err)
			}
			container["env"] = merged
		}
		if err := t.set(containers, "spec", list); err != nil {
			return err
		}
	}
	return nil
}

// mergeEnvironment returns ours followed by users, a list as in JSON, with each
// name once: the last one that has it.
func mergeEnvironment(ours []corev1.EnvVar, users any) ([]any, error) {
	var all []any
	for _, v := range ours {
		m, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&v)
		if err != nil {
			return nil, fmt.Errorf("convert %s: %w", v.Name, err)
		}
		all = append(all, m)
	}
	switch list := users.(type) {
	case nil:
	case []any:
		all = append(all, list...)
	default:
		return nil, specErrorf("must be a list")
	}
	seen := make(map[string]bool, len(all))
	kept := make([]any, 0, len(all))
	for _, v := range slices.Backward(all) {
		m, _ := v.(map[string]any)
		name, named := m["name"].(string)
		if named && seen[name] {
			continue
		}
		seen[name] = true
		kept = append(kept, v)
	}
	slices.Reverse(kept)
	return kept, nil
}
