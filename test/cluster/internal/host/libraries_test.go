package host

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLibrariesOf(t *testing.T) {
	got, err := librariesOf(`	linux-vdso.so.1 (0x00007f9610baa000)
	libstdc++.so.6 => /lib/x86_64-linux-gnu/libstdc++.so.6 (0x00007f9610800000)
	libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f961061e000)
	/lib64/ld-linux-x86-64.so.2 (0x00007f9610bac000)
`)
	want := []string{"/lib/x86_64-linux-gnu/libstdc++.so.6", "/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if _, err := librariesOf("\tlibatomic.so.1 => not found\n"); err == nil || !strings.Contains(err.Error(), "libatomic.so.1") {
		t.Errorf("a library that is missing: %v", err)
	}
}
