package mailcatcher

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"rapport/internal/fault"
)

// Mail is one mail that was taken.
type Mail struct {
	ID        int       // counts from 1
	At        time.Time // when it was taken
	Sender    string    // MAIL FROM
	Rcpt      []string  // RCPT TO
	From      string    // the header, decoded
	Subject   string    // the header, decoded
	MessageID string
	Duplicate bool // the Message-ID had come before
	Size      int  // bytes of Source

	// Source is the mail as it came, without the stuffed dots. Lists leave it out.
	Source []byte

	offset int64 // where Source stands in the file
	list   int   // bytes before it, of what lists show, in a file that is kept
	gone   bool  // its recipient was erased
}

// store keeps mails: the index always in memory, the sources there or in a file.
// It is a queue: the newest goes in at the end, the oldest falls out.
type store struct {
	mu    sync.RWMutex
	mails []Mail // with rising ids, without gaps
	last  int    // the newest id
	bytes int64  // of the sources in memory
	most  int
	room  int64

	file *os.File
	kept bool // the file stays
	path string
	end  int64
}

func newStore(o Options) (*store, error) {
	s := &store{most: o.MaxMails, room: o.MaxBytes, path: o.Spill}
	if o.Keep != "" {
		s.path, s.kept = o.Keep, true
		return s, openKept(s)
	}
	if o.Spill == "" {
		return s, nil
	}
	f, err := os.OpenFile(o.Spill, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the file for caught mails cannot be made")
	}
	s.file = f
	return s, nil
}

// add keeps a mail and gives it its id. An error means that it was not kept.
func (s *store) add(m Mail) error {
	m.Size = len(m.Source)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept {
		m.ID = s.last + 1
		b, list := record(&m)
		if _, err := s.file.WriteAt(b, s.end); err != nil {
			return err
		}
		m.list, m.offset, m.Source = list, s.end+headSize+int64(list), nil
		s.end += int64(len(b))
	} else if s.file != nil {
		// A failed write leaves a hole that the next mail overwrites.
		if _, err := s.file.WriteAt(m.Source, s.end); err != nil {
			return err
		}
		m.offset, m.Source = s.end, nil
		s.end += int64(m.Size)
	} else {
		s.bytes += int64(m.Size)
	}
	s.last++
	m.ID = s.last
	s.mails = append(s.mails, m)
	drop := 0
	for len(s.mails)-drop > s.most || s.file == nil && s.bytes > s.room && len(s.mails)-drop > 1 {
		s.bytes -= int64(len(s.mails[drop].Source))
		s.mails[drop] = Mail{} // so that what it held can be freed before the slice moves
		drop++
	}
	s.mails = s.mails[drop:]
	if s.kept && drop > 0 {
		return s.shrink()
	}
	return nil
}

func (s *store) len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.mails)
}

func (s *store) list(f Filter, before, limit int) []Mail {
	s.mu.RLock()
	defer s.mu.RUnlock()
	want := strings.ToLower(strings.TrimSpace(f.To))
	var out []Mail
	i := len(s.mails)
	if before > 0 && i > 0 {
		i = max(0, min(i, before-s.mails[0].ID))
	}
	for i--; i >= 0 && len(out) < limit; i-- {
		m := s.mails[i]
		if want == "" || slices.ContainsFunc(m.Rcpt, func(r string) bool { return strings.Contains(strings.ToLower(r), want) }) {
			if m.Source = nil; m.gone {
				m.Size = 0
			}
			out = append(out, m)
		}
	}
	return out
}

func (s *store) mail(id int) (Mail, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.mails) == 0 || id < s.mails[0].ID || id > s.last {
		return Mail{}, fault.New(fault.NotFound, "there is no such mail, or it had to make room for newer ones")
	}
	m := s.mails[id-s.mails[0].ID]
	if m.gone {
		m.Size = 0
	}
	if s.file != nil {
		m.Source = make([]byte, m.Size)
		if _, err := s.file.ReadAt(m.Source, m.offset); err != nil {
			return Mail{}, fault.Wrap(fault.Corrupt, err, "the mail cannot be read back")
		}
	}
	return m, nil
}

func (s *store) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() { s.mails = nil }()
	if s.file == nil {
		return nil
	}
	if s.kept {
		err := s.closeKept()
		if errors.Is(err, os.ErrClosed) {
			err = nil
		}
		s.file = nil
		return err
	}
	err := s.file.Close()
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	if gone := os.Remove(s.path); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// digest shortens a Message-ID, which a stranger wrote and may be long.
func digest(s string) [16]byte {
	sum := sha256.Sum256([]byte(s))
	return [16]byte(sum[:])
}
