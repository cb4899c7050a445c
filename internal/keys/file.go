package keys

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"

	"rapport/internal/durable"
	"rapport/internal/fault"
)

// fileVersion is the version of the file's shape.
const fileVersion = 1

// maxFile bounds what is read as a file of keys: four active and maxRevoked
// revoked ones take 40 kB.
const maxFile = 1 << 20

type file struct {
	Version int       `json:"version"`
	Keys    []fileKey `json:"keys"`
}

type fileKey struct {
	Key
	SHA256 string `json:"sha256"`
}

// mark tells one version of the file from the next without reading it. Every
// version is a new file, so its size and time are enough with the inode's help.
type mark struct {
	size, modified int64
	inode          uint64
}

func markOf(path string) mark {
	info, err := os.Stat(path)
	if err != nil {
		return mark{}
	}
	return mark{info.Size(), info.ModTime().UnixNano(), inodeOf(info)}
}

// errUnchanged ends a change that found nothing to do.
var errUnchanged = errors.New("unchanged")

// change reads the newest file, lets f make the next version, and stores it.
// It holds the file's lock, so two processes cannot undo each other's changes.
func (r *Ring) change(f func(entries []entry, exists bool) ([]entry, error)) error {
	r.write.Lock()
	defer r.write.Unlock()
	unlock, err := lock(r.path + ".lock")
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the keys' file cannot be locked for a change")
	}
	defer unlock()
	old, exists, err := r.load()
	if err != nil {
		return err
	}
	entries, err := f(append([]entry(nil), old.entries...), exists)
	if errors.Is(err, errUnchanged) {
		r.current.Store(old)
		return nil
	}
	if err != nil {
		return err
	}
	next := newState(entries, mark{})
	if err := r.save(next.entries); err != nil {
		return err
	}
	next.mark = markOf(r.path)
	r.current.Store(next)
	return nil
}

// load reads the file. Entries that were known before keep their last use.
func (r *Ring) load() (s *state, exists bool, err error) {
	m := markOf(r.path)
	damaged := func(why string) (*state, bool, error) {
		return nil, true, fault.New(fault.Corrupt, r.path+" is not a file of keys ("+why+"): restore it from a backup, or move it away to get new keys")
	}
	if m.size > maxFile {
		return damaged("too large")
	}
	body, err := os.ReadFile(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return newState(nil, m), false, nil
	}
	if err != nil {
		return nil, false, fault.Wrap(fault.Unavailable, err, "the keys' file cannot be read")
	}
	var content file
	if err := json.Unmarshal(body, &content); err != nil {
		return damaged(err.Error())
	}
	if content.Version != fileVersion {
		return damaged(fmt.Sprintf("version %d is not known", content.Version))
	}
	used := map[hash]*atomic.Int64{}
	if before := r.current.Load(); before != nil {
		for _, e := range before.entries {
			used[e.hash] = e.lastUsed
		}
	}
	entries := make([]entry, 0, len(content.Keys))
	for _, k := range content.Keys {
		var h hash
		if len(k.SHA256) != 2*len(h) {
			return damaged("the hash of " + k.ID)
		}
		if _, err := hex.Decode(h[:], []byte(k.SHA256)); err != nil {
			return damaged("the hash of " + k.ID)
		}
		if k.Kind.Prefix() == "" {
			return damaged("the kind of " + k.ID)
		}
		k.LastUsed = nil
		use := used[h]
		if use == nil {
			use = new(atomic.Int64)
		}
		entries = append(entries, entry{k.Key, h, use})
	}
	return newState(entries, m), true, nil
}

// save makes the entries the file's next version: whole or not at all, also
// when the power fails halfway.
func (r *Ring) save(entries []entry) error {
	content := file{Version: fileVersion, Keys: make([]fileKey, len(entries))}
	for i, e := range entries {
		content.Keys[i] = fileKey{e.key, hex.EncodeToString(e.hash[:])}
	}
	body, err := json.MarshalIndent(content, "", "\t")
	if err != nil {
		return fmt.Errorf("encoding the keys: %w", err) // unreachable: the types always encode
	}
	return fault.Wrap(fault.Unavailable, durable.Write(r.path, append(body, '\n')), "the keys' file cannot be written")
}
