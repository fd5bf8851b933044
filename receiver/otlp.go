package receiver

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/metric"
	"google.golang.org/grpc"

	"github.com/sonde-dev/sonde/receiver/otlp"
	"github.com/sonde-dev/sonde/receiver/problem"
	"github.com/sonde-dev/sonde/receiver/report"
	"github.com/sonde-dev/sonde/telemetry/result"
)

// OTLP is what the two listeners for OpenTelemetry are made of.
type OTLP struct {
	Keys  Verifier
	Sink  Sink
	Log   *slog.Logger
	Now   func() time.Time
	Meter metric.Meter // for the edge's own health
}

// Servers returns the handler of the HTTP port, for Serve, and the server of the gRPC
// port, for ServeGRPC. They share their limits and their counters. ctx is for making
// them only.
func (o OTLP) Servers(ctx context.Context) (http.Handler, *grpc.Server, error) {
	counted, err := newOTLPCounter(ctx, o.Meter)
	if err != nil {
		return nil, nil, err
	}
	edge := &otlpEdge{
		OTLP: o, counted: counted,
		admission: newAdmission(MaxOTLPInFlight, MaxOTLPInFlightOfCheck),
		decoding:  make(chan struct{}, maxDecoding),
	}
	return edge.router(), edge.grpcServer(), nil
}

// otlpEdge is what both transports do the same way.
type otlpEdge struct {
	OTLP
	counted   *otlpCounter
	admission *admission
	decoding  chan struct{} // one for each request that is being decoded
}

// otlpMethod takes the requests of one signal.
type otlpMethod struct {
	*otlpEdge
	signal otlp.Signal
}

// export is one request, of either transport. Nothing of its body is read before its
// sender is known and it is its turn.
type export struct {
	signal   otlp.Signal
	encoding otlp.Encoding
	header   http.Header // of HTTP, or the metadata of gRPC
	read     func() ([]byte, error)
}

// take reads a request, hands on what it says, and returns the body of the answer;
// or why it was refused, which is not nil then. It is where an error stops: it is
// counted, logged if a person must act, and told to the sender.
func (e *otlpEdge) take(ctx context.Context, x export) ([]byte, *problem.Details) {
	from, err := authenticate(e.Keys, x.header)
	if err != nil {
		return nil, e.refuse(ctx, x, from, err)
	}
	leave, err := e.admission.enter(ctx, from.CheckUID)
	if err != nil {
		return nil, e.refuse(ctx, x, from, err)
	}
	defer leave()

	taken, err := e.decode(ctx, x, from)
	if err != nil {
		e.noteRefused(x, from, err)
		return nil, e.refuse(ctx, x, from, err)
	}
	if taken.Misspoken != "" {
		e.Sink.Refused(from.Identity, oneLine("a claim was refused: "+taken.Misspoken))
	}
	receipt, err := e.accept(ctx, taken.Report)
	if err != nil {
		return nil, e.refuse(ctx, x, from, err)
	}
	for _, r := range receipt.Rejected {
		taken.Rejected.Add(1, r.Reason, taken.Report.Samples[r.Index].Name, r.Detail)
	}
	e.counted.taken(ctx, x.signal, receipt.Disposition, taken.Rejected)
	return otlp.Answer(x.signal, x.encoding, taken.Rejected), nil
}

// decode reads the body and makes a report of it, a few at a time.
func (e *otlpEdge) decode(ctx context.Context, x export, from sender) (otlp.Taken, error) {
	raw, err := x.read()
	if err != nil {
		return otlp.Taken{}, err
	}
	turn, cancel := context.WithTimeoutCause(ctx, MaxWait, errOverloaded)
	defer cancel()
	select {
	case e.decoding <- struct{}{}:
		defer func() { <-e.decoding }()
	case <-turn.Done():
		return otlp.Taken{}, context.Cause(turn)
	}
	return otlp.Decode(x.signal, x.encoding, raw, report.Origin{
		Identity: from.Identity, Credential: from.credential, Received: e.Now(),
	})
}

// accept gives the sink its time.
func (e *otlpEdge) accept(ctx context.Context, r result.Report) (result.Receipt, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, AcceptTimeout, errCommitSlow)
	defer cancel()
	return e.Sink.Accept(ctx, r)
}

// refuse counts and logs a refusal, and returns what to tell the sender.
func (e *otlpEdge) refuse(ctx context.Context, x export, from sender, err error) *problem.Details {
	d := details(err)
	e.counted.refused(ctx, x.signal, d.Kind)
	logRefusal(e.Log, from, d, err)
	return &d
}

// noteRefused tells the sink of a request that may have said no, unless its sender
// will try again by itself, as every OTLP exporter does. Logs claim nothing that
// metrics and spans do not: they have only their resource to claim it with.
func (e *otlpEdge) noteRefused(x export, from sender, err error) {
	if x.signal != otlp.Logs && !retryable(details(err).Kind) {
		e.Sink.Refused(from.Identity, summary(err))
	}
}
