package receiver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sonde-dev/sonde/receiver/credential"
	"github.com/sonde-dev/sonde/receiver/otlp"
	"github.com/sonde-dev/sonde/receiver/problem"
	"github.com/sonde-dev/sonde/receiver/report"
	"github.com/sonde-dev/sonde/telemetry/result"
)

// fail answers a request whose report was not taken. It is where such an error
// stops: it is counted, logged if a person must act, and told to the sender.
func (h *resultsHandler) fail(c *gin.Context, from sender, err error) {
	d := details(err)
	h.counted.refused(c.Request.Context(), d.Kind)
	logRefusal(h.Log, from, d, err)
	switch d.Kind.Status() {
	case http.StatusUnauthorized:
		askForCredential(c.Writer.Header())
	case http.StatusUnsupportedMediaType:
		c.Writer.Header().Set("Accept", "application/json")
		c.Writer.Header().Set("Accept-Encoding", "gzip, identity")
	}
	problem.Write(c.Writer, d)
}

// askForCredential says in the header of a 401 how to authorise. Some clients send
// the userinfo of an address only when asked for Basic.
func askForCredential(h http.Header) {
	h.Add("WWW-Authenticate", `Bearer realm="sonde"`)
	h.Add("WWW-Authenticate", `Basic realm="sonde"`)
}

// logRefusal logs err, which became d, if a person must act.
func logRefusal(log *slog.Logger, from sender, d problem.Details, err error) {
	switch {
	case d.Kind != problem.Unavailable, errors.Is(err, result.ErrNotWritten):
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded): // of the sender
		log.Debug("sender is gone", "run_id", from.RunID, "check_uid", from.CheckUID)
	default:
		log.Error("report not committed", "err", err, "run_id", from.RunID, "check_uid", from.CheckUID)
	}
}

// summary returns err as one line for the message of a verdict.
func summary(err error) string {
	return oneLine("a report was refused: " + details(err).Summary())
}

// oneLine returns text as it may be a part of a verdict's message.
func oneLine(text string) string {
	return result.Truncate(strings.Join(strings.Fields(text), " "), result.MaxMessageBytes)
}

// details is the one place where an error of a report becomes a status code.
func details(err error) problem.Details {
	if e, ok := errors.AsType[*report.InvalidError](err); ok {
		return problem.Details{Kind: problem.InvalidReport, Detail: e.Error(), Faults: e.Faults}
	}
	if e, ok := errors.AsType[*report.SyntaxError](err); ok {
		return problem.Details{Kind: problem.MalformedJSON, Detail: e.Error()}
	}
	if e, ok := errors.AsType[*otlp.MalformedError](err); ok {
		return problem.Details{Kind: problem.MalformedOTLP, Detail: e.Error()}
	}
	if e, ok := errors.AsType[*tooLargeError](err); ok {
		return problem.Details{Kind: problem.BodyTooLarge, Detail: e.Error()}
	}
	if e, ok := errors.AsType[*tooManyAtOnceError](err); ok {
		return problem.Details{Kind: problem.TooManyAtOnce, Detail: e.Error() + "; send one after the other", RetryAfter: seconds(RetryAfterOverload)}
	}
	for _, r := range refusals() {
		if errors.Is(err, r.of) {
			return r.as
		}
	}
	return problem.Details{
		Kind:       problem.Unavailable,
		Detail:     "the report could not be committed; send it again: it counts once",
		RetryAfter: seconds(RetryAfterOverload),
	}
}

// refusal is what a sender is told of an error.
type refusal struct {
	of error
	as problem.Details
}

func refusals() []refusal {
	const ask = "; the pod's environment has the right one in SONDE_CREDENTIAL"
	busy, full := seconds(RetryAfterOverload), seconds(RetryAfterNoRoom)
	return []refusal{
		{errNoCredential, problem.Details{Kind: problem.MissingCredential, Detail: `send the header "Authorization: Bearer $SONDE_CREDENTIAL"`}},
		{credential.ErrMalformed, problem.Details{Kind: problem.MalformedCredential, Detail: credential.ErrMalformed.Error() + ask}},
		{credential.ErrUnknownKey, problem.Details{Kind: problem.UnknownKey, Detail: credential.ErrUnknownKey.Error() + "; it is of another installation, or older than the last change of keys"}},
		{credential.ErrSignature, problem.Details{Kind: problem.BadSignature, Detail: credential.ErrSignature.Error() + ask}},
		{errForm, problem.Details{Kind: problem.UnsupportedMediaType, Detail: "the body is declared to be a form, as curl does unless told otherwise; add -H 'Content-Type: application/json'"}},
		{errMediaType, problem.Details{Kind: problem.UnsupportedMediaType, Detail: "a report is JSON; send the header \"Content-Type: application/json\""}},
		{errNotOTLP, problem.Details{Kind: problem.UnsupportedMediaType, Detail: "OTLP is application/x-protobuf or application/json, and says so in Content-Type"}},
		{errEncoding, problem.Details{Kind: problem.UnsupportedEncoding, Detail: "send the body as it is, or with gzip"}},
		{otlp.ErrTooManyParts, problem.Details{Kind: problem.BodyTooLarge, Detail: fmt.Sprintf("a request may have %d messages in it, at every depth; send it in several", otlp.MaxParts)}},
		{errGzip, problem.Details{Kind: problem.MalformedEncoding, Detail: "the body is declared to be gzip, and is not, or ends too early"}},
		{errIncomplete, problem.Details{Kind: problem.IncompleteBody, Detail: "the connection ended within the body; send it again"}},
		{errSlow, problem.Details{Kind: problem.SlowBody, Detail: "the body did not arrive within " + ReadTimeout.String()}},
		{result.ErrForeign, problem.Details{Kind: problem.ForeignRun, Detail: result.ErrForeign.Error()}},
		{result.ErrRunOver, problem.Details{Kind: problem.RunOver, Detail: result.ErrRunOver.Error()}},
		{result.ErrNoRoom, problem.Details{Kind: problem.NoRoom, Detail: "there is no room for the report now; send it again later: it counts once", RetryAfter: full}},
		{result.ErrNotWritten, problem.Details{Kind: problem.Unavailable, Detail: "the collector cannot write to its disk now; send the report again later: it counts once", RetryAfter: full}},
		{errOverloaded, problem.Details{Kind: problem.Overloaded, Detail: "the collector is busy; send the report again", RetryAfter: busy}},
	}
}

func seconds(d time.Duration) int { return int(d / time.Second) }
