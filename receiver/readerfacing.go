package receiver

import (
	"io"
	"log/slog"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sonde-dev/sonde/receiver/problem"
)

// index is what a person finds who opens the address of the listener.
const index = `Sonde

/metrics  Prometheus exposition
/livez    whether the collector's work goes on
/readyz   whether it is ready to be scraped
`

// ReaderFacing is what the listener for people and scrapers is made of.
type ReaderFacing struct {
	Metrics http.Handler // of /metrics
	Log     *slog.Logger

	// Live and Ready return nil, or why not. They are called by many goroutines at
	// once and never block. Live is derived from the work, not from being asked.
	Live, Ready func() error
}

// Handler returns the handler of the listener for readers.
func (f ReaderFacing) Handler() http.Handler {
	router := newRouter(f.Log, writeProblem)
	read := []string{http.MethodGet, http.MethodHead}
	router.Match(read, "/metrics", gin.WrapH(f.Metrics))
	router.Match(read, "/livez", state(f.Live, problem.NotLive))
	router.Match(read, "/readyz", state(f.Ready, problem.NotReady))
	router.Match(read, "/", func(c *gin.Context) { text(c.Writer, index) })
	return router
}

// state answers ok, or with the problem that ask returns.
func state(ask func() error, kind problem.Kind) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := ask(); err != nil {
			problem.Write(c.Writer, problem.Details{Kind: kind, Detail: err.Error()})
			return
		}
		text(c.Writer, "ok\n")
	}
}

func text(w http.ResponseWriter, s string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, s) // the reader is gone: nobody is left to tell
}
