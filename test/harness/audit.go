package harness

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Request is one request as the API server's audit log has it.
type Request struct {
	UserAgent  string
	Verb       string
	RequestURI string
	ObjectRef  struct{ Resource, Subresource, Namespace, Name, APIGroup string }
}

// Write reports whether the request may change something.
func (r Request) Write() bool {
	switch r.Verb {
	case "create", "update", "patch", "delete", "deletecollection":
		return true
	}
	return false
}

// Lists reports whether the request reads a whole kind: a LIST, or a WATCH that
// begins with all there is.
func (r Request) Lists() bool {
	return r.Verb == "list" || r.Verb == "watch" && strings.Contains(r.RequestURI, "sendInitialEvents=true")
}

// Audit reads the API server's own account of its requests.
type Audit struct {
	path string
	from int64
}

// AuditFromNow returns an account that begins now.
func (c *Cluster) AuditFromNow(t *testing.T) Audit {
	t.Helper()
	path := filepath.Join(c.Dir, "audit.log")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatalf("the API server's audit log: %v", err)
	}
	return Audit{path: path, from: info.Size()}
}

// Requests returns the requests since the beginning whose user agent starts with
// agent and that keep says yes to.
func (a Audit) Requests(t *testing.T, agent string, keep func(Request) bool) []Request {
	t.Helper()
	file, err := os.Open(a.path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Seek(a.from, 0); err != nil {
		t.Fatal(err)
	}
	var out []Request
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r Request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			continue // the last line may be half written
		}
		if strings.HasPrefix(r.UserAgent, agent) && keep(r) {
			out = append(out, r)
		}
	}
	return out
}
