package email_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"rapport/internal/channels"
	"rapport/internal/channels/channeltest"
	"rapport/internal/channels/email"
)

// secure is a mail server with a certificate and a password.
type secure struct {
	addr      string
	roots     *x509.CertPool
	encrypted atomic.Int64 // mails that came over an encrypted connection
	known     atomic.Int64 // mails of somebody who had logged in
}

type secureSession struct {
	s     *secure
	c     *smtp.Conn
	known bool
}

func (*secureSession) Reset()                               {}
func (*secureSession) Logout() error                        { return nil }
func (*secureSession) Mail(string, *smtp.MailOptions) error { return nil }
func (*secureSession) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (*secureSession) AuthMechanisms() []string             { return []string{"PLAIN"} }

func (x *secureSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "shop" || password != "sécret" {
			return errors.New("wrong password")
		}
		x.known = true
		return nil
	}), nil
}

func (x *secureSession) Data(r io.Reader) error {
	if _, ok := x.c.TLSConnectionState(); ok {
		x.s.encrypted.Add(1)
	}
	if x.known {
		x.s.known.Add(1)
	}
	_, err := io.Copy(io.Discard, r)
	return err
}

func secureServer(t *testing.T, implicit bool) *secure {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	s := &secure{roots: x509.NewCertPool()}
	s.roots.AddCert(cert)
	srv := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &secureSession{s: s, c: c}, nil }))
	srv.ErrorLog = log.New(io.Discard, "", 0)
	srv.AllowInsecureAuth = true
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	if implicit {
		l = tls.NewListener(l, config)
	} else {
		srv.TLSConfig = config
	}
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close(); l.Close() })
	return s
}

func TestTheConnectionIsEncryptedAsAsked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		mode      email.TLS
		implicit  bool
		trust     bool
		want      channels.State
		encrypted int64
	}{
		{"offered and taken", email.TLSOffered, false, true, channels.Accepted, 1},
		{"required and offered", email.TLSRequired, false, true, channels.Accepted, 1},
		{"from the first byte", email.TLSImplicit, true, true, channels.Accepted, 1},
		{"never", email.TLSNever, false, true, channels.Accepted, 0},
		{"offered with a certificate nobody knows: not sent in the clear instead", email.TLSOffered, false, false, channels.Deferred, 0},
		{"from the first byte with a certificate nobody knows", email.TLSImplicit, true, false, channels.Deferred, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := secureServer(t, c.implicit)
			o := email.Options{Addr: s.addr, TLS: c.mode}
			if c.trust {
				o.TLSConfig = &tls.Config{RootCAs: s.roots, ServerName: "127.0.0.1"}
			}
			got := channel(t, o).Send(t.Context(), []channels.Message{channeltest.Message(1)})
			if got[0].State != c.want || s.encrypted.Load() != c.encrypted {
				t.Fatalf("%+v, %d mails over an encrypted connection; want %s and %d", got[0], s.encrypted.Load(), c.want, c.encrypted)
			}
		})
	}
}

func TestRequiredEncryptionThatIsNotOfferedDefersEverything(t *testing.T) {
	t.Parallel()
	s := script(t, func(p *peer) { p.serve(nil) })
	got := channel(t, email.Options{Addr: s.addr, TLS: email.TLSRequired}).Send(t.Context(), []channels.Message{channeltest.Message(1)})
	if got[0].State != channels.Deferred || !strings.Contains(got[0].Detail, "STARTTLS") || s.bodies.Load() != 0 {
		t.Fatalf("%+v, %d messages in the clear", got[0], s.bodies.Load())
	}
}

// Words that somebody in between put behind the answer to STARTTLS would be read
// as if they had come over the encrypted connection.
func TestWordsBehindTheAnswerToSTARTTLSAreNotBelieved(t *testing.T) {
	t.Parallel()
	s := script(t, func(p *peer) {
		p.serve(map[string]string{"STARTTLS": "220 go on\r\n250 injected"}, "STARTTLS")
	})
	got := channel(t, email.Options{Addr: s.addr, TLS: email.TLSRequired}).Send(t.Context(), []channels.Message{channeltest.Message(1)})
	if got[0].State != channels.Deferred || !strings.Contains(got[0].Detail, "in between") {
		t.Fatalf("%+v", got[0])
	}
}

func TestLoggingIn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		password string
		want     channels.State
		known    int64
	}{{"sécret", channels.Accepted, 1}, {"hunter2", channels.Deferred, 0}} {
		s := secureServer(t, false)
		ch := channel(t, email.Options{Addr: s.addr, User: "shop", Password: c.password, TLSConfig: &tls.Config{RootCAs: s.roots, ServerName: "127.0.0.1"}})
		got := ch.Send(t.Context(), []channels.Message{channeltest.Message(1)})
		if got[0].State != c.want || s.known.Load() != c.known || strings.Contains(got[0].Detail, c.password) {
			t.Errorf("%s: %+v, %d mails of a known sender; want %s and %d", c.password, got[0], s.known.Load(), c.want, c.known)
		}
	}
}
