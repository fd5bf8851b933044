package credential_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sonde-dev/sonde/receiver/credential"
)

// write puts a key file of n times b into dir.
func write(t *testing.T, dir, name string, b byte, n int) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), bytes.Repeat([]byte{b}, n), 0o600); err != nil {
		t.Fatal(err)
	}
}

// accepts says whether ring takes what the key of 32 times b has signed.
func accepts(t *testing.T, ring *credential.Keyring, b byte) bool {
	t.Helper()
	_, err := ring.Verify(credential.Compose(run, credential.Token(key(t, b), check)))
	return err == nil
}

func TestKeyringFollowsItsFiles(t *testing.T) {
	dir := t.TempDir()
	if _, err := credential.LoadKeyring(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("LoadKeyring() of an empty directory: %v", err)
	}

	write(t, dir, credential.CurrentFile, 1, credential.KeyBytes)
	ring, err := credential.LoadKeyring(dir)
	if err != nil || !accepts(t, ring, 1) || accepts(t, ring, 2) {
		t.Fatalf("one key: %v", err)
	}

	write(t, dir, credential.PreviousFile, 1, credential.KeyBytes)
	write(t, dir, credential.CurrentFile, 2, credential.KeyBytes)
	if err := ring.Reload(); err != nil || !accepts(t, ring, 1) || !accepts(t, ring, 2) {
		t.Fatalf("during a rotation both keys are good: %v", err)
	}

	write(t, dir, credential.CurrentFile, 3, credential.KeyBytes+1)
	if err := ring.Reload(); err == nil || !accepts(t, ring, 1) || !accepts(t, ring, 2) {
		t.Fatalf("a bad file leaves the keys as they are: %v", err)
	}

	write(t, dir, credential.CurrentFile, 2, credential.KeyBytes)
	if err := os.Remove(filepath.Join(dir, credential.PreviousFile)); err != nil {
		t.Fatal(err)
	}
	if err := ring.Reload(); err != nil || accepts(t, ring, 1) || !accepts(t, ring, 2) {
		t.Fatalf("after the rotation the old key is gone: %v", err)
	}
}

func TestWatchReloadsUntilItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		write(t, dir, credential.CurrentFile, 1, credential.KeyBytes)
		ring, err := credential.LoadKeyring(dir)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var failed []error
		go ring.Watch(ctx, time.Minute, func(err error) { failed = append(failed, err) })

		write(t, dir, credential.CurrentFile, 2, credential.KeyBytes)
		time.Sleep(time.Minute)
		synctest.Wait()
		if !accepts(t, ring, 2) || accepts(t, ring, 1) {
			t.Error("after a minute the new key is not in use")
		}

		write(t, dir, credential.CurrentFile, 2, 5)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if len(failed) != 2 || !accepts(t, ring, 2) {
			t.Errorf("two failed reloads gave %v", failed)
		}
		cancel()
		synctest.Wait()
	})
}
