package journal_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"

	"github.com/sonde-dev/sonde/telemetry/journal"
)

func open(t *testing.T, dir string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func add(t *testing.T, j *journal.Journal, entries ...string) {
	t.Helper()
	var raw [][]byte
	for _, e := range entries {
		raw = append(raw, []byte(e))
	}
	if err := j.Append(raw); err != nil {
		t.Fatal(err)
	}
}

func entries(t *testing.T, j *journal.Journal) []string {
	t.Helper()
	var got []string
	err := j.Entries(func(e []byte) error {
		got = append(got, string(e))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func bucket(t *testing.T, j *journal.Journal, name, prefix string) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := j.Each(name, prefix, func(k string, v []byte) error {
		got[k] = string(v)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func reopen(t *testing.T, j *journal.Journal, dir string) *journal.Journal {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, dir)
}

func TestWhatWasAppendedIsThereInOrder(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	var want []string
	for i := range 300 { // more than one byte counts
		e := fmt.Sprint("entry ", i)
		want = append(want, e)
		add(t, j, e)
	}
	if diff := cmp.Diff(want, entries(t, reopen(t, j, dir))); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestAFoldTakesThePlaceOfTheEntries(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	add(t, j, "a", "b")
	fold := func(changes ...journal.Change) {
		t.Helper()
		if err := j.Fold(changes); err != nil {
			t.Fatal(err)
		}
	}
	fold(journal.Change{Bucket: "x", Key: "1", Value: []byte("one")}, journal.Change{Bucket: "x", Key: "2", Value: []byte("two")})
	add(t, j, "c")
	fold(journal.Change{Bucket: "x", Key: "1"}, journal.Change{Bucket: "x", Key: "never was"}, journal.Change{Bucket: "y", Key: "1", Value: []byte("uno")})
	add(t, j, "d", "e")

	j = reopen(t, j, dir)
	add(t, j, "f")
	if diff := cmp.Diff([]string{"d", "e", "f"}, entries(t, j)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"2": "two"}, bucket(t, j, "x", "")); diff != "" {
		t.Errorf("bucket x (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{}, bucket(t, j, "y", "2")); diff != "" {
		t.Errorf("bucket y from 2 (-want +got):\n%s", diff)
	}
}

func TestPrefixesAreNotConfused(t *testing.T) {
	j := open(t, t.TempDir())
	var changes []journal.Change
	for _, key := range []string{"a/1", "a/2", "ab/1", "b/1"} {
		changes = append(changes, journal.Change{Bucket: "x", Key: key, Value: []byte("v")})
	}
	if err := j.Fold(changes); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a/1": "v", "a/2": "v"}, bucket(t, j, "x", "a/")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(bucket(t, j, "no such bucket", "")) != 0 {
		t.Error("a bucket that is not there has keys")
	}
}

func TestAFailedChangeLeavesAllAsItWas(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	add(t, j, "a")
	bad := []journal.Change{{Bucket: "x", Key: "good", Value: []byte("v")}, {Bucket: "x", Key: strings.Repeat("k", bolt.MaxKeySize+1), Value: []byte("v")}}
	if err := j.Fold(bad); err == nil {
		t.Fatal("a key that is too long was taken")
	}
	if err := j.Entries(func([]byte) error { return nil }); err == nil {
		t.Error("what a failed write has left is read")
	}
	add(t, j, "b") // it is opened again
	if diff := cmp.Diff([]string{"a", "b"}, entries(t, j)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if n := len(bucket(t, j, "x", "")); n != 0 {
		t.Errorf("%d changes of a failed fold are there", n)
	}
}

// TestAnUnacknowledgedEntryIsWrittenOver plays a failure that came after the write: what
// the caller was told is not there, is not there.
func TestAnUnacknowledgedEntryIsWrittenOver(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	add(t, j, "a")
	if err := j.Fold([]journal.Change{{Bucket: "x", Key: strings.Repeat("k", bolt.MaxKeySize+1), Value: []byte("v")}}); err == nil {
		t.Fatal("a key that is too long was taken")
	}
	// The file is closed now. Another hand puts into it what the failed write might
	// have.
	other := open(t, dir)
	add(t, other, "limbo 1", "limbo 2")
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	add(t, j, "b")
	if diff := cmp.Diff([]string{"a", "b"}, entries(t, j)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Run("no folder", func(t *testing.T) {
		_, err := journal.Open(filepath.Join(t.TempDir(), "none"))
		if !errors.Is(err, os.ErrNotExist) {
			t.Errorf("Open() = %v", err)
		}
	})
	t.Run("not a ledger", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, journal.FileName), []byte(strings.Repeat("x", 100_000)), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := journal.Open(dir)
		if err == nil || !strings.Contains(err.Error(), journal.FileName) {
			t.Errorf("Open() = %v, want it to name the file", err)
		}
	})
	t.Run("of a later version", func(t *testing.T) {
		dir := t.TempDir()
		j := open(t, dir)
		if err := j.Fold([]journal.Change{{Bucket: "meta", Key: "format", Value: []byte("7")}}); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		_, err := journal.Open(dir)
		if err == nil || !strings.Contains(err.Error(), "format 7") {
			t.Errorf("Open() = %v, want it to name the format", err)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint("batch=", n), func(b *testing.B) {
			j, err := journal.Open(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			defer j.Close()
			batch := make([][]byte, n)
			for i := range batch {
				batch[i] = []byte(strings.Repeat("x", 600))
			}
			for b.Loop() {
				if err := j.Append(batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
