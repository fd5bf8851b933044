// Package receiver is the edge, over HTTP and gRPC: it authenticates, decodes and
// validates what checks send, hands it on, and says why when it does not. It decides
// nothing about a run, keeps nothing, and knows no Kubernetes. gin lives here and
// nowhere else.
package receiver

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/sonde-dev/sonde/receiver/report"
)

// ResultsPath is where checks post their reports.
const ResultsPath = "/v1/results"

// CheckFacing is what the listener for checks is made of.
type CheckFacing struct {
	Keys  Verifier
	Sink  Sink
	Log   *slog.Logger
	Now   func() time.Time
	Meter metric.Meter // for the edge's own health
}

// Handler returns the handler of the listener for checks. ctx is for making it only.
func (f CheckFacing) Handler(ctx context.Context) (http.Handler, error) {
	counted, err := newReportCounter(ctx, f.Meter)
	if err != nil {
		return nil, err
	}
	results := &resultsHandler{CheckFacing: f, counted: counted, admission: newAdmission(MaxInFlight, MaxInFlightOfCheck)}
	router := newRouter(f.Log, writeProblem)
	router.POST(ResultsPath, results.post)
	return router, nil
}

// origin returns where a report comes from that has just been read.
func (f CheckFacing) origin(s sender) report.Origin {
	return report.Origin{Identity: s.Identity, Credential: s.credential, Received: f.Now()}
}
