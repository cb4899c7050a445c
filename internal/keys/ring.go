package keys

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"rapport/internal/fault"
)

const (
	// maxActive keys of a kind: the one in use and the one that replaces it.
	maxActive = 2
	// maxRestricted keys are active at once: one for each tool that a shop has. A
	// restricted key takes 300 bytes of the file.
	maxRestricted = 100
	// maxName bounds what a restricted key is called.
	maxName = 60
	// maxRevoked keys are remembered, so that the file cannot grow for ever. They
	// are kept at all to say when and what was revoked.
	maxRevoked = 100
	// reloadEvery bounds how long another process's revocation goes unnoticed.
	// We promise less than a second.
	reloadEvery = 500 * time.Millisecond
)

type hash [sha256.Size]byte

// entry is a stored key with its use since the process began.
type entry struct {
	key      Key
	hash     hash
	lastUsed *atomic.Int64 // Unix milliseconds; zero: never. Shared between versions of the entry.
}

// state is one version of the file. It is never changed, so readers need no lock.
type state struct {
	entries []entry
	byHash  map[hash]*entry // active ones only
	mark    mark
}

// Ring is the keys of one data directory. Its methods may be called from many
// goroutines, and several processes may hold a Ring of the same directory: what
// one changes, the others see within a second.
type Ring struct {
	path    string
	current atomic.Pointer[state]
	checked atomic.Int64 // when the file was last looked at, Unix milliseconds
	write   sync.Mutex   // one writer of this process; the file's lock excludes others
}

// fileName is the keys' file within the data directory.
const fileName = "keys.json"

// Open returns the ring of the data directory dir, which must exist. If there
// are no keys yet it makes one of each kind and returns them: the only time at
// which the secret key can be shown. A file that cannot be read is Corrupt and
// is left as it is.
func Open(dir string) (*Ring, []New, error) {
	r := &Ring{path: filepath.Join(dir, fileName)}
	var created []New
	err := r.change(func(entries []entry, exists bool) ([]entry, error) {
		if exists {
			return entries, errUnchanged
		}
		for _, kind := range [...]Kind{Write, Secret} {
			e, n, err := newEntry(kind, kind.source(), nil)
			if err != nil {
				return nil, err
			}
			entries, created = append(entries, e), append(created, n)
		}
		return entries, nil
	})
	if err != nil {
		return nil, nil, err
	}
	return r, created, nil
}

// Find returns the active key whose text was presented. The look-up is by the
// SHA-256 of what was presented, so how long it takes tells nothing about keys
// that exist; what does not even have the shape of a key is refused before.
func (r *Ring) Find(presented string) (Key, bool) {
	if _, ok := Shaped(presented); !ok {
		return Key{}, false
	}
	now := time.Now().UnixMilli()
	r.refresh(now)
	e, ok := r.current.Load().byHash[sha256.Sum256([]byte(presented))]
	if !ok {
		return Key{}, false
	}
	if now != e.lastUsed.Load() { // do not fight over a cache line within a millisecond
		e.lastUsed.Store(now)
	}
	return e.key, true
}

// refresh reads the file again if another process has changed it.
func (r *Ring) refresh(now int64) {
	last := r.checked.Load()
	if now-last < reloadEvery.Milliseconds() && now >= last || !r.checked.CompareAndSwap(last, now) {
		return
	}
	if markOf(r.path) != r.current.Load().mark {
		// A file that has become unreadable must not lock out a shop whose keys we
		// know: the keys of before stay, and the next change reports the damage.
		_ = r.Reload()
	}
}

// Reload reads the file again. Find does so by itself within half a second of a
// change; Reload is for those who cannot wait.
func (r *Ring) Reload() error {
	r.write.Lock()
	defer r.write.Unlock()
	s, _, err := r.load()
	if err != nil {
		return err
	}
	r.current.Store(s)
	return nil
}

// Rotate makes one more key of the kind and returns it; the older one stays
// active until it is revoked. If two are active already it is a Conflict: to
// revoke one unasked could silence a shop.
func (r *Ring) Rotate(kind Kind) (New, error) {
	if kind != Write && kind != Secret {
		return New{}, fault.New(fault.Invalid, "a key that is rotated is of kind write or secret; of restricted ones, add another")
	}
	var created New
	err := r.change(func(entries []entry, _ bool) ([]entry, error) {
		active, name := 0, kind.source()
		for _, e := range entries {
			if e.key.Kind == kind && e.key.Active() {
				active, name = active+1, e.key.Name
			}
		}
		if active >= maxActive {
			return nil, fault.New(fault.Conflict, "two "+string(kind)+" keys are active already: revoke the older one first")
		}
		e, n, err := newEntry(kind, name, nil)
		if err != nil {
			return nil, err
		}
		created = n
		return append(entries, e), nil
	})
	return created, err
}

// Add makes a restricted key that may do what the scopes say, and returns it: the
// only time at which it can be shown.
func (r *Ring) Add(name string, scopes []Scope) (New, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > maxName || strings.ContainsFunc(name, unicode.IsControl) {
		return New{}, fault.New(fault.Invalid, "a restricted key needs a name of at most "+strconv.Itoa(maxName)+" bytes that says what it is for")
	}
	var own []Scope
	for _, s := range Scopes {
		if slices.Contains(scopes, s) {
			own = append(own, s)
		}
	}
	for _, s := range scopes {
		if !slices.Contains(Scopes, s) {
			return New{}, fault.New(fault.Invalid, clip(string(s))+" is no scope: they are read, write, send, erase and sql")
		}
	}
	if own == nil {
		return New{}, fault.New(fault.Invalid, "a restricted key needs at least one scope: read, write, send, erase or sql")
	}
	var created New
	err := r.change(func(entries []entry, _ bool) ([]entry, error) {
		active := 0
		for _, e := range entries {
			if e.key.Kind == Restricted && e.key.Active() {
				active++
			}
		}
		if active >= maxRestricted {
			return nil, fault.New(fault.Conflict, strconv.Itoa(maxRestricted)+" restricted keys are active already: revoke one that nobody uses")
		}
		e, n, err := newEntry(Restricted, name, own)
		if err != nil {
			return nil, err
		}
		created = n
		return append(entries, e), nil
	})
	return created, err
}

// Revoke makes the key with the id worthless, at once in this process and within
// a second in others. To revoke a key twice changes nothing. An unknown id is
// NotFound.
func (r *Ring) Revoke(id string) error {
	return r.change(func(entries []entry, _ bool) ([]entry, error) {
		for i := range entries {
			if entries[i].key.ID != id {
				continue
			}
			if !entries[i].key.Active() {
				return entries, errUnchanged
			}
			now := time.Now().UTC().Truncate(time.Millisecond)
			entries[i].key.Revoked = &now
			return entries, nil
		}
		return nil, fault.New(fault.NotFound, "there is no key with the id "+clip(id))
	})
}

// List returns all keys, the oldest first, the revoked ones included.
func (r *Ring) List() []Key {
	s := r.current.Load()
	list := make([]Key, len(s.entries))
	for i, e := range s.entries {
		list[i] = e.key
		if ms := e.lastUsed.Load(); ms != 0 {
			t := time.UnixMilli(ms).UTC()
			list[i].LastUsed = &t
		}
	}
	return list
}

// newEntry makes a key of the kind.
func newEntry(kind Kind, name string, scopes []Scope) (entry, New, error) {
	text, err := generate(kind)
	if err != nil {
		return entry{}, New{}, err
	}
	h := hash(sha256.Sum256([]byte(text)))
	k := Key{
		// The id is a piece of the hash: it cannot collide within a ring, and it
		// tells nothing about the key.
		ID: "key_" + hex.EncodeToString(h[:6]), Kind: kind, Name: name, Scopes: scopes,
		Prefix: kind.Prefix(), Last4: text[len(text)-4:],
		Created: time.Now().UTC().Truncate(time.Millisecond),
	}
	if kind == Write {
		k.Text = text
	}
	return entry{k, h, new(atomic.Int64)}, New{k, text}, nil
}

// newState indexes the entries, and forgets the oldest revoked ones beyond maxRevoked.
func newState(entries []entry, m mark) *state {
	revoked := 0
	for _, e := range entries {
		if !e.key.Active() {
			revoked++
		}
	}
	s := &state{byHash: map[hash]*entry{}, mark: m, entries: make([]entry, 0, len(entries))}
	for _, e := range entries {
		if !e.key.Active() && revoked > maxRevoked {
			revoked--
			continue
		}
		s.entries = append(s.entries, e)
	}
	for i := range s.entries {
		if e := &s.entries[i]; e.key.Active() {
			s.byHash[e.hash] = e
		}
	}
	return s
}

func clip(s string) string {
	const most = 40
	if len(s) > most {
		s = s[:most]
	}
	return fmt.Sprintf("%q", s)
}
