package otlp

import (
	"cmp"
	"fmt"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sonde-dev/sonde/receiver/report"
	"github.com/sonde-dev/sonde/telemetry/result"
)

// FromTraces returns what spans say of a run. The report has no samples.
func FromTraces(traces ptrace.Traces, from report.Origin) Taken {
	d := &decoder{from: from}
	for _, resource := range traces.ResourceSpans().All() {
		d.attributes(resource.Resource().Attributes(), "")
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				d.span(span)
			}
		}
	}
	return d.taken()
}

// FromLogs returns what the resources of log records say of a run. The report has
// no samples.
func FromLogs(logs plog.Logs, from report.Origin) Taken {
	d := &decoder{from: from}
	for _, resource := range logs.ResourceLogs().All() {
		d.attributes(resource.Resource().Attributes(), "")
	}
	return d.taken()
}

// span hears what a span claims. The status Unset, which is what a span has unless
// somebody sets it, says nothing.
func (d *decoder) span(span ptrace.Span) {
	d.attributes(span.Attributes(), span.Status().Message())
	if span.EndTimestamp() == 0 || !d.isRoot(span) {
		return
	}
	switch span.Status().Code() {
	case ptrace.StatusCodeOk:
		d.claim(result.FormSpan, result.ClaimSuccess)
	case ptrace.StatusCodeError:
		d.claim(result.FormSpan, result.ClaimFailure, cmp.Or(
			span.Status().Message(), exception(span),
			fmt.Sprintf("the root span %s ended with status Error", d.quoted(span.Name()))))
	case ptrace.StatusCodeUnset:
	}
}

// isRoot says whether a span is the run's own: it has no parent, or the one that
// TRACEPARENT names, whose trace is the run's id and whose span the last half of it.
func (d *decoder) isRoot(span ptrace.Span) bool {
	if span.ParentSpanID().IsEmpty() {
		return true
	}
	trace := result.TraceID(d.from.Identity.RunID)
	parent := span.ParentSpanID().String()
	return span.TraceID().String() == trace && parent == trace[max(0, len(trace)-len(parent)):]
}

// exception returns the message of the last exception that a span recorded; "" if
// it recorded none.
func exception(span ptrace.Span) string {
	message := ""
	for _, event := range span.Events().All() {
		if event.Name() == "exception" {
			message = cmp.Or(text(event.Attributes(), "exception.message", "exception.type"), message)
		}
	}
	return message
}
