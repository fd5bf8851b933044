package export_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sonde-dev/sonde/telemetry/export"
)

func TestFaultsOfHeaders(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"none":                    {"", ""},
		"neither : nor =":         {"Authorization Bearer-s3cret", `line 1: must be "Name: value" or "name=value"`},
		"a name that none has":    {"\nauth orization: s3cret", "line 2: the name of a header has characters that none may have"},
		"no name":                 {": s3cret", "line 1: a header has no name"},
		"a value not of ASCII":    {"authorization: s3crét", "line 1: the value of the header authorization has characters other than printable ASCII"},
		"a tab in a value":        {"Authorization=s3\tcret", "line 1: the value of the header authorization has characters other than printable ASCII"},
		"one of the protocol":     {"Content-Type: s3cret", "line 1: the header content-type belongs to the protocol"},
		"one of gRPC":             {"grpc-timeout: s3cret", "line 1: the header grpc-timeout belongs to the protocol"},
		"a carriage return is no": {"a: 1\r\nb: 2\r\n", ""},
		"too long":                {"a: " + strings.Repeat("x", 20_000), "is longer than 16384 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "headers")
			writeFile(t, file, tc.text)
			want := ""
			if tc.want != "" {
				want = file + ": " + tc.want
			}
			_, err := export.ReadHeaders(file)
			if got := strings.TrimPrefix(fmt.Sprint(err), "<nil>"); got != want {
				t.Errorf("ReadHeaders() = %q, want %q", got, want)
			}
		})
	}
	if _, err := export.ReadHeaders(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("ReadHeaders(a file that is not) = %v", err)
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, to, string(text))
}
