package email

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"

	"rapport/internal/channels"
	"rapport/internal/channels/mail"
	"rapport/internal/fault"
)

// TLS says when the connection to the mail server is encrypted. A certificate is
// always checked.
type TLS uint8

// The ways to encrypt.
const (
	TLSOffered  TLS = iota // STARTTLS if the server offers it
	TLSRequired            // STARTTLS, or no mail
	TLSImplicit            // encrypted from the first byte, usually port 465
	TLSNever               // never; for a server on this machine
)

// Options say which mail server, and how. Addr is required.
type Options struct {
	// Addr is the mail server's "host:port".
	Addr string

	// Hello is the name with which we greet: this machine's public name.
	// Default: "localhost", which a relay of one's own takes and a stranger's
	// server may not.
	Hello string

	// TLS says when to encrypt. Default: if the server offers it.
	TLS TLS

	// TLSConfig overrides how certificates are checked. Default: nil, the
	// system's roots and the host of Addr.
	TLSConfig *tls.Config

	// User and Password log in by AUTH PLAIN. Default: empty, no login. They are
	// sent only over an encrypted connection or to this machine.
	User, Password string

	// Connections is how many connections are open at most. Default: 4.
	Connections int

	// Timeout is how long a connection or the answer to a command may take.
	// Default: 30 s.
	Timeout time.Duration

	// DataTimeout is how long the answer to a whole message may take; when it is
	// over the message is Unknown. Default: 2 min. RFC 5321 §4.5.3.2.6 asks for
	// 10 min, but a claim must not be held that long.
	DataTimeout time.Duration

	// Sign returns the signatures to put before a mail, by the domain that answers
	// for it; nothing for a domain without keys. A mail that cannot be signed for a
	// reason does not leave: it is Deferred. Default: nil, no mail is signed.
	Sign func(domain string, mail []byte) ([]byte, error)
}

// The defaults of [Options] and the bounds of Connections: above 64 a receiver
// suspects an attack.
const (
	defaultConnections = 4
	maxConnections     = 64
	defaultTimeout     = 30 * time.Second
	defaultDataTimeout = 2 * time.Minute
)

// idleFor is how long an unused connection is trusted. Servers close after five
// minutes or less; finding out costs a round trip.
const idleFor = 30 * time.Second

// Channel implements [channels.Channel] over SMTP.
type Channel struct {
	o     Options
	tls   *tls.Config
	slots chan struct{} // one token for each connection that may be open

	mu     sync.Mutex
	idle   []*conn
	closed bool
}

// New returns a channel to the mail server. It does not connect yet. Options
// that cannot work are Invalid.
func New(o Options) (*Channel, error) {
	host, _, err := net.SplitHostPort(o.Addr)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the mail server's address must be host:port, such as smtp.example.com:587")
	}
	if o.Hello == "" {
		o.Hello = "localhost"
	}
	for i := 0; i < len(o.Hello); i++ {
		if c := o.Hello[i]; c <= ' ' || c > '~' {
			return nil, fault.New(fault.Invalid, "the name in Hello must be a host name")
		}
	}
	if o.Connections == 0 {
		o.Connections = defaultConnections
	}
	if o.Connections < 1 || o.Connections > maxConnections {
		return nil, fault.New(fault.Invalid, "Connections must be from 1 to 64")
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.DataTimeout <= 0 {
		o.DataTimeout = defaultDataTimeout
	}
	c := &Channel{o: o, tls: o.TLSConfig, slots: make(chan struct{}, o.Connections)}
	if c.tls == nil {
		c.tls = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	}
	return c, nil
}

// Close takes leave of the server on every unused connection. A Send that runs
// goes on; later ones find their messages Deferred.
func (c *Channel) Close() error {
	c.mu.Lock()
	idle := c.idle
	c.idle, c.closed = nil, true
	c.mu.Unlock()
	for _, k := range idle {
		k.quit()
	}
	return nil
}

// perConnection is how many messages make a further connection worth its while.
const perConnection = 4

// Send keeps the promise of [channels.Channel].
func (c *Channel) Send(ctx context.Context, batch []channels.Message) []channels.Outcome {
	out := make([]channels.Outcome, len(batch))
	within := min(len(batch), channels.MaxBatch)
	for i := within; i < len(batch); i++ {
		out[i] = deferred("the batch is too large", retryConnection)
	}
	q := &queue{batch: batch[:within], out: out, sign: c.o.Sign, empty: make(chan struct{})}
	var wg sync.WaitGroup
	for range min(c.o.Connections, (within+perConnection-1)/perConnection) {
		wg.Go(func() { c.work(ctx, q) })
	}
	wg.Wait()
	q.giveUp()
	return out
}

// deferred is the outcome of a message of which nothing was taken.
func deferred(why string, wait time.Duration) channels.Outcome {
	return channels.Outcome{State: channels.Deferred, Detail: channels.Clip(why), RetryAfter: wait}
}

// queue hands the messages of a batch to the workers and keeps the outcomes.
// Each outcome has one writer: the worker that took the message.
type queue struct {
	batch []channels.Message
	out   []channels.Outcome
	sign  func(domain string, mail []byte) ([]byte, error)
	empty chan struct{} // closed when the last message was taken

	mu   sync.Mutex
	next int
	why  error // why a worker could not connect
}

// job is a composed message with its place in the batch.
type job struct {
	Mail
	i int
}

// take returns the next message that can be composed, and false if there is
// none. Those that cannot are rejected on the way.
func (q *queue) take(j *job) bool {
	for {
		q.mu.Lock()
		i := q.next
		if i == len(q.batch) {
			q.mu.Unlock()
			return false
		}
		if q.next++; q.next == len(q.batch) {
			close(q.empty)
		}
		q.mu.Unlock()
		composed, err := compose(&q.batch[i], j.Data)
		if err == nil && q.sign != nil {
			if err := composed.sign(q.sign, &q.batch[i]); err != nil {
				q.out[i] = deferred("the mail could not be signed: "+err.Error(), retrySigning)
				continue
			}
		}
		if err == nil {
			*j = job{composed, i}
			return true
		}
		q.out[i] = mail.Refused(&q.batch[i], err)
	}
}

func (q *queue) failed(err error) {
	q.mu.Lock()
	q.why = err
	q.mu.Unlock()
}

// giveUp defers what no worker took.
func (q *queue) giveUp() {
	why := "there is no connection to the mail server"
	if q.why != nil {
		why = q.why.Error()
	}
	for i := q.next; i < len(q.batch); i++ {
		q.out[i] = deferred(why, retryConnection)
	}
}

// acquire waits for the right to have a connection open. It returns false when
// ctx ends, the batch is empty or the channel is closed.
func (c *Channel) acquire(ctx context.Context, q *queue) bool {
	if ctx.Err() != nil {
		return false
	}
	select {
	case c.slots <- struct{}{}:
		return true
	case <-ctx.Done():
	case <-q.empty:
	}
	return false
}

// connect returns a connection that waited, or a new one.
func (c *Channel) connect(ctx context.Context, fresh bool) (*conn, error) {
	var k *conn
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil, fault.New(fault.Unavailable, "the channel is closed")
	}
	var stale []*conn
	for len(c.idle) > 0 && k == nil {
		last := c.idle[len(c.idle)-1]
		c.idle = c.idle[:len(c.idle)-1]
		if fresh || time.Since(last.idle) > idleFor {
			stale = append(stale, last)
			continue
		}
		k = last
	}
	c.mu.Unlock()
	for _, s := range stale {
		s.nc.Close()
	}
	if k == nil {
		var err error
		if k, err = c.dial(ctx); err != nil {
			return nil, err
		}
	}
	k.watch(ctx)
	return k, nil
}

// release keeps a connection for the next Send.
func (c *Channel) release(k *conn) {
	if !k.stop() { // the context has ended and closed the wire under us
		k.nc.Close()
		return
	}
	k.idle = time.Now()
	c.mu.Lock()
	keep := !c.closed
	if keep {
		c.idle = append(c.idle, k)
	}
	c.mu.Unlock()
	if !keep {
		k.quit()
	}
}

func (c *Channel) drop(k *conn) {
	k.stop()
	k.nc.Close()
}
