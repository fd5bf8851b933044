package report

import (
	"math"
	"strconv"
	"time"
)

// duration reads a number of seconds, or a Go duration in a string.
func (d *decoder) duration() time.Duration {
	is := d.kind()
	if is == kindNumber {
		return d.bounded(d.number())
	}
	if is != kindString {
		d.fault(`must be a number of seconds or a Go duration such as "1.5s", not %s`, is)
		d.skip()
		return 0
	}
	text := d.str()
	v, err := time.ParseDuration(text)
	if err != nil {
		d.fault(`must be a number of seconds or a Go duration such as "1.5s", not %q`, clip(text))
		return 0
	}
	return d.bounded(v.Seconds())
}

// bounded returns seconds as a duration, to the nanosecond below 100 days and as
// near as a double comes beyond.
func (d *decoder) bounded(seconds float64) time.Duration {
	if seconds < 0 || seconds > MaxDuration.Seconds() {
		d.fault("must be from 0 to %.0f seconds, not %s", MaxDuration.Seconds(), clip(strconv.FormatFloat(seconds, 'f', -1, 64)))
		return 0
	}
	return time.Duration(math.Round(seconds * float64(time.Second)))
}
