//go:build e2e

package durability

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/sonde-dev/sonde/test/harness"
)

// load is some clients that lead run after run, and what they were told.
type load struct {
	w      *world
	client *http.Client
	acked  atomic.Int64 // reports

	mu        sync.Mutex         // guards what is below
	steps     map[string]float64 // what each client had acknowledged, over all its runs
	completed map[int]float64    // by check: runs whose success was acknowledged
}

func newLoad(w *world) *load {
	return &load{
		w: w, client: &http.Client{Timeout: 20 * time.Second},
		steps: map[string]float64{}, completed: map[int]float64{},
	}
}

// send posts a report, again and again until it is acknowledged. It goes on after the
// end of ctx, since a receiver is up for good then: what was sent and not acknowledged
// may be counted or not.
func (l *load) send(ctx context.Context, r run, body string) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), harness.Patience)
	defer cancel()
	for ctx.Err() == nil {
		status, _, err := l.try(ctx, r, body)
		switch {
		case err == nil && status < 300:
			l.acked.Add(1)
			return true
		case err == nil && status < 500:
			panic(fmt.Sprintf("status %d to a good report", status))
		}
		time.Sleep(5 * time.Millisecond) // refused, cut off, or told to come again
	}
	return false
}

// try posts a report once.
func (l *load) try(ctx context.Context, r run, body string) (int, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+l.w.checkAddress+"/v1/results", strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+r.credential)
	req.Header.Set("Content-Type", "application/json")
	res, err := l.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return 0, nil, err
	}
	return res.StatusCode, res.Header, nil
}

// lead leads runs of check i until ctx ends. Every run reports growing totals, then
// success, and then its Job completes.
func (l *load) lead(ctx context.Context, t *testing.T, i int, client string) {
	t.Helper()
	for ctx.Err() == nil {
		r, err := l.w.newRun(t, i)
		if err != nil {
			t.Error(err)
			return
		}
		const reports = 30
		said := 0
		for said < reports && ctx.Err() == nil && l.send(ctx, r, steps(client, said+1, "")) {
			said++
		}
		finished := l.send(ctx, r, steps(client, said, `"ok": true,`))
		if err := l.w.complete(t, r); err != nil {
			t.Error(err)
			return
		}
		l.mu.Lock()
		l.steps[client] += float64(said)
		if finished {
			l.completed[i]++
		}
		l.mu.Unlock()
	}
}

// steps is a report of a client's run that has counted n steps so far.
func steps(client string, n int, more string) string {
	return fmt.Sprintf(`{%s "metrics": [{"name": "crash.steps", "kind": "counter", "value": %d, "labels": {"client": %q}}]}`, more, n, client)
}

// metrics returns the receiver's series of a name: by the value of a label.
func (w *world) metrics(ctx context.Context, name, label string) (map[string]float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+w.readerAddress+"/metrics", http.NoBody)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(res.Body)
	if err != nil {
		return nil, err
	}
	out := map[string]float64{}
	for _, m := range families[name].GetMetric() {
		key := ""
		for _, l := range m.GetLabel() {
			if l.GetName() == label {
				key = l.GetValue()
			}
		}
		out[key] += m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	return out, nil
}

// awaitReady waits until the receiver knows what is in the cluster.
func (w *world) awaitReady(t *testing.T) {
	t.Helper()
	harness.Eventually(t, "the receiver is ready", func(ctx context.Context) bool {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+w.readerAddress+"/readyz", http.NoBody)
		if err != nil {
			return false
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		return res.Body.Close() == nil && res.StatusCode == http.StatusOK
	})
}

// check compares what was acknowledged with what is counted.
func (l *load) check(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	total := 0.0
	for i := range l.w.checks {
		total += l.completed[i]
	}
	var runs map[string]float64
	harness.Eventually(t, "all completed runs are judged", func(ctx context.Context) bool {
		var err error
		runs, err = l.w.metrics(ctx, "sonde_check_runs_total", "result")
		return err == nil && runs["success"] >= total
	})
	for result, n := range runs {
		if want := map[string]float64{"success": total}[result]; n != want {
			t.Errorf("%v runs are counted as %s, want %v", n, result, want)
		}
	}
	counted, err := l.w.metrics(t.Context(), "crash_steps_total", "client")
	if err != nil {
		t.Fatal(err)
	}
	for client, want := range l.steps {
		if counted[client] != want {
			t.Errorf("client %s had %v steps acknowledged, and %v are counted", client, want, counted[client])
		}
	}
	t.Logf("%d reports of %v runs were acknowledged", l.acked.Load(), total)
}
