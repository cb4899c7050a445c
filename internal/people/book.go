package people

import (
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"rapport/internal/durable"
	"rapport/internal/fault"
)

const (
	fileName    = "people.json"
	fileVersion = 1
	// maxFile bounds what is read as the file: 2000 people with ten sessions each
	// take 6 MB.
	maxFile = 32 << 20
)

// content is what the file holds.
type content struct {
	Version   int          `json:"version"`
	People    []entry      `json:"people"`
	Sessions  []session    `json:"sessions"`
	Invited   []invitation `json:"invited"`
	Above     int64        `json:"approval_above"`
	Approvals []Approval   `json:"approvals"`
	Authors   []author     `json:"authors"`
}

// entry is a person with what is kept of the password.
type entry struct {
	Person
	Hash string `json:"hash"`
}

// Book is the people of a data directory. It is for use by many goroutines.
type Book struct {
	path string
	now  func() time.Time

	mu    sync.RWMutex
	c     content
	setup string // what is kept of the set-up link; empty: there is none

	trail *trail
}

// Open opens the people of a data directory; there are none at first. A file that
// cannot be read is Corrupt and is left as it is. Now is the wall's clock: sessions
// end by it, also where the data's clock is another.
func Open(dir string, now func() time.Time) (*Book, error) {
	b := &Book{path: filepath.Join(dir, fileName), now: now, c: content{Version: fileVersion}}
	info, err := os.Stat(b.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fault.Wrap(fault.Unavailable, err, "the people's file cannot be read")
	case info.Size() > maxFile:
		return nil, fault.New(fault.Corrupt, b.path+" is too large to be a file of people: restore it from a backup")
	default:
		text, err := os.ReadFile(b.path)
		if err != nil {
			return nil, fault.Wrap(fault.Unavailable, err, "the people's file cannot be read")
		}
		if err := json.Unmarshal(text, &b.c); err != nil || b.c.Version != fileVersion {
			return nil, fault.Wrap(fault.Corrupt, cmp.Or(err, errors.New("another version")), b.path+" is not a file of people: restore it from a backup")
		}
	}
	if b.trail, err = openTrail(filepath.Join(dir, trailName)); err != nil {
		return nil, err
	}
	return b, nil
}

// Close gives the files back.
func (b *Book) Close() error {
	if b == nil {
		return nil
	}
	return b.trail.close()
}

// change lets f make the next content of a copy and stores it: whole or not at all.
func (b *Book) change(f func(c *content) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := b.c
	next.People, next.Sessions, next.Invited = slices.Clone(b.c.People), slices.Clone(b.c.Sessions), slices.Clone(b.c.Invited)
	next.Approvals, next.Authors = slices.Clone(b.c.Approvals), slices.Clone(b.c.Authors)
	if err := f(&next); err != nil {
		return err
	}
	now := b.now()
	next.Sessions = slices.DeleteFunc(next.Sessions, func(s session) bool { return !now.Before(s.Until) })
	next.Invited = slices.DeleteFunc(next.Invited, func(i invitation) bool { return !now.Before(i.Until) })
	if err := b.save(&next); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the people's file cannot be written")
	}
	b.c = next
	return nil
}

func (b *Book) save(c *content) error {
	text, err := json.MarshalIndent(c, "", "\t")
	if err != nil {
		return err // unreachable: the types always encode
	}
	return durable.Write(b.path, append(text, '\n'))
}

// List returns everybody, by name.
func (b *Book) List() []Person {
	b.mu.RLock()
	defer b.mu.RUnlock()
	list := make([]Person, len(b.c.People))
	for i := range b.c.People {
		list[i] = b.c.People[i].Person
	}
	slices.SortFunc(list, func(x, y Person) int { return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.ID, y.ID)) })
	return list
}

// Appoint gives a person another role, at the word of by. Only an owner makes or
// unmakes owners, and the last one stays: a Conflict.
func (b *Book) Appoint(by Role, id string, role Role) (p Person, err error) {
	if err := checkRole(role); err != nil {
		return p, err
	}
	err = b.change(func(c *content) error {
		i, err := c.mayTouch(by, id, role)
		if err != nil {
			return err
		}
		if c.People[i].Role == Owner && role != Owner && c.owners() == 1 {
			return errLastOwner
		}
		c.People[i].Role = role
		p = c.People[i].Person
		return nil
	})
	return p, err
}

// Remove takes a person out, with every session and invitation of theirs.
func (b *Book) Remove(by Role, id string) error {
	return b.change(func(c *content) error {
		i, err := c.mayTouch(by, id, "")
		if err != nil {
			return err
		}
		if c.People[i].Role == Owner && c.owners() == 1 {
			return errLastOwner
		}
		c.People = slices.Delete(c.People, i, i+1)
		c.end(id, "")
		c.Invited = slices.DeleteFunc(c.Invited, func(v invitation) bool { return v.Person == id })
		return nil
	})
}

var (
	errLastOwner = fault.New(fault.Conflict, "this is the only owner: make somebody else one first")
	errNoPerson  = fault.New(fault.NotFound, "nobody with that id works here")
	errOwners    = fault.New(fault.Conflict, "only an owner changes who is an owner")
)

// mayTouch returns where the person stands whom somebody of a role may change, and
// give another role; empty: none.
func (c *content) mayTouch(by Role, id string, role Role) (int, error) {
	i := slices.IndexFunc(c.People, func(e entry) bool { return e.ID == id })
	if i < 0 {
		return 0, errNoPerson
	}
	if by != Owner && (c.People[i].Role == Owner || role == Owner) {
		return 0, errOwners
	}
	return i, nil
}

func (c *content) owners() (n int) {
	for i := range c.People {
		if c.People[i].Role == Owner {
			n++
		}
	}
	return n
}

// add takes a new person in.
func (c *content) add(p Person, password string) error {
	if slices.ContainsFunc(c.People, func(e entry) bool { return e.Email == p.Email }) {
		return fault.New(fault.Conflict, "somebody with this e-mail address works here already")
	}
	if len(c.People) >= maxPeople {
		return fault.New(fault.Conflict, "there are as many people as a workspace may have")
	}
	c.People = append(c.People, entry{p, password})
	return nil
}
