package ledger

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// MaxHistory is how many finished runs of a check are kept: eight hours of one that
// runs every five minutes, in 30 KB as a rule.
const MaxHistory = 100

// record adds a finished run to the history of its check.
func (l *Ledger) record(c *check, done result.Run) {
	c.Runs++
	l.dirty.history[historyKey(c.UID, c.Runs)] = &done
	if c.Runs > MaxHistory {
		l.dirty.history[historyKey(c.UID, c.Runs-MaxHistory)] = nil
	}
	l.dirty.checks[c.UID] = true
}

// historyKey is that of the n-th run of a check, from 1. Keys are in order of n.
func historyKey(checkUID string, n uint64) string { return fmt.Sprintf("%s/%016x", checkUID, n) }

// History returns the last finished runs of a check, the newest first; none if it is
// not known. It reads the disk.
func (l *Ledger) History(checkUID string) ([]result.Run, error) {
	l.turn <- struct{}{} // or a fold would come between the two
	defer func() { <-l.turn }()
	prefix := checkUID + "/"
	runs := map[string]result.Run{}
	err := l.config.Journal.Each(bucketHistory, prefix, func(key string, value []byte) error {
		var done result.Run
		err := l.codec.decode("history "+key, value, &done)
		runs[key] = done
		return err
	})
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	for key, done := range l.dirty.history {
		switch {
		case !strings.HasPrefix(key, prefix):
		case done == nil:
			delete(runs, key)
		default:
			runs[key] = *done
		}
	}
	l.mu.Unlock()
	var out []result.Run
	for _, key := range slices.Backward(slices.Sorted(maps.Keys(runs))) {
		out = append(out, runs[key])
	}
	return out, nil
}
