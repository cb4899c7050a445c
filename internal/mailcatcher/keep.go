package mailcatcher

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"time"

	"rapport/internal/fault"
)

// What is kept over a stop stands in one file, a record for each mail: a head of fixed
// size, what lists show, and the source. A record is written at once and is not synced:
// what a dying machine had not written is cut off when the file is read, and nobody is
// promised more of a catcher. Who was erased is overwritten where they stand.

const (
	headSize = 36
	heldMark = "RcM1" // begins a record
	goneMark = "RcX1" // begins one of somebody who was erased: behind its head are zeros

	// The newest mails that stay over a stop: enough to look back, and nothing that
	// fills a disk.
	keepMails = 2_000
	keepBytes = 64 << 20

	maxLists = 1 << 20 // bytes of what lists show of one mail: a hundred recipients and a subject
)

// head is the beginning of a record.
type head struct {
	mark    string
	id      uint64
	at      int64 // in milliseconds
	shown   uint32
	size    uint32
	content uint32 // checksum of what follows
}

func (h *head) append(b []byte) []byte {
	b = append(b, h.mark...)
	b = binary.LittleEndian.AppendUint64(b, h.id)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.at))
	b = binary.LittleEndian.AppendUint32(b, h.shown)
	b = binary.LittleEndian.AppendUint32(b, h.size)
	b = binary.LittleEndian.AppendUint32(b, h.content)
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b[len(b)-headSize+8:]))
}

// readHead returns a head, and whether it is one.
func readHead(b []byte) (h head, ok bool) {
	h = head{
		mark: string(b[:4]), id: binary.LittleEndian.Uint64(b[4:]), at: int64(binary.LittleEndian.Uint64(b[12:])),
		shown: binary.LittleEndian.Uint32(b[20:]), size: binary.LittleEndian.Uint32(b[24:]), content: binary.LittleEndian.Uint32(b[28:]),
	}
	whole := crc32.ChecksumIEEE(b[4:32]) == binary.LittleEndian.Uint32(b[32:])
	return h, whole && (h.mark == heldMark || h.mark == goneMark) && h.shown <= maxLists && h.size <= maxMessage+1
}

// shown is what lists show of a mail.
type shown struct {
	Sender    string   `json:"sender"`
	Rcpt      []string `json:"rcpt"`
	From      string   `json:"from"`
	Subject   string   `json:"subject"`
	MessageID string   `json:"message_id"`
	Duplicate bool     `json:"duplicate,omitempty"`
}

// record returns a mail as it stands in the file, and how much of that lists show.
func record(m *Mail) (b []byte, list int) {
	s, err := json.Marshal(shown{m.Sender, m.Rcpt, m.From, m.Subject, m.MessageID, m.Duplicate})
	if err != nil || len(s) > maxLists {
		s = []byte("{}") // unreachable: texts only, of a head that SMTP bounds
	}
	h := head{mark: heldMark, id: uint64(m.ID), at: m.At.UnixMilli(), shown: uint32(len(s)), size: uint32(len(m.Source))}
	h.content = crc32.Update(crc32.ChecksumIEEE(s), crc32.IEEETable, m.Source)
	b = append(h.append(make([]byte, 0, headSize+len(s)+len(m.Source))), s...)
	return append(b, m.Source...), len(s)
}

// openKept opens the file and reads what is in it. What does not belong there, behind
// the last whole record, is cut off.
func openKept(s *store) error {
	f, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the file for caught mails cannot be opened")
	}
	s.file = f
	if err := os.Remove(s.path + ".new"); err != nil && !errors.Is(err, os.ErrNotExist) { // of a process that died
		return errors.Join(fault.Wrap(fault.Unavailable, err, "old mails cannot be removed"), f.Close())
	}
	if err := s.load(); err != nil {
		return errors.Join(fault.Wrap(fault.Unavailable, err, "the caught mails cannot be read"), f.Close())
	}
	return nil
}

func (s *store) load() error {
	r := bufio.NewReaderSize(s.file, 1<<20)
	var buf [headSize]byte
	for {
		if _, err := io.ReadFull(r, buf[:]); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				break
			}
			return err
		}
		h, ok := readHead(buf[:])
		if !ok || len(s.mails) > 0 && int(h.id) != s.last+1 {
			break
		}
		body := make([]byte, int(h.shown)+int(h.size))
		if _, err := io.ReadFull(r, body); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				break
			}
			return err
		}
		m := Mail{ID: int(h.id), At: time.UnixMilli(h.at).UTC(), Size: int(h.size), list: int(h.shown), offset: s.end + headSize + int64(h.shown)}
		if h.mark == goneMark {
			// A process that died in between has marked it and not yet overwritten it.
			if len(bytes.Trim(body, "\x00")) > 0 {
				if err := s.wipe(&m); err != nil {
					return err
				}
			}
			m.Subject, m.gone = forgotten, true
		} else {
			var list shown
			if crc32.ChecksumIEEE(body) != h.content || json.Unmarshal(body[:h.shown], &list) != nil {
				break
			}
			m.Sender, m.Rcpt, m.From, m.Subject, m.MessageID, m.Duplicate = list.Sender, list.Rcpt, list.From, list.Subject, list.MessageID, list.Duplicate
		}
		s.mails, s.last = append(s.mails, m), m.ID
		s.end += int64(headSize + len(body))
	}
	return errors.Join(s.file.Truncate(s.end), s.trim())
}

// start returns where the record of a mail begins.
func (m *Mail) start() int64 { return m.offset - int64(m.list) - headSize }

// trim leaves the newest mails, which stay over a stop, and nothing before them in the
// file.
func (s *store) trim() error {
	from := max(len(s.mails)-keepMails, 0)
	for from < len(s.mails) && s.end-s.mails[from].start() > keepBytes {
		from++
	}
	return s.dropTo(from)
}

// shrink takes what made room for newer mails out of the file, once it is more than
// what is kept: so each byte is copied about once.
func (s *store) shrink() error {
	if first := s.mails[0].start(); first < keepBytes || first < s.end/2 {
		return nil
	}
	return s.dropTo(0)
}

// dropTo makes the file anew with the mails from an index on, unless it begins with
// them.
func (s *store) dropTo(from int) error {
	first := s.end
	if from < len(s.mails) {
		first = s.mails[from].start()
	}
	if first == 0 {
		return nil
	}
	f, err := os.OpenFile(s.path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, io.NewSectionReader(s.file, first, s.end-first))
	if err = errors.Join(err, f.Sync()); err == nil {
		err = os.Rename(s.path+".new", s.path)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	err = errors.Join(s.file.Close(), syncDir(filepath.Dir(s.path)))
	s.file = f
	s.mails = append([]Mail(nil), s.mails[from:]...)
	for i := range s.mails {
		s.mails[i].offset -= first
	}
	s.end -= first
	return err
}

// wipe overwrites a mail that is kept: first the mark, so that a process that dies in
// between is finished by the next, then the words.
func (s *store) wipe(m *Mail) error {
	h := head{mark: goneMark, id: uint64(m.ID), at: m.At.UnixMilli(), shown: uint32(m.list), size: uint32(m.Size)}
	if _, err := s.file.WriteAt(h.append(nil), m.start()); err != nil {
		return err
	}
	_, err := s.file.WriteAt(make([]byte, m.list+m.Size), m.start()+headSize)
	return err
}

// closeKept leaves the newest mails in the file.
func (s *store) closeKept() error {
	err := errors.Join(s.trim(), s.file.Sync())
	return errors.Join(err, s.file.Close())
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// ForgetKept takes the mails to an address of which gone says so out of a file that no
// catcher has open, as [Catcher.Forget] does, and returns how many there were. Without
// a file there are none.
func ForgetKept(path string, gone func(rcpt string) bool) (int, error) {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	s := &store{path: path, kept: true, most: keepMails}
	if err := openKept(s); err != nil {
		return 0, err
	}
	n, err := s.forget(gone)
	return n, errors.Join(err, s.closeKept())
}
