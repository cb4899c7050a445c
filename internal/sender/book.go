package sender

import (
	"crypto/rand"
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

// The files of a data directory.
const (
	domainsFile = "domains.json"
	trafficFile = "traffic.json"
)

// maxFile bounds what is read: two hundred domains take 2 MB.
const maxFile = 8 << 20

// fileVersion is the version of the files' shape.
const fileVersion = 1

// Book knows the sending domains of a data directory. Several processes may hold
// one of the same directory: each change is made on the newest file, under a
// lock, and is durable when it returns. It may be used from many goroutines.
type Book struct {
	path string
	seal sealed
	now  func() time.Time

	mu      sync.Mutex
	looked  time.Time // when the file was last looked at
	info    fs.FileInfo
	domains []Domain           // never changed in place
	signers map[string]*signer // by domain: parsed once
}

type book struct {
	Version int      `json:"version"`
	Domains []Domain `json:"domains"`
}

// Open reads the domains of a data directory; one without the file has none.
// Workspace is the workspace's secret, which seals the private keys. Now is the
// wall's clock.
func Open(dir string, workspace []byte, now func() time.Time) (*Book, error) {
	s, err := newSealed(workspace)
	if err != nil {
		return nil, err
	}
	b := &Book{path: filepath.Join(dir, domainsFile), seal: s, now: now, signers: map[string]*signer{}}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b, b.read()
}

// lookEvery is how long what was read is believed without a look at the file: a
// command that lifts a pause is obeyed by the server so soon.
const lookEvery = time.Second

// Domains returns all domains by name.
func (b *Book) Domains() ([]Domain, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.fresh(); err != nil {
		return nil, err
	}
	return b.domains, nil
}

// Domain returns one domain, or a fault of kind NotFound.
func (b *Book) Domain(name string) (Domain, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.fresh(); err != nil {
		return Domain{}, err
	}
	return find(b.domains, name)
}

func find(domains []Domain, name string) (Domain, error) {
	for _, d := range domains {
		if d.Name == name {
			return d, nil
		}
	}
	return Domain{}, fault.New(fault.NotFound, quoted(name)+" is not a sending domain here: rapport domain add "+name)
}

// fresh reads the file again if it has changed. The lock is held.
func (b *Book) fresh() error {
	if time.Since(b.looked) < lookEvery {
		return nil
	}
	info, err := os.Stat(b.path)
	if err == nil && b.info != nil && os.SameFile(info, b.info) && info.ModTime().Equal(b.info.ModTime()) && info.Size() == b.info.Size() {
		b.looked = time.Now()
		return nil
	}
	return b.read()
}

// read reads the file. The lock is held.
func (b *Book) read() error {
	var content book
	info, err := readJSON(b.path, &content)
	if err != nil {
		return err
	}
	if info != nil && content.Version != fileVersion {
		return fault.New(fault.Corrupt, b.path+" has version "+itoa(content.Version)+", which is not known: it was written by a newer rapport")
	}
	b.domains, b.info, b.looked = content.Domains, info, time.Now()
	clear(b.signers)
	return nil
}

// readJSON reads a file of ours; nil information means that there is none.
func readJSON(path string, into any) (fs.FileInfo, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, path+" cannot be read")
	}
	if info.Size() > maxFile {
		return nil, fault.New(fault.Corrupt, path+" is too large to be what it should be: restore it from a backup")
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, path+" cannot be read")
	}
	if err := json.Unmarshal(body, into); err != nil {
		return nil, fault.Wrap(fault.Corrupt, err, path+" is damaged: restore it from a backup")
	}
	return info, nil
}

// writeJSON makes v the file's next version: whole or not at all.
func writeJSON(path string, v any) error {
	body, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		return err // unreachable: our types always encode
	}
	return fault.Wrap(fault.Unavailable, durable.Write(path, append(body, '\n')), path+" cannot be written")
}

// change makes the next version of the file from the newest one.
func (b *Book) change(f func(domains []Domain) ([]Domain, error)) error {
	unlock, err := lock(b.path + ".lock")
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the file of sending domains cannot be locked for a change")
	}
	defer unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.read(); err != nil {
		return err
	}
	// A deep copy: what was handed out is not changed.
	next := make([]Domain, len(b.domains))
	for i, d := range b.domains {
		d.Keys, d.Froms, d.Hosts, d.Warm, d.Problems = slices.Clone(d.Keys), slices.Clone(d.Froms), slices.Clone(d.Hosts), slices.Clone(d.Warm), slices.Clone(d.Problems)
		next[i] = d
	}
	if next, err = f(next); err != nil {
		return err
	}
	slices.SortFunc(next, func(a, b Domain) int { return strings.Compare(a.Name, b.Name) })
	if err := writeJSON(b.path, book{fileVersion, next}); err != nil {
		return err
	}
	return b.read()
}

// update changes one domain.
func (b *Book) update(name string, f func(d *Domain) error) (Domain, error) {
	var changed Domain
	err := b.change(func(domains []Domain) ([]Domain, error) {
		i := slices.IndexFunc(domains, func(d Domain) bool { return d.Name == name })
		if i < 0 {
			_, err := find(domains, name)
			return nil, err
		}
		if err := f(&domains[i]); err != nil {
			return nil, err
		}
		changed = domains[i]
		return domains, domains[i].check()
	})
	return changed, err
}

// Add makes a domain with its first keys; of one that is there, it changes what
// is set in d: Froms, Bounces, Hosts, Hourly, Warm with Began. Keys, checks and
// pauses stay; what is not verified any more is found by the next check.
func (b *Book) Add(d Domain) (Domain, error) {
	d.Name = strings.ToLower(strings.TrimSuffix(d.Name, "."))
	if err := d.check(); err != nil {
		return Domain{}, err
	}
	err := b.change(func(domains []Domain) ([]Domain, error) {
		i := slices.IndexFunc(domains, func(o Domain) bool { return o.Name == d.Name })
		if i < 0 {
			if len(domains) == maxDomains {
				return nil, fault.New(fault.Invalid, "there are "+itoa(maxDomains)+" sending domains, which is the most")
			}
			var tag [2]byte
			if _, err := rand.Read(tag[:]); err != nil {
				return nil, err
			}
			first, err := b.seal.newPair(d.Name, 1, b.now())
			if err != nil {
				return nil, err
			}
			d.Tag, d.Keys = hex.EncodeToString(tag[:]), []Pair{first}
			return append(domains, d), nil
		}
		old := domains[i]
		if len(d.Froms) > 0 {
			old.Froms = d.Froms
		}
		if d.Bounces != "" {
			old.Bounces = d.Bounces
		}
		if len(d.Hosts) > 0 {
			old.Hosts = d.Hosts
		}
		if d.Hourly > 0 {
			old.Hourly = d.Hourly
		}
		if len(d.Warm) > 0 {
			old.Warm, old.Began = d.Warm, d.Began
		}
		if len(d.Froms) > 0 || d.Bounces != "" || len(d.Hosts) > 0 {
			old.Verified = time.Time{} // another thing is to be proved
		}
		domains[i], d = old, old
		return domains, nil
	})
	return d, err
}

// Rotate makes the next generation of keys. It signs once a check has seen it in
// DNS; until then the one before goes on.
func (b *Book) Rotate(name string) (Domain, error) {
	return b.update(name, func(d *Domain) error {
		last := &d.Keys[len(d.Keys)-1]
		if last.Active.IsZero() {
			return fault.New(fault.Conflict, "the keys of "+name+" made on "+last.Made.Format(time.DateOnly)+" wait for their records in DNS: publish them and run rapport domain check "+name)
		}
		next, err := b.seal.newPair(d.Name, last.N+1, b.now())
		if err != nil {
			return err
		}
		d.Keys = append(d.Keys, next)
		d.Keys = d.Keys[max(0, len(d.Keys)-maxPairs):]
		return nil
	})
}

// Pause stops marketing from a domain until Resume. A domain that is paused keeps
// its first reason. It reports whether it was not paused before.
func (b *Book) Pause(name, why string) (fresh bool, err error) {
	_, err = b.update(name, func(d *Domain) error {
		if fresh = d.Paused.IsZero(); fresh {
			d.Paused, d.Why = b.now(), why
		}
		return nil
	})
	return fresh, err
}

// Resume lifts a pause. Complaints until now count no more towards the next one.
func (b *Book) Resume(name string) (Domain, error) {
	return b.update(name, func(d *Domain) error {
		d.Paused, d.Why, d.Resumed = time.Time{}, "", b.now()
		return nil
	})
}

// warn notes that complaints exceed what is tolerated.
func (b *Book) warn(name string) error {
	_, err := b.update(name, func(d *Domain) error {
		d.Warned = b.now()
		return nil
	})
	return err
}
