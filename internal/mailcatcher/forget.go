package mailcatcher

import "errors"

// Forget takes away every mail to an address of which gone says so, and returns
// how many there were. Their numbers stay, with nothing behind them; in the file their
// bytes are overwritten, and what made room for newer mails is taken out of it.
func (c *Catcher) Forget(gone func(rcpt string) bool) (int, error) { return c.store.forget(gone) }

func (s *store) forget(gone func(rcpt string) bool) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.mails {
		m := &s.mails[i]
		to := false
		for _, r := range m.Rcpt {
			to = to || gone(r)
		}
		if !to {
			continue
		}
		if s.kept {
			if err := s.wipe(m); err != nil {
				return n, err
			}
		} else if s.file != nil {
			if _, err := s.file.WriteAt(make([]byte, m.Size), m.offset); err != nil {
				return n, err
			}
		} else {
			s.bytes -= int64(len(m.Source))
		}
		s.mails[i] = Mail{ID: m.ID, At: m.At, Subject: forgotten, Size: kept(s, m), offset: m.offset, list: m.list, gone: true}
		n++
	}
	if s.kept {
		err = s.dropTo(0) // who they were to is not known any more
	}
	if n > 0 && s.file != nil {
		err = errors.Join(err, s.file.Sync())
	}
	return n, err
}

// kept is the size of a mail that was forgotten: what it takes in a file that is kept,
// else nothing.
func kept(s *store, m *Mail) int {
	if s.kept {
		return m.Size
	}
	return 0
}

// forgotten stands for a mail whose recipient was erased.
const forgotten = "(erased)"
