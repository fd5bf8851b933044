package receiver

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sonde-dev/sonde/receiver/report"
	"github.com/sonde-dev/sonde/telemetry/result"
)

// resultsHandler answers ResultsPath.
type resultsHandler struct {
	CheckFacing
	counted   *reportCounter
	admission *admission
}

func (h *resultsHandler) post(c *gin.Context) {
	from, err := authenticate(h.Keys, c.Request.Header)
	if err != nil {
		h.fail(c, from, err)
		return
	}
	receipt, err := h.take(c, from)
	if err != nil {
		h.fail(c, from, err)
		return
	}
	h.counted.taken(c.Request.Context(), receipt.Disposition)
	answer(c.Writer, from.RunID, receipt)
}

// take reads the report, when it is its turn, and hands it on.
func (h *resultsHandler) take(c *gin.Context, from sender) (result.Receipt, error) {
	leave, err := h.admission.enter(c.Request.Context(), from.CheckUID)
	if err != nil {
		h.Sink.Refused(from.Identity, summary(err)) // it may have said no
		return result.Receipt{}, err
	}
	defer leave()

	r, err := h.read(c.Writer, c.Request, from)
	if err != nil {
		h.Sink.Refused(from.Identity, summary(err))
		return result.Receipt{}, err
	}
	ctx, cancel := context.WithTimeoutCause(c.Request.Context(), AcceptTimeout, errCommitSlow)
	defer cancel()
	return h.Sink.Accept(ctx, r)
}

// read returns the report in the body of a request.
func (h *resultsHandler) read(w http.ResponseWriter, r *http.Request, from sender) (result.Report, error) {
	if err := checkMediaType(r.Header); err != nil {
		return result.Report{}, err
	}
	raw, err := readBody(w, r, MaxBodyBytes)
	if err != nil {
		return result.Report{}, err
	}
	return report.Parse(raw, h.origin(from))
}
