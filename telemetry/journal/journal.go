// Package journal is the collector's file: a journal of what came in, synced before
// anybody is told that it was taken, and a snapshot of what it amounted to. It knows
// nothing of what the bytes mean.
//
// The file is one of bbolt, whose transactions are all there or not at all after a
// loss of power. What was appended since the last fold is replayed over the snapshot.
package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// FileName is the name of the file in its folder.
const FileName = "ledger.db"

// lockWait is how long another process may still have the file: a container that is
// being ended has its grace.
const lockWait = 15 * time.Second

// format is the version of the file's layout.
const format = "1"

// The buckets that are not the caller's.
const (
	bucketMeta    = "meta"    // format
	bucketJournal = "journal" // by position, 8 bytes big-endian
)

// Change is one difference between two snapshots.
type Change struct {
	Bucket string
	Key    string
	Value  []byte // nil: the key is gone
}

// Journal is an open file. It is safe for use by many goroutines at once; one at a
// time writes.
type Journal struct {
	path string

	mu   sync.RWMutex // guards all below; readers hold it while they read db
	db   *bolt.DB     // nil after a failed write, until it can be opened again
	next uint64       // position of the next entry

	closed bool // for good
}

// Open opens the file in the folder dir, which must exist, and makes it if it is
// not there. Nobody else may have it open. Of a disk that is full or read-only it takes
// what there is to read.
func Open(dir string) (*Journal, error) {
	j := &Journal{path: filepath.Join(dir, FileName)}
	err := j.open(bolt.Options{})
	if errors.Is(err, syscall.EROFS) {
		err = j.open(bolt.Options{ReadOnly: true})
	}
	if err != nil {
		return nil, err
	}
	return j, nil
}

// open opens the file and finds its end. What is at next or beyond it, if next is
// known, was never acknowledged and is written over.
func (j *Journal) open(options bolt.Options) error {
	options.Timeout, options.FreelistType = lockWait, bolt.FreelistMapType
	db, err := bolt.Open(j.path, 0o600, &options)
	if err != nil {
		return openError(j.path, err)
	}
	last, err := prepare(db)
	if err != nil {
		return errors.Join(openError(j.path, err), db.Close())
	}
	j.db = db
	if j.next == 0 {
		j.next = last + 1
	}
	return nil
}

// prepare returns the position of the last entry of db. It writes only if db is new.
func prepare(db *bolt.DB) (last uint64, err error) {
	isNew := false
	err = db.View(func(tx *bolt.Tx) error {
		if isNew = tx.Bucket([]byte(bucketMeta)) == nil; isNew {
			return nil
		}
		if found := string(tx.Bucket([]byte(bucketMeta)).Get([]byte("format"))); found != format {
			return fmt.Errorf("it has format %s, and this version of Sonde knows format %s", found, format)
		}
		last = tx.Bucket([]byte(bucketJournal)).Sequence()
		return nil
	})
	if err != nil || !isNew {
		return last, err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		meta, err := tx.CreateBucket([]byte(bucketMeta))
		if err != nil {
			return err
		}
		if _, err := tx.CreateBucket([]byte(bucketJournal)); err != nil {
			return err
		}
		return meta.Put([]byte("format"), []byte(format))
	})
	if err != nil {
		return 0, err
	}
	return 0, syncFolder(filepath.Dir(db.Path()))
}

// syncFolder makes sure that a file which was just made is still there after a loss
// of power.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func openError(path string, err error) error {
	if errors.Is(err, bolterrors.ErrTimeout) {
		return fmt.Errorf("open %s: another process has had it open for %s", path, lockWait)
	}
	if errors.Is(err, os.ErrPermission) || errors.Is(err, os.ErrNotExist) {
		return err // it names the file
	}
	return fmt.Errorf("open %s: %w", path, err)
}

// Append writes entries after those that are there and returns once they are
// synced. After an error none of them is there.
func (j *Journal) Append(entries [][]byte) error {
	return j.update(func(tx *bolt.Tx) (uint64, error) {
		b := tx.Bucket([]byte(bucketJournal))
		b.FillPercent = 1 // positions only grow
		next := j.next
		if err := removeFrom(b, next); err != nil {
			return 0, err
		}
		for _, e := range entries {
			if err := b.Put(position(next), e); err != nil {
				return 0, err
			}
			next++
		}
		return next, b.SetSequence(next - 1)
	})
}

// Fold brings the snapshot up to date and empties the journal, in one transaction.
func (j *Journal) Fold(changes []Change) error {
	return j.update(func(tx *bolt.Tx) (uint64, error) {
		for _, c := range changes {
			b, err := tx.CreateBucketIfNotExists([]byte(c.Bucket))
			if err != nil {
				return 0, err
			}
			if c.Value == nil {
				err = b.Delete([]byte(c.Key))
			} else {
				err = b.Put([]byte(c.Key), c.Value)
			}
			if err != nil {
				return 0, err
			}
		}
		return j.next, empty(tx, j.next-1)
	})
}

// empty makes the journal anew, which costs the same however long it was.
func empty(tx *bolt.Tx, last uint64) error {
	if err := tx.DeleteBucket([]byte(bucketJournal)); err != nil {
		return err
	}
	b, err := tx.CreateBucket([]byte(bucketJournal))
	if err != nil {
		return err
	}
	return b.SetSequence(last)
}

// update runs one transaction, which returns the position of the next entry. After
// a failure the file is closed, and opened anew by the next call: what a failed write
// or sync has left in memory is not to be trusted.
func (j *Journal) update(do func(*bolt.Tx) (uint64, error)) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.writable(); err != nil {
		return err
	}
	var next uint64
	err := j.db.Update(func(tx *bolt.Tx) (err error) {
		next, err = do(tx)
		return err
	})
	if err != nil {
		err = errors.Join(fmt.Errorf("write %s: %w", j.path, err), j.db.Close())
		j.db = nil
		return err
	}
	j.next = next
	return nil
}

// writable opens the file for writing, if it is not.
func (j *Journal) writable() error {
	if j.closed {
		return errors.New("the ledger is closed")
	}
	if j.db != nil && j.db.IsReadOnly() {
		err := j.db.Close()
		if j.db = nil; err != nil {
			return err
		}
	}
	if j.db != nil {
		return nil
	}
	if _, err := os.Stat(j.path); err != nil { // a new file would lack what is not in memory
		return err
	}
	return j.open(bolt.Options{})
}

// removeFrom removes the entries from a position on.
func removeFrom(b *bolt.Bucket, from uint64) error {
	c := b.Cursor()
	for k, _ := c.Seek(position(from)); k != nil; k, _ = c.Seek(position(from)) {
		if err := c.Delete(); err != nil {
			return err
		}
	}
	return nil
}

func position(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// errClosed is what a reader gets between a failed write and the next that succeeds.
var errClosed = errors.New("the file could not be written, and is closed until it can")

// Each calls do with the keys that begin with prefix and the values of a bucket of the
// snapshot, in order of the keys, until do returns an error. The bytes are valid
// during the call only.
func (j *Journal) Each(bucket, prefix string, do func(key string, value []byte) error) error {
	return j.view(bucket, func(b *bolt.Bucket) error {
		c := b.Cursor()
		for k, v := c.Seek([]byte(prefix)); k != nil && len(k) >= len(prefix) && string(k[:len(prefix)]) == prefix; k, v = c.Next() {
			if err := do(string(k), v); err != nil {
				return err
			}
		}
		return nil
	})
}

// Entries calls do with what was appended since the last fold, in that order, until do
// returns an error. The bytes are valid during the call only.
func (j *Journal) Entries(do func(entry []byte) error) error {
	return j.view(bucketJournal, func(b *bolt.Bucket) error {
		return b.ForEach(func(_, v []byte) error { return do(v) })
	})
}

func (j *Journal) view(bucket string, do func(*bolt.Bucket) error) error {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if j.db == nil {
		return errClosed
	}
	return j.db.View(func(tx *bolt.Tx) error {
		if b := tx.Bucket([]byte(bucket)); b != nil {
			return do(b)
		}
		return nil
	})
}

// Size returns how many bytes the file has.
func (j *Journal) Size() (int64, error) {
	info, err := os.Stat(j.path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// Close closes the file. The journal is not used again.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.closed = true
	if j.db == nil {
		return nil
	}
	err := j.db.Close()
	j.db = nil
	return err
}
