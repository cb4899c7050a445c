// Package erase keeps a person forgotten.
//
// Erasing is a record of the log like everything that changes a profile: the core
// turns each home of the person into a tombstone and the store deletes what lay
// there. This package is what must outlast that. The [List] names the homes, which
// are keyed hashes and no personal data, outside of any snapshot, so that a
// restored backup forgets them again and the doors drop what is heard of them
// later. [Mentions] finds them in text that nobody could assign to a person.
// [Scan] proves it: it looks for given words in every byte of a data directory, in
// every block unpacked, and must be seen to find them before the erasure.
package erase

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
)

// File is the name of the list in a data directory.
const File = "erasures"

// Entry is one person who asked to be forgotten.
type Entry struct {
	At    event.Time
	Homes []identity.ID // the keyed hashes of all their identifiers
	// Subjects are the keyed hashes of their addresses, by channel, under which the
	// ledger refuses to write to them.
	Subjects [][16]byte
}

// List is who was erased. Its methods may be called from many goroutines; Has
// costs nothing while nobody ever was. The zero List forgets at the end of the
// process.
type List struct {
	homes atomic.Pointer[map[identity.ID]struct{}]

	mu      sync.Mutex
	entries []Entry
	swept   event.Time // entries up to here have left every file
	file    *os.File
}

// Open reads the list at path, or begins it. What a crash left of a last line is
// cut off; a damaged line before it is Corrupt, because a person on it would come
// back unnoticed.
func Open(path string) (*List, error) {
	l := &List{}
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(fault.Unavailable, err, "the list of erasures cannot be read")
	}
	whole := b[:bytes.LastIndexByte(b, '\n')+1]
	if err := l.read(path, whole); err != nil {
		return nil, err
	}
	created := errors.Is(err, fs.ErrNotExist)
	if l.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the list of erasures cannot be opened")
	}
	if err = l.file.Truncate(int64(len(whole))); err == nil {
		_, err = l.file.Seek(0, 2)
	}
	if err == nil && created {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return nil, errors.Join(fault.Wrap(fault.Unavailable, err, "the list of erasures cannot be opened"), l.file.Close())
	}
	return l, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Read returns the entries of the list at path, without keeping it open.
func Read(path string) ([]Entry, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Wrap(fault.NotFound, err, "the list of erasures cannot be read")
	}
	l := &List{}
	if err := l.read(path, b[:bytes.LastIndexByte(b, '\n')+1]); err != nil {
		return nil, err
	}
	return l.entries, nil
}

// Close gives the file back.
func (l *List) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	f := l.file
	l.file = nil
	return f.Close()
}

// Has reports whether the home's person was erased.
func (l *List) Has(id identity.ID) bool {
	homes := l.homes.Load()
	if homes == nil {
		return false
	}
	_, there := (*homes)[id]
	return there
}

// Speaks reports whether an event names somebody who was erased.
func (l *List) Speaks(key identity.Key, e *event.Event) bool {
	if l.homes.Load() == nil {
		return false
	}
	for _, id := range identity.Of(e) {
		if l.Has(key.Home(id)) {
			return true
		}
	}
	return false
}

// Entries returns all entries, the oldest first.
func (l *List) Entries() []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.entries)
}

// Waiting returns when the first was erased whose bytes may still lie in the
// files, and whether there is anybody: everybody since the last Sweep.
func (l *List) Waiting() (since event.Time, wait bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.entries {
		if l.entries[i].At > l.swept {
			return l.entries[i].At, true
		}
	}
	return 0, false
}

// Add puts an entry on the list; it is durable when Add returns. An entry that
// says nothing new is passed over.
func (l *List) Add(e Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.Homes = slices.DeleteFunc(slices.Clone(e.Homes), l.Has)
	if len(e.Homes) == 0 {
		return nil
	}
	if n := len(l.entries); n > 0 {
		e.At = max(e.At, l.entries[n-1].At)
	}
	if err := l.write(e.line()); err != nil {
		return err
	}
	l.keep(e)
	return nil
}

// Sweep notes that everybody who was erased up to the instant has left every file.
func (l *List) Sweep(upTo event.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if upTo <= l.swept {
		return nil
	}
	if err := l.write(checked("swept " + strconv.FormatInt(int64(upTo), 10))); err != nil {
		return err
	}
	l.swept = upTo
	return nil
}

func (l *List) write(line string) error {
	if l.file == nil {
		return nil
	}
	_, err := l.file.WriteString(line)
	return fault.Wrap(fault.Unavailable, errors.Join(err, l.file.Sync()), "the list of erasures cannot be written")
}

// keep takes an entry into memory. The caller holds the lock, or is alone.
func (l *List) keep(e Entry) {
	l.entries = append(l.entries, e)
	next := map[identity.ID]struct{}{}
	if old := l.homes.Load(); old != nil {
		for id := range *old {
			next[id] = struct{}{}
		}
	}
	for _, id := range e.Homes {
		next[id] = struct{}{}
	}
	l.homes.Store(&next)
}

// line is the entry as the file has it: a word, the instant, the homes, the
// subjects, and a checksum.
func (e *Entry) line() string {
	homes, subjects := make([]string, len(e.Homes)), make([]string, len(e.Subjects))
	for i := range e.Homes {
		homes[i] = e.Homes[i].String()
	}
	for i := range e.Subjects {
		subjects[i] = hex.EncodeToString(e.Subjects[i][:])
	}
	return checked("erased " + strconv.FormatInt(int64(e.At), 10) + " " + strings.Join(homes, ",") + " " + strings.Join(subjects, ","))
}

func checked(line string) string {
	return line + fmt.Sprintf(" %08x\n", crc32.ChecksumIEEE([]byte(line)))
}

func (l *List) read(path string, b []byte) error {
	s := bufio.NewScanner(bytes.NewReader(b))
	s.Buffer(nil, len(b)+1)
	for n := 1; s.Scan(); n++ {
		line, _, ok := cutLast(s.Text())
		if !ok || checked(line) != s.Text()+"\n" || !l.take(line) {
			return fault.New(fault.Corrupt, fmt.Sprintf("line %d of %s is damaged: restore the list of erasures from its newest copy, or people who were erased come back", n, path))
		}
	}
	return nil
}

func cutLast(line string) (before, last string, ok bool) {
	i := strings.LastIndexByte(line, ' ')
	if i < 0 {
		return "", "", false
	}
	return line[:i], line[i+1:], true
}

// take reads one line without its checksum.
func (l *List) take(line string) bool {
	f := strings.Split(line, " ")
	if len(f) < 2 {
		return false
	}
	at, err := strconv.ParseInt(f[1], 10, 64)
	if err != nil {
		return false
	}
	if f[0] == "swept" && len(f) == 2 {
		l.swept = event.Time(at)
		return true
	}
	if f[0] != "erased" || len(f) != 4 {
		return false
	}
	e := Entry{At: event.Time(at)}
	for _, text := range strings.Split(f[2], ",") {
		id, err := identity.ParseID(text)
		if err != nil {
			return false
		}
		e.Homes = append(e.Homes, id)
	}
	for _, text := range strings.Split(f[3], ",") {
		if text == "" {
			continue
		}
		id, err := identity.ParseID(text) // the same form
		if err != nil {
			return false
		}
		e.Subjects = append(e.Subjects, id)
	}
	l.keep(e)
	return true
}
