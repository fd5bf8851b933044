package verdict

import "slices"

// Equal reports whether two pictures of a Job say the same. Times are compared as
// moments, whatever their zone.
func (j Job) Equal(other Job) bool {
	return j.Created.Equal(other.Created) && j.Scheduled.Equal(other.Scheduled) && j.Retries == other.Retries &&
		j.Ended.Equal(other.Ended) && j.End == other.End && j.Message == other.Message &&
		slices.EqualFunc(j.Pods, other.Pods, Pod.Equal)
}

// Equal reports whether two pictures of a pod say the same.
func (p Pod) Equal(other Pod) bool {
	started, ended := p.Started.Equal(other.Started), p.Ended.Equal(other.Ended)
	p.Started, p.Ended = other.Started, other.Ended
	return started && ended && p == other
}
