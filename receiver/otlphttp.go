package receiver

import (
	"errors"
	"mime"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/sonde-dev/sonde/receiver/otlp"
	"github.com/sonde-dev/sonde/receiver/problem"
)

// The media types of OTLP.
const (
	mediaProtobuf = "application/x-protobuf"
	mediaJSON     = "application/json"
)

// errNotOTLP is a body that is declared to be something else.
var errNotOTLP = errors.New("the body is declared to be neither protobuf nor JSON")

// router returns the handler of OTLP/HTTP: /v1/metrics, /v1/traces and /v1/logs.
func (e *otlpEdge) router() http.Handler {
	router := newRouter(e.Log, writeStatus)
	for _, s := range otlp.Signals() {
		router.POST("/v1/"+string(s), otlpMethod{e, s}.post)
	}
	return router
}

// post answers a request over HTTP.
func (m otlpMethod) post(c *gin.Context) {
	encoding, err := otlpEncoding(c.Request.Header)
	body, refusal := m.take(c.Request.Context(), export{
		signal: m.signal, encoding: encoding, header: c.Request.Header,
		read: func() ([]byte, error) {
			if err != nil {
				return nil, err
			}
			return readBody(c.Writer, c.Request, MaxOTLPBytes)
		},
	})
	if refusal != nil {
		writeStatus(c, *refusal)
		return
	}
	write(c.Writer, encoding, http.StatusOK, body)
}

// otlpEncoding returns how a request is written, and is answered. Who declares
// neither is a person with curl, and is answered in JSON, with errNotOTLP.
func otlpEncoding(h http.Header) (otlp.Encoding, error) {
	media, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	switch {
	case err == nil && media == mediaProtobuf:
		return otlp.Protobuf, nil
	case err == nil && media == mediaJSON:
		return otlp.JSON, nil
	default:
		return otlp.JSON, errNotOTLP
	}
}

// writeStatus answers with a google.rpc.Status in the encoding of the request.
func writeStatus(c *gin.Context, d problem.Details) {
	code := otlpHTTPStatus(d.Kind)
	h := c.Writer.Header()
	h.Set("Cache-Control", "no-store")
	switch {
	case code == http.StatusUnauthorized:
		askForCredential(h)
	case code == http.StatusUnsupportedMediaType:
		h.Set("Accept", mediaProtobuf+", "+mediaJSON)
		h.Set("Accept-Encoding", "gzip, identity")
	case retryable(d.Kind):
		h.Set("Retry-After", strconv.Itoa(retryAfter(d)))
	}
	encoding, _ := otlpEncoding(c.Request.Header)
	write(c.Writer, encoding, code, encode(rpcStatus(d), encoding))
}

// write answers with a body that is encoded already.
func write(w http.ResponseWriter, encoding otlp.Encoding, code int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", mediaProtobuf)
	if encoding == otlp.JSON {
		h.Set("Content-Type", mediaJSON)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_, _ = w.Write(body) // the sender is gone: the report is committed all the same
}
