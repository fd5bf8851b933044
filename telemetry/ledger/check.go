package ledger

import (
	"slices"
	"time"

	"github.com/sonde-dev/sonde/telemetry/series"
)

// knows reports whether c is as it was put last.
func (l *Ledger) knows(c Check) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	k, ok := l.checks[c.UID]
	return ok && k.Key == c.Key && k.Terms == c.Terms && k.MaxSeries == c.MaxSeries &&
		slices.Equal(k.Labels, c.Labels) && slices.Equal(k.Info, c.Info)
}

func (l *Ledger) putCheck(c Check, now time.Time) {
	if old, ok := l.byKey[c.Key]; ok && old.UID != c.UID {
		l.remove(old)
	}
	known, ok := l.checks[c.UID]
	if !ok {
		known = &check{Since: now}
	}
	known.Check = c
	l.keep(known)
	l.dirty.checks[c.UID] = true
}

// keep makes c known to ledger and series.
func (l *Ledger) keep(c *check) {
	l.checks[c.UID], l.byKey[c.Key] = c, c
	l.config.Series.PutCheck(series.Check{
		UID: c.UID, Key: c.Key, Labels: c.Labels, Info: c.Info, MaxSeries: c.MaxSeries, Since: c.Since,
	})
}

// remove forgets c with its runs and its history.
func (l *Ledger) remove(c *check) {
	delete(l.checks, c.UID)
	delete(l.byKey, c.Key)
	l.dirty.checks[c.UID] = true
	for id, r := range l.runs {
		if r.CheckUID == c.UID {
			l.forget(id)
		}
	}
	for n := range min(c.Runs, MaxHistory) {
		l.dirty.history[historyKey(c.UID, c.Runs-n)] = nil
	}
	l.config.Series.DeleteCheck(c.UID)
}

// forget forgets a run.
func (l *Ledger) forget(id string) {
	delete(l.runs, id)
	l.dirty.runs[id] = true
}
