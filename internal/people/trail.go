package people

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"rapport/internal/fault"
)

const (
	trailName = "audit.log"
	// keptDeeds are in memory, to be listed: 8 MB. The file has all.
	keptDeeds = 20_000
	// maxDeed bounds a line of the file.
	maxDeed = 16 << 10
	// maxDetail bounds what is said of a deed beside what it is.
	maxDetail = 300
)

// Actor is who did something.
type Actor struct {
	Kind string `json:"kind" enum:"person,key,link,terminal" doc:"Who signed in, a key, who had a link, or who had the data directory in hand."`
	ID   string `json:"id,omitempty"`
	Name string `json:"name"`
	Role Role   `json:"role,omitempty"`
}

// Deed is a line of the audit trail: who did what when, to which object.
type Deed struct {
	N         int64     `json:"n" doc:"Counts up, without gaps."`
	At        time.Time `json:"at"`
	Actor     Actor     `json:"actor"`
	Operation string    `json:"operation" doc:"The operation's id in the OpenAPI document."`
	Object    string    `json:"object" doc:"The path that was asked."`
	Detail    string    `json:"detail,omitempty"`
	Status    int       `json:"status,omitempty" doc:"What was answered; absent: the server ended before it answered."`
}

// outcome is the second line of a deed.
type outcome struct {
	Of     int64  `json:"of"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

// trail is the file of deeds.
type trail struct {
	mu    sync.Mutex
	file  *os.File
	last  int64
	deeds []Deed // the newest last
}

func openTrail(path string) (*trail, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the audit trail cannot be opened")
	}
	t := &trail{file: f}
	whole, err := t.read(f)
	if err == nil {
		err = f.Truncate(whole) // what a crash left of a last line
	}
	if err == nil {
		_, err = f.Seek(whole, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fault.Wrap(fault.Unavailable, err, "the audit trail cannot be read"), f.Close())
	}
	return t, nil
}

// read takes the file in and returns where its last whole line ends.
func (t *trail) read(f io.Reader) (whole int64, err error) {
	r := bufio.NewReaderSize(f, maxDeed)
	for {
		line, err := r.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			return whole, nil
		}
		if err != nil {
			return whole, err
		}
		whole += int64(len(line))
		var d Deed
		var o outcome
		switch {
		case bytes.HasPrefix(line, []byte(`{"of"`)):
			if err := json.Unmarshal(line, &o); err != nil {
				return whole, err
			}
			t.conclude(o)
		default:
			if err := json.Unmarshal(line, &d); err != nil {
				return whole, err
			}
			t.take(d)
		}
	}
}

func (t *trail) take(d Deed) {
	t.last = d.N
	t.deeds = append(t.deeds, d)
	if len(t.deeds) >= 2*keptDeeds {
		t.deeds = append([]Deed(nil), t.deeds[len(t.deeds)-keptDeeds:]...)
	}
}

func (t *trail) conclude(o outcome) {
	if len(t.deeds) == 0 {
		return
	}
	if i := o.Of - t.deeds[0].N; i >= 0 && i < int64(len(t.deeds)) {
		t.deeds[i].Status, t.deeds[i].Detail = o.Status, o.Detail
	}
}

func (t *trail) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.file.Close()
}

func (t *trail) write(v any, sync bool) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err // unreachable: the types always encode
	}
	if _, err := t.file.Write(append(line, '\n')); err != nil || !sync {
		return err
	}
	return t.file.Sync()
}

// Begin notes that somebody is about to do something, durably, and returns the
// deed's number. If it fails, nothing may be done.
func (b *Book) Begin(who Actor, operation, object string) (int64, error) {
	t := b.trail
	t.mu.Lock()
	defer t.mu.Unlock()
	d := Deed{N: t.last + 1, At: b.now().UTC().Truncate(time.Millisecond), Actor: who, Operation: operation, Object: object}
	if err := t.write(d, true); err != nil {
		return 0, fault.Wrap(fault.Unavailable, err, "the audit trail cannot be written, so nothing was done")
	}
	t.take(d)
	return d.N, nil
}

// Conclude notes what became of a deed. It is not waited for: a deed without an end
// is one during which the server ended.
func (b *Book) Conclude(n int64, status int, detail string) error {
	if len(detail) > maxDetail {
		detail = strings.ToValidUTF8(detail[:maxDetail], "") + "…"
	}
	t := b.trail
	t.mu.Lock()
	defer t.mu.Unlock()
	o := outcome{n, status, detail}
	t.conclude(o)
	return t.write(o, false)
}

// Deeds returns the newest deeds before one, the newest first; before zero: of all.
// Only those that pass are returned; nil passes all.
func (b *Book) Deeds(before int64, most int, pass func(*Deed) bool) []Deed {
	t := b.trail
	t.mu.Lock()
	defer t.mu.Unlock()
	list := []Deed{}
	for i := len(t.deeds) - 1; i >= 0 && len(list) < most; i-- {
		d := &t.deeds[i]
		if (before == 0 || d.N < before) && (pass == nil || pass(d)) {
			list = append(list, *d)
		}
	}
	return list
}
