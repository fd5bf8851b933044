package receiver

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/gin-gonic/gin"

	"github.com/sonde-dev/sonde/receiver/problem"
)

// newRouter returns a gin engine that answers what has no route, and what panics,
// with refuse, and writes nothing of its own accord.
func newRouter(log *slog.Logger, refuse func(*gin.Context, problem.Details)) *gin.Engine {
	gin.SetMode(gin.ReleaseMode) // gin's only switch for its printing is its own, of the process
	router := gin.New()
	router.HandleMethodNotAllowed = true
	router.RedirectTrailingSlash = false // a redirected POST loses its credential in some clients
	router.Use(recovery(log, refuse))
	router.NoRoute(func(c *gin.Context) {
		refuse(c, problem.Details{Kind: problem.NotFound, Detail: "there is nothing at this path"})
	})
	router.NoMethod(func(c *gin.Context) {
		refuse(c, problem.Details{Kind: problem.MethodNotAllowed, Detail: "this path takes " + c.Writer.Header().Get("Allow")})
	})
	return router
}

// faultOfOurs is what a sender is told of a panic.
const faultOfOurs = "a fault of the collector's own; it is in its log"

// writeProblem answers with d as a problem.
func writeProblem(c *gin.Context, d problem.Details) { problem.Write(c.Writer, d) }

// recovery turns a panic, which is a fault of ours, into a log line and a
// problem. net/http's own way of ending a connection goes through.
func recovery(log *slog.Logger, refuse func(*gin.Context, problem.Details)) gin.HandlerFunc {
	return func(c *gin.Context) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
				panic(p)
			}
			log.Error("handler panicked", "panic", fmt.Sprint(p), "path", c.FullPath(), "stack", string(debug.Stack()))
			c.Abort()
			if !c.Writer.Written() {
				refuse(c, problem.Details{Kind: problem.InternalError, Detail: faultOfOurs})
			}
		}()
		c.Next()
	}
}
