// Package mailcatcher is a mail server that keeps everything and passes nothing
// on. The demo and the tests send real SMTP to it, and people read there what
// their customers would have got.
//
// It is as strict as the strictest receiver, because a mistake that it overlooks
// is found by a mailbox provider: lines must end in CRLF and be at most 998
// octets, dots at the start of lines must be stuffed, and a message needs From,
// To, Date and Message-ID, each once. It can be told to refuse, to ask for
// patience and to fall silent, so that every outcome of a delivery can be
// brought about over a real connection.
//
// It accepts mail from anybody who can reach it, and so listens on loopback
// addresses only.
package mailcatcher

import (
	"errors"
	"io"
	"log"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"

	"rapport/internal/fault"
)

// Reply is an answer other than "taken".
type Reply struct {
	Code     int    // 4xx or 5xx
	Enhanced [3]int // such as {5, 1, 1}; the zero value becomes x.0.0
	Text     string

	// AtEnd gives the answer to the whole message rather than to RCPT.
	AtEnd bool

	// Lost takes the message and closes the connection without an answer; Cut
	// closes it at RCPT, before there was a message. With either, Code is not used.
	Lost, Cut bool
}

// Options of a [Catcher]. The zero Options take every mail and keep it in memory.
type Options struct {
	// Reject says what to answer for a recipient. Default: nil, and a nil Reply,
	// take the mail. It may be called from many goroutines.
	Reject func(rcpt string) *Reply

	// Spill is a file that the mails are written to; it is truncated first and
	// removed by Close. Default: empty, mails stay in memory.
	Spill string

	// Keep is a file that the mails are written to and that stays: New reads what an
	// earlier catcher left in it, and Close leaves the newest 2,000 mails, of at most
	// 64 MB. Default: empty, a stop forgets all. With it Spill is not used.
	Keep string

	// MaxMails is how many mails are kept; the oldest go first. Default: 100,000,
	// whose index takes some 50 MB.
	MaxMails int

	// MaxBytes is how much memory the mails themselves may take when there is no
	// Spill; the oldest go first. Default: 256 MB.
	MaxBytes int64

	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// The defaults of [Options] and the limits of the server.
const (
	defaultMails = 100_000
	defaultBytes = 256 << 20
	maxMessage   = 16 << 20 // more than any mail of ours; bounds a stranger's
	maxErrors    = 100      // remembered for the page
	maxIDs       = 1 << 20  // Message-IDs remembered to count duplicates: 24 MB
)

// Catcher is a mail server with a store. Make one with [New].
type Catcher struct {
	o     Options
	store *store
	smtp  *smtp.Server

	mu       sync.Mutex
	listener net.Listener
	refused  []string // the newest complaints about what came
	ids      map[[16]byte]struct{}

	received   atomic.Int64
	duplicates atomic.Int64
	faulty     atomic.Int64
	done       sync.WaitGroup
}

// New returns a catcher that does not listen yet. An error means that its file
// cannot be made or read.
func New(o Options) (*Catcher, error) {
	if o.MaxMails <= 0 {
		o.MaxMails = defaultMails
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultBytes
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s, err := newStore(o)
	if err != nil {
		return nil, err
	}
	c := &Catcher{o: o, store: s, ids: map[[16]byte]struct{}{}}
	for i := range s.mails {
		if !s.mails[i].gone {
			c.seen(s.mails[i].MessageID)
		}
	}
	c.smtp = smtp.NewServer(smtp.BackendFunc(func(sc *smtp.Conn) (smtp.Session, error) {
		return &session{c: c, conn: sc}, nil
	}))
	c.smtp.Domain = "mailcatcher.localhost"
	c.smtp.MaxMessageBytes = maxMessage
	c.smtp.MaxRecipients = 100
	c.smtp.MaxLineLength = maxWireLine
	c.smtp.ReadTimeout = 5 * time.Minute
	c.smtp.WriteTimeout = time.Minute
	c.smtp.ErrorLog = log.New(io.Discard, "", 0) // broken connections are the client's to report
	return c, nil
}

// maxWireLine is where the server gives up on a line. It is far above 998, so
// that a line which is merely too long gets an answer and not a closed connection.
const maxWireLine = 64 << 10

// Listen takes mail on addr, a loopback address such as "127.0.0.1:1025"; port 0
// picks a free one. It returns once the port is open. Other addresses are
// Invalid; a port in use is Unavailable.
func (c *Catcher) Listen(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the address to listen on must be host:port, such as 127.0.0.1:1025")
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fault.New(fault.Invalid, "the mail catcher takes mail from anybody and so listens on 127.0.0.1 or ::1 only")
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the mail catcher cannot listen on "+addr)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.listener != nil {
		l.Close()
		return fault.New(fault.Conflict, "the mail catcher listens already")
	}
	c.listener = l
	c.done.Go(func() {
		// Serve ends when Close closes the listener; there is nothing to add.
		c.smtp.Serve(stuffListener{l})
	})
	return nil
}

// Addr returns the address that mail is taken on; empty before Listen.
func (c *Catcher) Addr() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.listener == nil {
		return ""
	}
	return c.listener.Addr().String()
}

// Close stops taking mail, forgets everything and removes the spill file; of a file
// that is kept the newest mails stay.
func (c *Catcher) Close() error {
	err := c.smtp.Close()
	if errors.Is(err, smtp.ErrServerClosed) {
		err = nil
	}
	c.mu.Lock()
	l := c.listener
	c.mu.Unlock()
	if l != nil {
		// The server closes the listeners it serves already; one that it was about
		// to serve it does not know yet.
		if gone := l.Close(); !errors.Is(gone, net.ErrClosed) {
			err = errors.Join(err, gone)
		}
	}
	c.done.Wait()
	return errors.Join(err, c.store.close())
}

// Count returns how many mails were taken since the start, kept or not.
func (c *Catcher) Count() int { return int(c.received.Load()) }

// Stats is what a catcher has seen.
type Stats struct {
	Received   int      // mails taken
	Kept       int      // mails that can still be read
	Duplicates int      // mails whose Message-ID had been seen
	Faulty     int      // mails refused because a strict receiver would refuse them
	Complaints []string // what was wrong with the newest of those, newest last
}

// Stats returns what the catcher has seen.
func (c *Catcher) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{
		Received:   int(c.received.Load()),
		Kept:       c.store.len(),
		Duplicates: int(c.duplicates.Load()),
		Faulty:     int(c.faulty.Load()),
		Complaints: append([]string(nil), c.refused...),
	}
}

// Filter says which mails are wanted. The zero Filter wants all.
type Filter struct {
	To string // part of a recipient's address, in any case
}

// Page is a part of the mails, newest first.
type Page struct {
	Before int // only mails with a smaller id; 0 begins at the newest
	Limit  int // at most so many; 0 means 50, and more than 500 means 500
}

// maxPage bounds what one answer lists.
const maxPage = 500

// Mails returns the mails that the filter wants, newest first, without their
// source. To go on, ask again with Before set to the last one's id.
func (c *Catcher) Mails(f Filter, p Page) []Mail {
	if p.Limit <= 0 {
		p.Limit = 50
	}
	return c.store.list(f, p.Before, min(p.Limit, maxPage))
}

// Mail returns one mail with its source. It is NotFound if there is none with
// that id or it had to make room.
func (c *Catcher) Mail(id int) (Mail, error) { return c.store.mail(id) }

// seen notes a Message-ID and reports whether it had come before.
func (c *Catcher) seen(id string) bool {
	key := digest(id)
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.ids[key]; ok {
		return true
	}
	if len(c.ids) < maxIDs {
		c.ids[key] = struct{}{}
	}
	return false
}

func (c *Catcher) complain(what string) {
	c.faulty.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.refused) == maxErrors {
		c.refused = append(c.refused[:0], c.refused[1:]...)
	}
	c.refused = append(c.refused, what)
}
