package build

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestStepGivesSignsOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		progress := NewProgress(&out, 20*time.Second)
		err := progress.Step(t.Context(), "build kube", 8*time.Minute, func(context.Context) error {
			time.Sleep(45 * time.Second)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want := "build kube: about 8m0s on 2 cores, once\n" +
			"build kube: still at it after 20s\n" +
			"build kube: still at it after 40s\n" +
			"build kube: done in 45s\n"
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("progress (-want +got):\n%s", diff)
		}
	})
}

func TestStepReturnsTheError(t *testing.T) {
	broken := errors.New("broken")
	err := NewProgress(&bytes.Buffer{}, time.Minute).Step(t.Context(), "build", 0, func(context.Context) error { return broken })
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
