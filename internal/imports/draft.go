package imports

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"rapport/internal/core/event"
	"rapport/internal/fault"
	"rapport/internal/sources/table"
)

// Draft is a file that was uploaded and is not imported yet.
type Draft struct {
	ID    string     `json:"id"`
	File  string     `json:"file"`
	Bytes int64      `json:"bytes"`
	By    string     `json:"by"`
	At    event.Time `json:"at"`
	How   How        `json:"how"`
	// Check is what the last dry run of this very How found; nil: there was none.
	Check *Outcome `json:"-"`
}

// Outcome is how far a run over a file is, and what it found.
type Outcome struct {
	Running  bool            `json:"running"`
	Rows     int64           `json:"rows"`
	Refused  int64           `json:"refused"`
	Totals   json.RawMessage `json:"totals,omitempty"`
	Problems []RowProblem    `json:"problems,omitempty"`
	Trouble  string          `json:"trouble,omitempty"`
}

// RowProblem is a row that is not taken.
type RowProblem struct {
	Line   int64  `json:"line"`
	Column string `json:"column,omitempty"`
	Reason string `json:"reason"`
}

const (
	// MaxUpload is the largest file that can be uploaded, as it comes: a zipped export of
	// some millions of orders.
	MaxUpload = 2 << 30
	// maxDrafts bounds how many files wait at once, so that nobody fills the disk.
	maxDrafts = 20
	// draftFor is how long a file that nobody imports is kept: it is full of addresses.
	draftFor = 24 * time.Hour
	// errorsFor is how long refused rows are kept.
	errorsFor = 30 * 24 * time.Hour
	// firstProblems is how many refused rows a dry run names.
	firstProblems = 50
)

func (d *Desk) drafts() string { return filepath.Join(d.book.dir, "drafts") }

func (d *Desk) draftPath(id, ending string) string { return filepath.Join(d.drafts(), id+ending) }

// Upload keeps a file until it is imported or forgotten. It is TooLarge if the file has
// more than [MaxUpload] bytes, and what came until then is deleted.
func (d *Desk) Upload(r io.Reader, file string, how How, by string) (Draft, error) {
	if err := how.check(); err != nil {
		return Draft{}, err
	}
	d.sweep()
	if err := os.MkdirAll(d.drafts(), 0o700); err != nil {
		return Draft{}, fault.Wrap(fault.Unavailable, err, "the file cannot be kept")
	}
	var chance [8]byte
	if _, err := rand.Read(chance[:]); err != nil {
		return Draft{}, err
	}
	v := Draft{ID: "file-" + hex.EncodeToString(chance[:]), File: nameOf(file), By: by, At: d.book.now(), How: how}
	if err := d.admit(v.ID); err != nil {
		return Draft{}, err
	}
	defer d.came(v.ID)
	f, err := os.OpenFile(d.draftPath(v.ID, ".file"), os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return Draft{}, fault.Wrap(fault.Unavailable, err, "the file cannot be kept")
	}
	v.Bytes, err = io.Copy(f, io.LimitReader(r, MaxUpload+1))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		err = fault.Wrap(fault.Unavailable, err, "the file did not arrive whole")
	}
	switch {
	case err != nil:
	case v.Bytes > MaxUpload:
		err = fault.New(fault.TooLarge, "the file is larger than 2 GB: zip it, or import it in parts")
	case v.Bytes == 0:
		err = fault.New(fault.Invalid, "the file is empty")
	default:
		err = d.saveDraft(&v)
	}
	if err != nil {
		return Draft{}, errors.Join(err, os.Remove(d.draftPath(v.ID, ".file")))
	}
	return d.Draft(v.ID)
}

// nameOf is the name of a file without its folders, of Unix and of Windows, and without
// what a terminal or a page would not show as a letter. It is "" if there is none.
func nameOf(path string) string {
	name := path[strings.LastIndexAny(path, `/\`)+1:]
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, name))
	if name == "." || name == ".." {
		return ""
	}
	return table.Clip(name, 120)
}

func (d *Desk) saveDraft(v *Draft) error {
	if err := writeRecord(d.draftPath(v.ID, ".draft"), v); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the file cannot be kept")
	}
	return nil
}

// Draft returns an uploaded file, or a fault of kind NotFound.
func (d *Desk) Draft(id string) (v Draft, err error) {
	if id != filepath.Base(id) || strings.ContainsAny(id, `/\`) {
		return v, errNoDraft
	}
	if there, err := readRecord(d.draftPath(id, ".draft"), &v); err != nil {
		return v, fault.Wrap(fault.Corrupt, err, "what is known of the uploaded file cannot be read")
	} else if !there {
		return v, errNoDraft
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.checks[id]; c != nil {
		v.Check = c.copied()
	}
	return v, nil
}

var errNoDraft = fault.New(fault.NotFound, "there is no such file: it was imported, discarded, or forgotten after a day")

// List returns the files that wait, the newest first.
func (d *Desk) List() ([]Draft, error) {
	files, err := os.ReadDir(d.drafts())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the uploaded files cannot be listed")
	}
	var list []Draft
	for _, f := range files {
		if id, ok := strings.CutSuffix(f.Name(), ".draft"); ok {
			if v, err := d.Draft(id); err == nil {
				list = append(list, v)
			}
		}
	}
	slices.SortFunc(list, func(a, b Draft) int { return int(min(max(b.At-a.At, -1), 1)) })
	return list, nil
}

// Change says how a file is to be read. What a dry run found before is forgotten.
func (d *Desk) Change(id string, how How) (Draft, error) {
	if err := how.check(); err != nil {
		return Draft{}, err
	}
	d.moving.Lock()
	defer d.moving.Unlock()
	v, err := d.Draft(id)
	if err != nil {
		return v, err
	}
	d.stopCheck(id)
	v.How, v.Check = how, nil
	return v, d.saveDraft(&v)
}

// Discard deletes an uploaded file.
func (d *Desk) Discard(id string) error {
	d.moving.Lock()
	defer d.moving.Unlock()
	return d.discard(id)
}

// discard does it for who holds moving.
func (d *Desk) discard(id string) error {
	if _, err := d.Draft(id); err != nil {
		return err
	}
	d.stopCheck(id)
	return errors.Join(os.Remove(d.draftPath(id, ".draft")), os.Remove(d.draftPath(id, ".file")))
}

// sweep deletes files that nobody imported, what a process that ended left of files
// that had not come whole, and refused rows that are old.
func (d *Desk) sweep() {
	d.moving.Lock()
	defer d.moving.Unlock()
	now := d.book.now()
	list, _ := d.List() // what cannot be listed now is swept another time
	for i := range list {
		if now.Sub(list[i].At) > draftFor {
			_ = d.discard(list[i].ID) // as above
		}
	}
	files, _ := os.ReadDir(d.drafts()) // as above
	for _, f := range files {
		if id, ok := strings.CutSuffix(f.Name(), ".file"); ok && d.left(id) {
			_ = os.Remove(d.draftPath(id, ".file")) // as above
		}
	}
	entries, _ := d.book.List() // as above
	for i := range entries {
		if entries[i].State != Running && now.Sub(event.Time(entries[i].BeganAt)) > errorsFor {
			_ = os.Remove(d.book.path(entries[i].ID, ".errors")) // as above
		}
	}
}

// left reports whether nobody waits for a file: it has no draft, and is not coming.
func (d *Desk) left(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.coming[id] { // its draft is written before it leaves these
		return false
	}
	_, err := os.Stat(d.draftPath(id, ".draft"))
	return errors.Is(err, fs.ErrNotExist)
}

// admit lets a file come, if not too many wait or come already.
func (d *Desk) admit(id string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	files, err := os.ReadDir(d.drafts())
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the uploaded files cannot be listed")
	}
	n := len(d.coming)
	for _, f := range files {
		if id, ok := strings.CutSuffix(f.Name(), ".draft"); ok && !d.coming[id] {
			n++
		}
	}
	if n >= maxDrafts {
		return fault.New(fault.Conflict, "too many files wait to be imported: import or discard some of them first")
	}
	d.coming[id] = true
	return nil
}

func (d *Desk) came(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.coming, id)
}
