package receiver

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
)

// What is wrong with a body before anybody looks into it.
var (
	errForm       = errors.New("the body is declared to be a form")
	errMediaType  = errors.New("the body is not declared to be JSON")
	errEncoding   = errors.New("the content encoding is neither identity nor gzip")
	errGzip       = errors.New("the body is not gzip")
	errSlow       = errors.New("the body did not arrive in time")
	errIncomplete = errors.New("the connection ended within the body")
)

// tooLargeError is a body of more than limit bytes, as sent or when decompressed.
type tooLargeError struct{ limit int }

// Error names the limit.
func (e *tooLargeError) Error() string {
	return fmt.Sprintf("a body may have %d bytes, before and after decompression", e.limit)
}

// checkMediaType takes JSON of any flavour, and a body that says nothing of
// itself.
func checkMediaType(h http.Header) error {
	declared := h.Get("Content-Type")
	if declared == "" {
		return nil
	}
	media, _, err := mime.ParseMediaType(declared)
	switch {
	case err != nil:
		return errMediaType
	case media == "application/json" || strings.HasSuffix(media, "+json"):
		return nil
	case media == "application/x-www-form-urlencoded":
		return errForm
	default:
		return errMediaType
	}
}

// readBody reads the whole body of r, decompressed, and never more than limit bytes
// of it before and after decompression.
func readBody(w http.ResponseWriter, r *http.Request, limit int) ([]byte, error) {
	if r.ContentLength > int64(limit) {
		return nil, &tooLargeError{limit} // before 100 Continue asks for it
	}
	body := http.MaxBytesReader(w, r.Body, int64(limit))
	switch strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))) {
	case "", "identity":
		raw, err := readUpTo(body, r.ContentLength)
		return raw, bodyError(err, errIncomplete)
	case "gzip", "x-gzip":
		sent := &source{Reader: body}
		raw, err := gunzip(sent, limit)
		if sent.err != nil { // what gzip makes of half a body says nothing
			return raw, bodyError(sent.err, errIncomplete)
		}
		return raw, bodyError(err, errGzip)
	default:
		return nil, errEncoding
	}
}

// source is a reader that remembers why it could not be read to its end.
type source struct {
	io.Reader
	err error
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

func gunzip(body io.Reader, limit int) ([]byte, error) {
	z, err := gzip.NewReader(body)
	if err != nil {
		return nil, err
	}
	raw, err := readUpTo(io.LimitReader(z, int64(limit)+1), 0)
	if len(raw) > limit {
		return nil, &tooLargeError{limit}
	}
	return raw, err
}

// readUpTo reads all of r, of which size bytes are announced; size is believed
// for the first 64 KiB, and -1 is unknown.
func readUpTo(r io.Reader, size int64) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(min(max(size, 0), 64<<10)) + bytes.MinRead)
	_, err := b.ReadFrom(r)
	return b.Bytes(), err
}

// bodyError says what it means that a body could not be read; otherwise is what
// it means if it is neither its size nor its slowness.
func bodyError(err, otherwise error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*tooLargeError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &tooLargeError{int(e.Limit)}
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return errSlow
	}
	return fmt.Errorf("%w: %w", otherwise, err)
}
