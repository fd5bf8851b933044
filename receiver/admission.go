package receiver

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

var (
	errOverloaded = errors.New("too many requests are in flight")
	errCommitSlow = errors.New("the disk has not taken the report in time")
)

// tooManyAtOnceError is that one check has its share of requests in flight.
type tooManyAtOnceError struct{ share int }

// Error names the share.
func (e *tooManyAtOnceError) Error() string {
	return fmt.Sprintf("this check has %d requests in flight already", e.share)
}

// admission bounds what is in flight, in all and of each check. It is safe for
// concurrent use.
type admission struct {
	slots    chan struct{}
	perCheck int

	mu      sync.Mutex // guards byCheck
	byCheck map[string]int
}

func newAdmission(total, perCheck int) *admission {
	return &admission{slots: make(chan struct{}, total), perCheck: perCheck, byCheck: map[string]int{}}
}

// enter waits for a turn, for at most MaxWait. The caller must call leave when
// it is done.
func (a *admission) enter(ctx context.Context, check string) (leave func(), err error) {
	if !a.add(check) {
		return nil, &tooManyAtOnceError{a.perCheck}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, MaxWait, errOverloaded)
	defer cancel()
	select {
	case a.slots <- struct{}{}:
		return func() { <-a.slots; a.remove(check) }, nil
	case <-ctx.Done():
		a.remove(check)
		return nil, context.Cause(ctx)
	}
}

// add counts one more of check, unless it has its share already.
func (a *admission) add(check string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.byCheck[check] >= a.perCheck {
		return false
	}
	a.byCheck[check]++
	return true
}

func (a *admission) remove(check string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.byCheck[check]--
	if a.byCheck[check] == 0 {
		delete(a.byCheck, check)
	}
}
