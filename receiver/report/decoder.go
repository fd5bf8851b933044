package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sonde-dev/sonde/receiver/credential"
)

// decoder reads values of the kinds that a report has, and collects what is
// wrong where. After a fault it steps over the value and goes on.
type decoder struct {
	cursor
	faults     faults
	credential string // taken out of everything that is read
	path       []step // of the value that is read now
}

// step is one step of a path: a name, as sent, or an index.
type step struct {
	name  []byte // nil: index
	index int
}

// object reads an object of known fields; read is called before the value of
// each and must read it. Null stands for a field that is left out.
func (d *decoder) object(fields []string, read func(field string)) {
	if !d.expect(kindObject) {
		return
	}
	seen := make([]bool, len(fields))
	for name := range d.members() {
		d.path = append(d.path, step{name: name})
		i := slices.IndexFunc(fields, func(f string) bool { return f == string(name) })
		switch {
		case i < 0:
			d.unknown(string(name), fields)
			d.skip()
		case seen[i]:
			d.fault("is written twice")
			d.skip()
		case d.kind() == kindNull:
			d.skip()
		default:
			read(fields[i])
		}
		if i >= 0 {
			seen[i] = true
		}
		d.path = d.path[:len(d.path)-1]
	}
}

// unknown refuses a field, and says which one it may have been meant to be.
func (d *decoder) unknown(name string, fields []string) {
	if d.faults.full() {
		d.faults.total++
		return
	}
	if meant := nearest(name, fields); meant != "" {
		d.fault("is not a field of a report; did you mean %q?", meant)
		return
	}
	d.fault("is not a field of a report; the fields here are %s", strings.Join(fields, ", "))
}

// array reads an array; read is called before each element and must read it.
func (d *decoder) array(read func(i int)) {
	if !d.expect(kindArray) {
		return
	}
	for i := range d.items() {
		d.path = append(d.path, step{index: i})
		read(i)
		d.path = d.path[:len(d.path)-1]
	}
}

// str reads a string, or returns "" after a fault.
func (d *decoder) str() string {
	if !d.expect(kindString) {
		return ""
	}
	return credential.Redact(string(d.text()), d.credential)
}

// boolean reads true or false, or returns nil after a fault.
func (d *decoder) boolean() *bool {
	if !d.expect(kindBool) {
		return nil
	}
	return new(d.literal()[0] == 't')
}

// number reads a finite number, or returns 0 after a fault.
func (d *decoder) number() float64 {
	if !d.expect(kindNumber) {
		return 0
	}
	v, err := strconv.ParseFloat(string(d.literal()), 64)
	if err != nil {
		d.fault("is too large for a double")
		return 0
	}
	return v
}

// expect says whether the next value is of kind k. If not, it is stepped over
// and a fault.
func (d *decoder) expect(k kind) bool {
	is := d.kind()
	if is == k {
		return true
	}
	d.fault("must be %s, not %s", k, is)
	d.skip()
	return false
}

// fault says what is wrong with the value that is read now.
func (d *decoder) fault(format string, args ...any) {
	if d.faults.full() {
		d.faults.total++
		return
	}
	d.faults.add(d.pointer(), fmt.Sprintf(format, args...))
}

// pointer returns the path as a JSON pointer.
func (d *decoder) pointer() string {
	var b strings.Builder
	for _, s := range d.path {
		b.WriteByte('/')
		if s.name == nil {
			b.WriteString(strconv.Itoa(s.index))
			continue
		}
		b.WriteString(escape(clip(credential.Redact(string(s.name), d.credential))))
	}
	return b.String()
}
