package mailcatcher

// Forget takes away every mail to an address of which gone says so, and returns
// how many there were. Their numbers stay, with nothing behind them; in the spill
// file their bytes are overwritten.
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
		if s.file != nil {
			if _, err := s.file.WriteAt(make([]byte, m.Size), m.offset); err != nil {
				return n, err
			}
		} else {
			s.bytes -= int64(len(m.Source))
		}
		s.mails[i] = Mail{ID: m.ID, At: m.At, Subject: forgotten, offset: m.offset}
		n++
	}
	if n > 0 && s.file != nil {
		err = s.file.Sync()
	}
	return n, err
}

// forgotten stands for a mail whose recipient was erased.
const forgotten = "(erased)"
