package schedule

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/durable"
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
	Since    event.Time `json:"since"`
	Schedule string     `json:"schedule"` // empty: the definition was taken away

	// Due, From and To are the instant and the period that Mails are about, and Missed is
	// how many before it were left out.
	Due    event.Time        `json:"due"`
	From   event.Time        `json:"from"`
	To     event.Time        `json:"to"`
	Missed int               `json:"missed"`
	Mails  map[string]string `json:"mails"` // by the id of the message: no address stands here

	Sent    event.Time `json:"sent"`    // when one of this report was accepted last
	Why     string     `json:"why"`     // what was in the way of those that wait
	Again   event.Time `json:"again"`   // they are not tried before
	Trouble string     `json:"trouble"` // what became of mails that nobody got
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
func save(dir string, c content) error {
	path := filepath.Join(dir, fileName)
	b, err := json.MarshalIndent(c, "", "\t")
	if err != nil {
		return err // unreachable: our types always encode
	}
	return fault.Wrap(fault.Unavailable, durable.Write(path, append(b, '\n')), path+" cannot be written")
}
