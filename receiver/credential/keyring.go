package credential

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// The files of a keyring, keys of the installation's Secret.
const (
	CurrentFile  = "current"  // what the controller mints with
	PreviousFile = "previous" // optional: what is still accepted while a rotation is under way
)

// Keyring holds the one or two keys that credentials may be signed with. It is
// safe for concurrent use.
type Keyring struct {
	dir  string // "": not from files
	keys atomic.Pointer[[]signer]
}

// signer is a key with its id, which would else be hashed at each request.
type signer struct {
	id  string
	key Key
}

// NewKeyring returns a keyring that accepts current and previous.
func NewKeyring(current Key, previous ...Key) *Keyring {
	r := &Keyring{}
	r.set(current, previous...)
	return r
}

// LoadKeyring returns the keyring of the files in dir: CurrentFile and, if it is
// there, PreviousFile.
func LoadKeyring(dir string) (*Keyring, error) {
	r := &Keyring{dir: dir}
	if err := r.Reload(); err != nil {
		return nil, err
	}
	return r, nil
}

// Reload reads the files again. Where they can't be read it keeps the keys it
// has and returns why. The kubelet swaps all files of a Secret at once, but two
// reads may fall on both sides of that; the next Reload mends it. A keyring that
// is not from files stays as it is.
func (r *Keyring) Reload() error {
	if r.dir == "" {
		return nil
	}
	current, err := readKey(filepath.Join(r.dir, CurrentFile))
	if err != nil {
		return err
	}
	previous, err := readKey(filepath.Join(r.dir, PreviousFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.set(current)
	case err != nil:
		return err
	default:
		r.set(current, previous)
	}
	return nil
}

// Watch reloads every so often until ctx ends, since the kubelet refreshes
// mounted Secrets and tells nobody. It gives what goes wrong to onError.
func (r *Keyring) Watch(ctx context.Context, every time.Duration, onError func(error)) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := r.Reload(); err != nil {
				onError(err)
			}
		}
	}
}

// Verify returns whom credential speaks for, or ErrMalformed, ErrUnknownKey or
// ErrSignature. The time it takes tells nothing about the right signature.
func (r *Keyring) Verify(credential string) (Identity, error) {
	c, err := Parse(credential)
	if err != nil {
		return Identity{}, err
	}
	for _, s := range *r.keys.Load() {
		if s.id != c.keyID {
			continue
		}
		if !hmac.Equal([]byte(s.key.mac(c.claimed.CheckUID)), []byte(c.mac)) {
			return Identity{}, ErrSignature
		}
		return c.claimed, nil
	}
	return Identity{}, ErrUnknownKey
}

func (r *Keyring) set(current Key, previous ...Key) {
	signers := []signer{{current.ID(), current}}
	for _, k := range previous {
		signers = append(signers, signer{k.ID(), k})
	}
	r.keys.Store(&signers)
}

// readKey reads one key, and never more of a file than it takes to see that it
// is too long.
func readKey(path string) (Key, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Key{}, err
	}
	if info.Size() != KeyBytes {
		return Key{}, fmt.Errorf("read %s: a key has %d raw bytes, not %d", path, KeyBytes, info.Size())
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return Key{}, err
	}
	k, err := ParseKey(raw)
	if err != nil {
		return Key{}, fmt.Errorf("read %s: %w", path, err)
	}
	return k, nil
}
