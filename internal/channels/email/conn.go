package email

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// conn is one connection to the mail server. It is used by one goroutine.
type conn struct {
	nc  net.Conn
	r   *bufio.Reader
	buf []byte // what is written next; kept, so that its memory serves again

	pipelining bool // the server takes several commands at once (RFC 2920)
	used       bool // a command has been answered since the connection was opened
	reset      bool // a transaction was left open: RSET before the next
	idle       time.Time

	ctx  context.Context // of the Send that uses it
	stop func() bool     // ends the watch on ctx
}

// dial opens a connection and brings it to where mail can be sent.
func (c *Channel) dial(ctx context.Context) (_ *conn, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	var nc net.Conn
	if c.o.TLS == TLSImplicit {
		nc, err = (&tls.Dialer{Config: c.tls}).DialContext(ctx, "tcp", c.o.Addr)
	} else {
		nc, err = (&net.Dialer{}).DialContext(ctx, "tcp", c.o.Addr)
	}
	if err != nil {
		return nil, fmt.Errorf("connecting to the mail server: %w", err)
	}
	k := &conn{nc: nc, r: bufio.NewReaderSize(nc, maxReplyLine)}
	stop := k.watch(ctx)
	defer func() {
		if !stop() && err == nil {
			err = ctx.Err()
		}
		if err != nil {
			nc.Close()
		}
	}()
	if r, err := k.read(c.o.Timeout); err != nil {
		return nil, fmt.Errorf("reading the mail server's greeting: %w", err)
	} else if r.code != 220 {
		return nil, fmt.Errorf("the mail server does not take mail: %d %s", r.code, r.text)
	}
	extensions, err := k.hello(c)
	if err != nil {
		return nil, err
	}
	_, offered := extensions["STARTTLS"]
	switch {
	case c.o.TLS == TLSNever || c.o.TLS == TLSImplicit:
	case offered:
		if extensions, err = k.startTLS(ctx, c); err != nil {
			return nil, err
		}
	case c.o.TLS == TLSRequired:
		return nil, errors.New("the mail server does not offer STARTTLS, which is required")
	}
	if c.o.User != "" {
		if err := k.auth(c, extensions["AUTH"]); err != nil {
			return nil, err
		}
	}
	_, k.pipelining = extensions["PIPELINING"]
	return k, nil
}

// watch makes every wait on the connection end when ctx does.
func (k *conn) watch(ctx context.Context) (stop func() bool) {
	k.ctx = ctx
	k.stop = context.AfterFunc(ctx, func() { k.nc.SetDeadline(time.Unix(1, 0)) })
	return k.stop
}

// within gives the next reads and writes that long. The context is looked at
// after the deadline is set, so that its end is never overwritten.
func (k *conn) within(d time.Duration) {
	k.nc.SetDeadline(time.Now().Add(d)) // an error shows at the next read or write
	if k.ctx.Err() != nil {
		k.nc.SetDeadline(time.Unix(1, 0))
	}
}

func (k *conn) read(timeout time.Duration) (reply, error) {
	if k.r.Buffered() == 0 {
		k.within(timeout)
	}
	return readReply(k.r)
}

// ask writes one command and reads its reply.
func (k *conn) ask(timeout time.Duration, command string) (reply, error) {
	k.within(timeout)
	if _, err := k.nc.Write(append(append(k.buf[:0], command...), "\r\n"...)); err != nil {
		return reply{}, err
	}
	return k.read(timeout)
}

// hello says EHLO and returns the server's extensions, their names in capitals.
func (k *conn) hello(c *Channel) (map[string]string, error) {
	r, err := k.ask(c.o.Timeout, "EHLO "+c.o.Hello)
	if err != nil {
		return nil, fmt.Errorf("saying EHLO: %w", err)
	}
	if !r.ok() {
		return nil, fmt.Errorf("the mail server refuses EHLO: %d %s", r.code, r.text)
	}
	extensions := map[string]string{}
	lines := strings.Split(r.text, "\n")
	for _, line := range lines[1:] {
		name, args, _ := strings.Cut(line, " ")
		extensions[strings.ToUpper(name)] = args
	}
	return extensions, nil
}

// startTLS encrypts the connection and says EHLO again: nothing heard before
// encryption is believed after it.
func (k *conn) startTLS(ctx context.Context, c *Channel) (map[string]string, error) {
	r, err := k.ask(c.o.Timeout, "STARTTLS")
	if err != nil {
		return nil, fmt.Errorf("saying STARTTLS: %w", err)
	}
	if r.code != 220 {
		return nil, fmt.Errorf("the mail server offers STARTTLS and refuses it: %d %s", r.code, r.text)
	}
	if k.r.Buffered() > 0 {
		return nil, errors.New("the mail server spoke on before encryption began: somebody may be in between")
	}
	secure := tls.Client(k.nc, c.tls)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("encrypting the connection to the mail server: %w", err)
	}
	k.nc = secure
	k.r.Reset(secure)
	return k.hello(c)
}

// auth says who we are, by PLAIN (RFC 4616).
func (k *conn) auth(c *Channel, mechanisms string) error {
	if _, encrypted := k.nc.(*tls.Conn); !encrypted && !loopback(k.nc.RemoteAddr()) {
		return errors.New("the password is not sent over a connection that is not encrypted: set TLS")
	}
	plain := false
	for _, m := range strings.Fields(mechanisms) {
		plain = plain || strings.EqualFold(m, "PLAIN")
	}
	if !plain {
		return errors.New("the mail server does not offer AUTH PLAIN")
	}
	r, err := k.ask(c.o.Timeout, "AUTH PLAIN "+base64.StdEncoding.EncodeToString([]byte("\x00"+c.o.User+"\x00"+c.o.Password)))
	if err != nil {
		return fmt.Errorf("saying AUTH: %w", err)
	}
	if !r.ok() {
		return fmt.Errorf("the mail server refuses the user name or password: %d %s", r.code, r.text)
	}
	return nil
}

func loopback(a net.Addr) bool {
	t, ok := a.(*net.TCPAddr)
	return ok && t.IP.IsLoopback()
}

// quit takes leave, without waiting long for an answer that changes nothing.
func (k *conn) quit() {
	k.nc.SetDeadline(time.Now().Add(quitWait))
	if _, err := k.nc.Write([]byte("QUIT\r\n")); err == nil {
		readReply(k.r) // only so that the server need not write into a closed connection
	}
	k.nc.Close()
}

// quitWait is how long QUIT may take.
const quitWait = time.Second
