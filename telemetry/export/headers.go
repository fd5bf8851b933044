package export

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/net/http/httpguts"
)

// maxHeadersBytes is the size of a file of headers: servers take 8 to 16 KiB of them.
const maxHeadersBytes = 16 << 10

// Header is one that goes with a push: for grpc, an entry of its metadata.
type Header struct{ Name, Value string }

// Check says what is wrong with h, without its value, which may be a secret.
func (h Header) Check() error {
	name := strings.ToLower(h.Name)
	switch {
	case name == "":
		return errors.New("a header has no name")
	case !httpguts.ValidHeaderFieldName(name):
		// Not quoted: where a line was broken, this is a part of a value.
		return errors.New("the name of a header has characters that none may have")
	case strings.HasPrefix(name, "grpc-") || slices.Contains(ownHeaders(), name):
		return fmt.Errorf("the header %s belongs to the protocol", name)
	case strings.ContainsFunc(h.Value, func(r rune) bool { return r < ' ' || r > '~' }):
		// As gRPC has it; HTTP would take some of these.
		return fmt.Errorf("the value of the header %s has characters other than printable ASCII", name)
	default:
		return nil
	}
}

// ownHeaders are those that exporters and transports set.
func ownHeaders() []string {
	return []string{"connection", "content-encoding", "content-length", "content-type", "host", "te", "trailer", "transfer-encoding", "upgrade"}
}

// ReadHeaders reads a file that has a header on each line, as "Name: value" or as
// "name=value". Values are taken as they are, and are not percent-decoded. Empty lines
// and those that begin with # are passed over. An error says which lines are wrong, and
// nothing of what is on them but the names of headers.
func ReadHeaders(path string) ([]Header, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxHeadersBytes+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxHeadersBytes {
		return nil, fmt.Errorf("%s: is longer than %d bytes", path, maxHeadersBytes)
	}
	var headers []Header
	var faults []string // in one line, as it is logged too
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		h, err := parseHeader(line)
		if err != nil {
			faults = append(faults, fmt.Sprintf("line %d: %v", number, err))
			continue
		}
		headers = append(headers, h)
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("%s: %s", path, strings.Join(faults, "; "))
	}
	return headers, nil
}

// parseHeader reads one line. Neither : nor = may be in a name, so the first of them
// ends it.
func parseHeader(line string) (Header, error) {
	end := strings.IndexAny(line, ":=")
	if end < 0 {
		return Header{}, errors.New(`must be "Name: value" or "name=value"`)
	}
	h := Header{Name: strings.TrimSpace(line[:end]), Value: strings.TrimSpace(line[end+1:])}
	return h, h.Check()
}

// headers are those of a destination, as they are at the time.
type headers struct {
	fixed []Header
	file  string
	last  atomic.Pointer[[]Header] // what read returned last
}

// read is called for each request: a file of some bytes, in memory where it is a
// Secret, costs less than to watch it, and is never out of date.
func (h *headers) read() ([]Header, error) {
	all := h.fixed
	if h.file != "" {
		read, err := ReadHeaders(h.file)
		if err != nil {
			return nil, fmt.Errorf("read headers: %w", err)
		}
		all = slices.Concat(h.fixed, read)
	}
	h.last.Store(&all)
	return all, nil
}

// sent returns the headers of the last request.
func (h *headers) sent() []Header {
	if last := h.last.Load(); last != nil {
		return *last
	}
	return h.fixed
}
