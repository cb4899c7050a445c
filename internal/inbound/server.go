package inbound

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"

	"rapport/internal/channels"
	"rapport/internal/fault"
	"rapport/internal/site"
)

// Reader knows the addresses that we made. [site.Signer] does.
type Reader interface {
	// ReadAddress returns the kind and the delivery of an address of ours; an error
	// for every other.
	ReadAddress(address string) (site.Return, string, error)
}

// Options are what a server is made of. Addresses and Receiver are required.
type Options struct {
	Addresses Reader
	Receiver  channels.Receiver

	// Hello is the name with which the server greets: the one that MX names.
	// Default: "localhost".
	Hello string

	// Log is told of what is passed over. Default: nothing is.
	Log *slog.Logger
}

// The limits. Whoever reports a bounce sends one small mail to one recipient.
const (
	maxSize        = 10 << 20 // a report may return the whole message
	maxRecipients  = 10
	maxConnections = 50
	maxPerHost     = 10
	maxBad         = 20 // refused recipients, after which a connection is somebody who guesses
	timeout        = time.Minute
	receiveWithin  = 30 * time.Second
)

// Counts are what has come in.
type Counts struct {
	Bounces, Complaints, Unsubscribes atomic.Int64 // handed on
	Ignored                           atomic.Int64 // taken, and nothing of these: a holiday, a warning
	Forged                            atomic.Int64 // an address like ours with a wrong signature, or a report without one
	Refused                           atomic.Int64 // every other recipient
}

// Server takes the mails. Make one with [New].
type Server struct {
	Counts Counts

	o    Options
	smtp *smtp.Server

	mu    sync.Mutex
	addr  net.Addr
	hosts map[string]int
	open  int
}

// New returns a server that does not listen yet.
func New(o Options) (*Server, error) {
	if o.Addresses == nil || o.Receiver == nil {
		return nil, fault.New(fault.Invalid, "the server for incoming mail needs to know our addresses, and who receives")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{o: o, hosts: map[string]int{}}
	s.smtp = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{s: s}, nil }))
	s.smtp.Domain = o.Hello
	if s.smtp.Domain == "" {
		s.smtp.Domain = "localhost"
	}
	s.smtp.MaxMessageBytes, s.smtp.MaxRecipients = maxSize, maxRecipients
	s.smtp.ReadTimeout, s.smtp.WriteTimeout = timeout, timeout
	s.smtp.MaxLineLength = 4096
	s.smtp.ErrorLog = quiet{}
	return s, nil
}

// quiet drops what the library says of clients that behave badly: it is counted.
type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// Listen takes connections on the address until Close.
func (s *Server) Listen(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "cannot listen for mail on "+addr)
	}
	s.mu.Lock()
	s.addr = l.Addr()
	s.mu.Unlock()
	go func() {
		if err := s.smtp.Serve(&bounded{l, s}); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			s.o.Log.Error("the server for incoming mail stopped", "error", err)
		}
	}()
	return nil
}

// Addr returns where the server listens.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.addr == nil {
		return ""
	}
	return s.addr.String()
}

// Close waits for the mails that are being taken, until ctx ends.
func (s *Server) Close(ctx context.Context) error {
	if err := s.smtp.Shutdown(ctx); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
		return errors.Join(err, s.smtp.Close())
	}
	return nil
}

// bounded is a listener that lets in so many at once, and so many of one host.
// Who comes beyond that is sent away and comes back: it is a mail server.
type bounded struct {
	net.Listener
	s *Server
}

// Accept returns the next connection that there is room for.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		c, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host, _, err := net.SplitHostPort(c.RemoteAddr().String())
		if err != nil {
			host = c.RemoteAddr().String()
		}
		if b.s.enter(host) {
			return &leaving{Conn: c, s: b.s, host: host}, nil
		}
		c.SetDeadline(time.Now().Add(time.Second)) // an error shows at the write
		c.Write([]byte("421 4.7.0 too many connections, please come back later\r\n"))
		c.Close()
	}
}

func (s *Server) enter(host string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open >= maxConnections || s.hosts[host] >= maxPerHost {
		return false
	}
	s.open++
	s.hosts[host]++
	return true
}

// leaving makes room when it is closed.
type leaving struct {
	net.Conn
	s    *Server
	host string
	once sync.Once
}

// Close closes the connection.
func (l *leaving) Close() error {
	l.once.Do(func() {
		l.s.mu.Lock()
		defer l.s.mu.Unlock()
		l.s.open--
		if l.s.hosts[l.host]--; l.s.hosts[l.host] == 0 {
			delete(l.s.hosts, l.host)
		}
	})
	return l.Conn.Close()
}
