package build

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// Progress tells a person what takes long. It may be used by several goroutines.
type Progress struct {
	mu  sync.Mutex // guards out
	out io.Writer
	// beat is the time between signs of life of a step.
	beat time.Duration
}

// NewProgress writes to out, and gives a sign of life of each step every beat.
func NewProgress(out io.Writer, beat time.Duration) *Progress {
	return &Progress{out: out, beat: beat}
}

// Say prints one line.
func (p *Progress) Say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, format+"\n", args...)
}

// Step does one slow thing: it says so before, gives signs of life meanwhile,
// and says how long it took.
func (p *Progress) Step(ctx context.Context, what string, estimate time.Duration, do func(context.Context) error) error {
	p.Say("%s: about %s on 2 cores, once", what, estimate)
	began := time.Now()
	done := make(chan error, 1)
	go func() { done <- do(ctx) }()
	ticker := time.NewTicker(p.beat)
	defer ticker.Stop()
	for {
		select {
		case err := <-done:
			took := time.Since(began).Round(100 * time.Millisecond)
			if err != nil {
				return fmt.Errorf("%s, after %s: %w", what, took, err)
			}
			p.Say("%s: done in %s", what, took)
			return nil
		case <-ticker.C:
			p.Say("%s: still at it after %s", what, time.Since(began).Round(time.Second))
		}
	}
}
