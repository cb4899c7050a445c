// Package drafts keeps what people are writing and have not put in force: a segment, a
// journey, a template, each of one person.
//
// A draft belongs to who writes it, not to a browser: the next browser in which they sign
// in finds it. What is in it only the page that wrote it understands; here it is a text
// with a bound. Each version has a number that no other has, and who keeps the next one
// says which it was made from: two browsers of one person do not overwrite each other
// unseen. Drafts are small, few and worth little beside definitions, so each is a file.
package drafts

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"rapport/internal/durable"
	"rapport/internal/fault"
)

const (
	// MaxBody bounds one draft: the files of a template, twice over.
	MaxBody = 512 << 10
	// maxEach bounds the drafts of one person.
	maxEach = 100
	// maxFile bounds what is read of a file: JSON writes some letters as six.
	maxFile = 8 * MaxBody
	ending  = ".json"
)

// Kinds are what can be drafted.
var Kinds = []string{"segment", "journey", "template"}

// Draft is one version of what somebody writes.
type Draft struct {
	Kind    string    `json:"kind" enum:"segment,journey,template"`
	Name    string    `json:"name" doc:"Of what it changes; empty: of something new that has none yet."`
	Version string    `json:"version" doc:"Names what was kept: the next one says from which it was made."`
	At      time.Time `json:"at"`
	Body    string    `json:"body,omitempty" doc:"As the page that wrote it understands it; left out of a list."`
}

// Shelf is the drafts of everybody. It is for use by many goroutines.
type Shelf struct {
	dir string
	now func() time.Time
	mu  sync.Mutex
}

// Open opens the shelf in a data directory; now is the wall's clock.
func Open(dir string, now func() time.Time) *Shelf {
	return &Shelf{dir: filepath.Join(dir, "drafts"), now: now}
}

// of is the folder of a person.
func (s *Shelf) of(person string) string {
	sum := sha256.Sum256([]byte(person))
	return filepath.Join(s.dir, hex.EncodeToString(sum[:12]))
}

// file is where a draft is kept: names are of people, and paths are not.
func (s *Shelf) file(person, kind, name string) string {
	sum := sha256.Sum256([]byte(kind + "\x00" + name))
	return filepath.Join(s.of(person), hex.EncodeToString(sum[:12])+ending)
}

// List returns the drafts of a person without their bodies, by kind and name.
func (s *Shelf) List(person string) ([]Draft, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []Draft{}
	files, err := os.ReadDir(s.of(person))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(fault.Unavailable, err, "the drafts cannot be read")
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ending) || strings.Contains(f.Name(), durable.Unfinished) {
			continue
		}
		d, err := read(filepath.Join(s.of(person), f.Name()))
		if err != nil {
			continue // damaged: who opens it is told, and the others are listed
		}
		d.Body = ""
		list = append(list, d)
	}
	slices.SortFunc(list, func(x, y Draft) int { return strings.Compare(x.Kind+"\x00"+x.Name, y.Kind+"\x00"+y.Name) })
	return list, nil
}

// Get returns a draft; NotFound if the person has none of it.
func (s *Shelf) Get(person, kind, name string) (Draft, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return read(s.file(person, kind, name))
}

func read(path string) (d Draft, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return d, fault.New(fault.NotFound, "there is no draft of it")
	case err != nil:
		return d, fault.Wrap(fault.Unavailable, err, "the draft cannot be read")
	case info.Size() > maxFile:
		return d, fault.New(fault.Corrupt, "the draft is damaged: give it up")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return d, fault.Wrap(fault.Unavailable, err, "the draft cannot be read")
	}
	if err := json.Unmarshal(b, &d); err != nil || d.Version == "" {
		return Draft{}, fault.New(fault.Corrupt, "the draft is damaged: give it up")
	}
	return d, nil
}

// Keep keeps the next version of a draft, made from the version that is given; empty:
// there was none. It is durable when Keep returns. Conflict: another browser of the
// person has kept or given up one since, and nothing is changed.
func (s *Shelf) Keep(person string, d Draft, from string) (Draft, error) {
	switch {
	case !slices.Contains(Kinds, d.Kind):
		return d, fault.New(fault.Invalid, "a draft is of a segment, a journey or a template")
	case len(d.Name) > 200:
		return d, fault.New(fault.Invalid, "the name of a draft is too long")
	case len(d.Body) > MaxBody:
		return d, fault.New(fault.TooLarge, "the draft is too long to be kept: put it in force in parts")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	path := s.file(person, d.Kind, d.Name)
	old, err := read(path)
	there := err == nil
	switch {
	case err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Corrupt): // what is damaged is replaced
		return d, err
	case there && old.Version != from:
		return d, newer(old)
	case !there && from != "":
		return d, fault.New(fault.Conflict, "the draft was put in force or given up in another browser or another tab of yours")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return d, fault.Wrap(fault.Unavailable, err, "the draft cannot be kept")
	}
	if !there {
		files, err := os.ReadDir(filepath.Dir(path))
		if err != nil {
			return d, fault.Wrap(fault.Unavailable, err, "the drafts cannot be read")
		}
		if len(files) >= maxEach {
			return d, fault.New(fault.TooLarge, "you have a hundred drafts: put some in force, or give them up")
		}
	}
	d.Version, d.At = rand.Text()[:12], s.now().UTC().Truncate(time.Millisecond)
	b, err := json.Marshal(d)
	if err == nil {
		err = durable.Write(path, b)
	}
	if err != nil {
		return d, fault.Wrap(fault.Unavailable, err, "the draft cannot be kept")
	}
	d.Body = ""
	return d, nil
}

func newer(d Draft) error {
	return fault.New(fault.Conflict, "you have kept another draft of it, in another browser or another tab, at "+d.At.UTC().Format("15:04 on 2 January")+" UTC")
}

// Drop gives a draft up, if it is of that version; empty: whatever it is. Conflict: it is
// another, of another browser of the person. Of one that is not there, nothing is left to
// do.
func (s *Shelf) Drop(person, kind, name, from string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, err := read(s.file(person, kind, name)); err == nil && from != "" && d.Version != from {
		return newer(d)
	}
	err := os.Remove(s.file(person, kind, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = durable.Sync(s.of(person))
	}
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the draft cannot be given up")
	}
	return nil
}

// Forget deletes everything that a person has drafted: they work here no longer.
func (s *Shelf) Forget(person string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := os.RemoveAll(s.of(person)); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the drafts cannot be deleted")
	}
	return nil
}
