package schedule

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/fault"
)

const (
	fileName    = "scheduled.json"
	fileVersion = 1
	// maxFile bounds what is read as the file: a hundred reports to twenty people each
	// take some 200 kB.
	maxFile = 8 << 20
)

// What is known of the mail to one colleague.
const (
	begun   = "begun"   // on its way; found at a start, nobody knows whether it left
	waiting = "waiting" // it did not leave, and may
	settled = "settled" // accepted or refused for good: nothing more is done
)

// mark is what is known of one report.
type mark struct {
	// Since is when the report was first seen with this schedule: what was due before
	// is not owed.
	Since    event.Time `json:"-"`
	Schedule string     `json:"schedule"` // empty: the definition was taken away

	// Due, From and To are the instant and the period that Mails are about, and Missed is
	// how many before it were left out.
	Due    event.Time        `json:"-"`
	From   event.Time        `json:"-"`
	To     event.Time        `json:"-"`
	Missed int               `json:"missed"`
	Mails  map[string]string `json:"mails"` // by the id of the message: no address stands here

	Sent    event.Time `json:"-"`       // when one of this report was accepted last
	Why     string     `json:"why"`     // what was in the way of those that wait
	Again   event.Time `json:"-"`       // they are not tried before
	Trouble string     `json:"trouble"` // what became of mails that nobody got
}

// MarshalJSON writes instants as RFC 3339.
func (m *mark) MarshalJSON() ([]byte, error) {
	type plain mark
	return json.Marshal(struct {
		*plain
		stamps
	}{(*plain)(m), stamps{m.Since.Time(), m.Due.Time(), m.From.Time(), m.To.Time(), m.Sent.Time(), m.Again.Time()}})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (m *mark) UnmarshalJSON(b []byte) error {
	type plain mark
	v := struct {
		*plain
		stamps
	}{plain: (*plain)(m)}
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	m.Since, m.Due, m.From, m.To, m.Sent, m.Again = event.At(v.stamps.Since), event.At(v.stamps.Due), event.At(v.stamps.From), event.At(v.stamps.To), event.At(v.stamps.Sent), event.At(v.stamps.Again)
	return nil
}

// stamps are the instants of a mark as the file has them; the zero of ours is 1970.
type stamps struct {
	Since time.Time `json:"since"`
	Due   time.Time `json:"due"`
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Sent  time.Time `json:"sent"`
	Again time.Time `json:"again"`
}

// about reports whether the mails are about a period.
func (m *mark) about(from, to time.Time) bool {
	return m.From == event.At(from) && m.To == event.At(to)
}

// open reports whether a mail of the period may still have to leave.
func (m *mark) open() bool {
	for _, state := range m.Mails {
		if state != settled {
			return true
		}
	}
	return len(m.Mails) == 0
}

// content is what the file holds.
type content struct {
	Version int              `json:"version"`
	Reports map[string]*mark `json:"reports"`
}

func load(dir string) (content, error) {
	c := content{Version: fileVersion, Reports: map[string]*mark{}}
	path := filepath.Join(dir, fileName)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return c, nil
	case err != nil:
		return c, fault.Wrap(fault.Unavailable, err, path+" cannot be read")
	case info.Size() > maxFile:
		return c, fault.New(fault.Corrupt, path+" is too large")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return c, fault.Wrap(fault.Unavailable, err, path+" cannot be read")
	}
	if err := json.Unmarshal(b, &c); err != nil || c.Version != fileVersion || c.Reports == nil {
		return c, fault.Wrap(fault.Corrupt, err, path+" is damaged or of another version: restore it from a backup")
	}
	return c, nil
}

// save makes c durable: whole or not at all.
func save(dir string, c content) (err error) {
	path := filepath.Join(dir, fileName)
	b, err := json.MarshalIndent(c, "", "\t")
	if err != nil {
		return err // unreachable: our types always encode
	}
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err == nil {
		_, err = f.Write(append(b, '\n'))
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, path+" cannot be written")
	}
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
