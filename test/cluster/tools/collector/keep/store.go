package keep

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

const (
	// maxMetrics bounds the metrics that are remembered: each run of a check that
	// sends here by itself is a resource of its own, with a few metrics.
	maxMetrics = 10_000
	// maxBatches bounds the batches of spans, and those of logs.
	maxBatches = 1_000
)

// store remembers each metric as it came last, with all its points, by the resource
// and the scope that it came from; and the latest batches of spans and logs.
type store struct {
	now func() time.Time

	mu       sync.Mutex // guards the rest
	received counts
	metrics  map[string]latest
	traces   []ptrace.Traces
	logs     []plog.Logs
}

// counts is how much came since the start.
type counts struct {
	Batches    int `json:"batches"`
	DataPoints int `json:"dataPoints"`
	Spans      int `json:"spans"`
	LogRecords int `json:"logRecords"`
}

// latest is one metric of one scope of one resource, and when it came, by our clock.
type latest struct {
	metric   pmetric.ResourceMetrics
	received time.Time
}

func newStore(now func() time.Time) *store {
	return &store{now: now, metrics: map[string]latest{}}
}

// addMetrics copies what it keeps: the batch belongs to other exporters too.
func (s *store) addMetrics(batch pmetric.Metrics) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received.Batches++
	s.received.DataPoints += batch.DataPointCount()
	now := s.now()
	for _, resource := range batch.ResourceMetrics().All() {
		of := identity(resource.Resource().Attributes())
		for _, scope := range resource.ScopeMetrics().All() {
			for _, metric := range scope.Metrics().All() {
				one := pmetric.NewResourceMetrics()
				resource.Resource().CopyTo(one.Resource())
				into := one.ScopeMetrics().AppendEmpty()
				scope.Scope().CopyTo(into.Scope())
				metric.CopyTo(into.Metrics().AppendEmpty())
				s.metrics[strings.Join([]string{of, scope.Scope().Name(), metric.Name()}, "\x00")] = latest{one, now}
			}
		}
	}
	s.forgetOldest()
}

// identity is the same text for the same attributes.
func identity(attributes pcommon.Map) string {
	text, err := json.Marshal(attributes.AsRaw()) // with sorted keys
	if err != nil {
		return err.Error() // a NaN, of which a resource has no use
	}
	return string(text)
}

// forgetOldest makes room down to nine tenths, so that it has not to be made for
// each metric that comes.
func (s *store) forgetOldest() {
	if len(s.metrics) <= maxMetrics {
		return
	}
	byAge := slices.SortedFunc(maps.Keys(s.metrics), func(a, b string) int {
		return s.metrics[a].received.Compare(s.metrics[b].received)
	})
	for _, key := range byAge[:len(byAge)-maxMetrics*9/10] {
		delete(s.metrics, key)
	}
}

func (s *store) addTraces(batch ptrace.Traces) {
	mine := ptrace.NewTraces()
	batch.CopyTo(mine)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received.Batches++
	s.received.Spans += batch.SpanCount()
	s.traces = append(s.traces, mine)
	s.traces = s.traces[max(0, len(s.traces)-maxBatches):]
}

func (s *store) addLogs(batch plog.Logs) {
	mine := plog.NewLogs()
	batch.CopyTo(mine)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received.Batches++
	s.received.LogRecords += batch.LogRecordCount()
	s.logs = append(s.logs, mine)
	s.logs = s.logs[max(0, len(s.logs)-maxBatches):]
}

// handler answers with OTLP JSON under the paths that OTLP is sent to, and with the
// counts under /.
func (s *store) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		received := s.received
		s.mu.Unlock()
		body, err := json.Marshal(received)
		answer(w, body, err)
	})
	mux.HandleFunc("GET /v1/metrics", func(w http.ResponseWriter, r *http.Request) {
		within, err := time.ParseDuration(r.FormValue("within"))
		if err != nil && r.FormValue("within") != "" {
			http.Error(w, "within: "+err.Error(), http.StatusBadRequest)
			return
		}
		body, err := (&pmetric.JSONMarshaler{}).MarshalMetrics(s.allMetrics(within))
		answer(w, body, err)
	})
	mux.HandleFunc("GET /v1/traces", func(w http.ResponseWriter, _ *http.Request) {
		body, err := (&ptrace.JSONMarshaler{}).MarshalTraces(s.allTraces())
		answer(w, body, err)
	})
	mux.HandleFunc("GET /v1/logs", func(w http.ResponseWriter, _ *http.Request) {
		body, err := (&plog.JSONMarshaler{}).MarshalLogs(s.allLogs())
		answer(w, body, err)
	})
	return mux
}

func answer(w http.ResponseWriter, body []byte, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n')) // the asker may have gone
}

// allMetrics returns the metrics that came within the last so long; 0 is ever.
func (s *store) allMetrics(within time.Duration) pmetric.Metrics {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := pmetric.NewMetrics()
	for _, key := range slices.Sorted(maps.Keys(s.metrics)) {
		if m := s.metrics[key]; within == 0 || s.now().Sub(m.received) <= within {
			m.metric.CopyTo(all.ResourceMetrics().AppendEmpty())
		}
	}
	return all
}

func (s *store) allTraces() ptrace.Traces {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := ptrace.NewTraces()
	for _, batch := range s.traces {
		for _, one := range batch.ResourceSpans().All() {
			one.CopyTo(all.ResourceSpans().AppendEmpty())
		}
	}
	return all
}

func (s *store) allLogs() plog.Logs {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := plog.NewLogs()
	for _, batch := range s.logs {
		for _, one := range batch.ResourceLogs().All() {
			one.CopyTo(all.ResourceLogs().AppendEmpty())
		}
	}
	return all
}
