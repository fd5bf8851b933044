package ledger

import (
	"fmt"
	"strings"
)

// restore reads the snapshot, and applies the entries since.
func (l *Ledger) restore() error {
	for _, part := range []struct {
		bucket string
		read   func(key string, value []byte) error
	}{
		{bucketMeta, l.restoreMeta},
		{bucketChecks, l.restoreCheck},
		{bucketRuns, l.restoreRun},
		{bucketHeld, l.restoreHeld},
	} {
		if err := l.config.Journal.Each(part.bucket, "", part.read); err != nil {
			return err
		}
	}
	n := 0
	err := l.config.Journal.Entries(func(raw []byte) error {
		var e entry
		n++
		if err := l.codec.decode(fmt.Sprintf("entry %d", n), raw, &e); err != nil {
			return err
		}
		l.apply(e)
		return nil
	})
	l.dirty.entries.Store(int64(n))
	l.counters.reset() // they are of this process
	if len(l.checks) > 0 {
		l.config.Log.Info("ledger restored", "checks", len(l.checks), "runs", len(l.runs), "entries_replayed", n)
	}
	return err
}

func (l *Ledger) restoreMeta(_ string, value []byte) error {
	var m meta
	if err := l.codec.decode(bucketMeta, value, &m); err != nil {
		return err
	}
	l.listening = m.Listening
	l.config.Series.RestoreFleet(m.Fleet)
	return nil
}

func (l *Ledger) restoreCheck(uid string, value []byte) error {
	var r checkRecord
	if err := l.codec.decode("check "+uid, value, &r); err != nil {
		return err
	}
	l.keep(&check{Check: r.Check, Since: r.Since, Standing: r.Standing, Past: r.Past, Runs: r.Runs})
	if lost := l.config.Series.Restore(uid, r.Series); lost > 0 {
		l.config.Log.Error("custom series not restored", "check", r.Check.Key.String(), "series", lost)
	}
	return nil
}

func (l *Ledger) restoreRun(id string, value []byte) error {
	var r run
	if err := l.codec.decode("run "+id, value, &r); err != nil {
		return err
	}
	l.runs[id] = &r
	return nil
}

func (l *Ledger) restoreHeld(key string, value []byte) error {
	var h holding
	if err := l.codec.decode("held "+key, value, &h); err != nil {
		return err
	}
	runID, checkUID, _ := strings.Cut(key, "/")
	l.held.restore(heldKey{runID, checkUID}, &h)
	return nil
}
