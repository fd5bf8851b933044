package ledger

import (
	"context"
	"sync"

	"github.com/sonde-dev/sonde/telemetry/result"
)

const (
	// maxBatchBytes bounds one transaction, so that the first of many entries does
	// not wait for all: 8 MiB are some 10,000 reports, or two of the largest.
	maxBatchBytes = 8 << 20

	// maxQueueBytes bounds what waits though nobody waits for it. What is waited for
	// is bounded by who waits: the edge lets in so many requests at once.
	maxQueueBytes = 16 << 20
)

// command is an entry on its way to the disk.
type command struct {
	entry entry
	raw   []byte

	done    chan struct{} // closed once the outcome is there
	outcome outcome
}

// queue is the entries that wait to be written, in order.
type queue struct {
	mu      sync.Mutex // guards both
	waiting []*command
	bytes   int
}

func (q *queue) add(c *command) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.push(c)
}

// addIfRoom adds a command that nobody waits for, unless there are too many.
func (q *queue) addIfRoom(c *command) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.bytes+len(c.raw) <= maxQueueBytes {
		q.push(c)
	}
}

// push adds a command. The caller holds mu.
func (q *queue) push(c *command) {
	q.waiting = append(q.waiting, c)
	q.bytes += len(c.raw)
}

// take returns the first commands, up to maxBatchBytes of them and one at least.
func (q *queue) take() []*command {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, size := 0, 0
	for n < len(q.waiting) && (n == 0 || size+len(q.waiting[n].raw) <= maxBatchBytes) {
		size += len(q.waiting[n].raw)
		n++
	}
	batch := q.waiting[:n:n]
	q.waiting = q.waiting[n:]
	q.bytes -= size
	return batch
}

func (q *queue) empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting) == 0
}

// command makes a command of an entry that happens now. What is applied has no
// monotonic clock, as what is replayed has none.
func (l *Ledger) command(e entry) (*command, error) {
	e.At = l.config.Now().Round(0)
	raw, err := l.codec.Marshal(e)
	return &command{entry: e, raw: raw, done: make(chan struct{})}, err
}

// commit has an entry written and applied, and returns what came of it. Whoever
// finds the disk free writes what all others have queued meanwhile, with one sync.
// When ctx ends first, the entry may be applied all the same.
func (l *Ledger) commit(ctx context.Context, e entry) outcome {
	c, err := l.command(e)
	if err != nil {
		return outcome{err: err}
	}
	l.queue.add(c)
	select {
	case <-c.done:
	case l.turn <- struct{}{}:
		l.writeUntil(c)
	case <-ctx.Done():
		return outcome{err: context.Cause(ctx)}
	}
	return c.outcome
}

// writeUntil writes batches until c is among what is done. The caller has the turn,
// which it gives back.
func (l *Ledger) writeUntil(c *command) {
	defer func() { <-l.turn }()
	for {
		select {
		case <-c.done:
			return
		default:
			l.write(l.queue.take())
		}
	}
}

// write writes, syncs and applies a batch. The caller has the turn.
func (l *Ledger) write(batch []*command) {
	raw := make([][]byte, len(batch))
	for i, c := range batch {
		raw[i] = c.raw
	}
	err := l.append(raw)
	l.applyAll(batch, err)
	for _, c := range batch {
		close(c.done)
	}
	clear(batch) // it is part of a larger array
}

// applyAll applies what was written, or notes that it was not.
func (l *Ledger) applyAll(batch []*command, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range batch {
		if err != nil {
			c.outcome.err = result.ErrNotWritten
			continue
		}
		c.outcome = l.apply(c.entry)
	}
}

// append appends to the journal. Once that has failed, nothing is tried until resume
// has found that it works again: each try costs the disk more than a report.
func (l *Ledger) append(raw [][]byte) error {
	if l.isBroken() {
		return result.ErrNotWritten
	}
	err := l.config.Journal.Append(raw)
	l.wrote(err)
	if err != nil {
		l.remember(raw)
	} else {
		l.counters.commits.Add(1)
		l.counters.entries.Add(int64(len(raw)))
		l.dirty.entries.Add(int64(len(raw)))
	}
	return err
}

// remember keeps how large a batch was that failed, so that resume tries one as large:
// on a disk that is nearly full the smallest entries still fit.
func (l *Ledger) remember(raw [][]byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed = 0
	for _, r := range raw {
		l.failed += len(r)
	}
}

// wrote notes how a write went. It logs the first failure, and the first success after
// one.
func (l *Ledger) wrote(err error) {
	l.mu.Lock()
	was := l.broken
	l.broken = err != nil
	l.mu.Unlock()
	switch {
	case err != nil:
		l.counters.failures.Add(1)
		if !was {
			l.config.Log.Error("ledger cannot be written: reports are refused with 503, and no run is decided, until it can", "err", err)
		}
	case was:
		l.config.Log.Info("ledger can be written again")
	}
}

func (l *Ledger) isBroken() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.broken
}

// resume tries to write after a start or a failure. Until now reports were refused,
// so a run that began before and stays silent may have spoken to a closed door.
func (l *Ledger) resume() error {
	l.mu.Lock()
	padding := make([]byte, l.failed)
	l.mu.Unlock()
	c, err := l.command(entry{Resumed: true, Padding: padding})
	if err != nil {
		return err
	}
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	if err := l.config.Journal.Append([][]byte{c.raw}); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed = 0
	l.apply(c.entry)
	return nil
}
