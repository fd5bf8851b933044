package keep

import (
	"os"
	"sync"
)

// journal appends lines to a file, and begins a new one when it is full. A nil
// journal takes everything and writes nothing.
type journal struct {
	path string
	max  int64

	mu      sync.Mutex // guards the rest
	file    *os.File
	written int64
}

// append writes a line. It takes an encoder's two results, and returns its error.
func (j *journal) append(line []byte, err error) error {
	if j == nil || err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.room(); err != nil {
		return err
	}
	n, err := j.file.Write(append(line, '\n'))
	j.written += int64(n)
	return err
}

// room makes sure of an open file that is not full.
func (j *journal) room() error {
	if j.file != nil && j.written < j.max {
		return nil
	}
	if j.file != nil {
		_ = j.file.Close() // each of its writes was checked
		if err := os.Rename(j.path, j.path+".1"); err != nil {
			return err
		}
	}
	var err error
	j.file, err = os.Create(j.path)
	j.written = 0
	return err
}

func (j *journal) close() error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}
