package ledger_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sonde-dev/sonde/telemetry/journal"
)

// memory is a journal without a disk, which a test can have fail and can read as a
// new process would.
type memory struct {
	mu       sync.Mutex
	entries  [][]byte
	snapshot map[string]map[string][]byte

	full    bool // writes fail
	room    int  // if not zero, so do larger ones
	noFold  bool // only folds fail
	appends int
	folds   int

	held    chan struct{} // closed when appends may go on; nil if they may
	waiting int           // appends that are held
}

var errFull = errors.New("no space left on device")

func newMemory() *memory { return &memory{snapshot: map[string]map[string][]byte{}} }

// hold makes appends wait until release.
func (m *memory) hold() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held = make(chan struct{})
}

func (m *memory) release() {
	m.mu.Lock()
	defer m.mu.Unlock()
	close(m.held)
	m.held = nil
}

// waitFor waits until so many appends are held.
func (m *memory) waitFor(n int) {
	for {
		m.mu.Lock()
		there := m.waiting >= n
		m.mu.Unlock()
		if there {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func (m *memory) wait() {
	m.mu.Lock()
	held := m.held
	m.waiting++
	m.mu.Unlock()
	if held != nil {
		<-held
	}
	m.mu.Lock()
	m.waiting--
	m.mu.Unlock()
}

func (m *memory) Append(entries [][]byte) error {
	m.wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	size := 0
	for _, e := range entries {
		size += len(e)
	}
	if m.full || m.room > 0 && size > m.room {
		return errFull
	}
	m.appends++
	for _, e := range entries {
		m.entries = append(m.entries, slices.Clone(e))
	}
	return nil
}

func (m *memory) Fold(changes []journal.Change) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full || m.noFold {
		return errFull
	}
	m.folds++
	for _, c := range changes {
		if m.snapshot[c.Bucket] == nil {
			m.snapshot[c.Bucket] = map[string][]byte{}
		}
		if c.Value == nil {
			delete(m.snapshot[c.Bucket], c.Key)
			continue
		}
		m.snapshot[c.Bucket][c.Key] = slices.Clone(c.Value)
	}
	m.entries = nil
	return nil
}

func (m *memory) Each(bucket, prefix string, do func(string, []byte) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(m.snapshot[bucket])) {
		if !strings.HasPrefix(key, prefix) {
			continue
		}
		if err := do(key, m.snapshot[bucket][key]); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) Entries(do func([]byte) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.entries {
		if err := do(e); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) Size() (int64, error) { return 0, nil }
