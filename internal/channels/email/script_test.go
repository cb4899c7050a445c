package email_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rapport/internal/channels"
	"rapport/internal/channels/channeltest"
	"rapport/internal/channels/email"
)

// server is a mail server that follows a script, for what a real one seldom does.
type server struct {
	addr        string
	connections atomic.Int64
	bodies      atomic.Int64 // messages that arrived whole
	recipients  atomic.Int64 // RCPT commands
}

// peer is one connection to it.
type peer struct {
	net.Conn
	r *bufio.Reader
	s *server
	n int // which connection this is, from 1
}

func script(t *testing.T, each func(*peer)) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s := &server{addr: l.Addr().String()}
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			p := &peer{nc, bufio.NewReader(nc), s, int(s.connections.Add(1))}
			go func() {
				defer nc.Close()
				nc.SetDeadline(time.Now().Add(20 * time.Second))
				each(p)
			}()
		}
	}()
	return s
}

func (p *peer) line() (string, bool) {
	line, err := p.r.ReadString('\n')
	return strings.TrimRight(line, "\r\n"), err == nil
}

func (p *peer) say(format string, args ...any) { fmt.Fprintf(p, format+"\r\n", args...) }

// serve answers each command by the script, keyed by its first word and "." for
// the end of a message, and else as a good server. An answer of "cut" closes.
func (p *peer) serve(answers map[string]string, extensions ...string) {
	answer := func(key, good string) bool {
		if a, ok := answers[key]; ok {
			good = a
		}
		if good == "cut" {
			p.Close()
			return false
		}
		p.say("%s", good)
		return true
	}
	if !answer("greeting", "220 test") {
		return
	}
	for {
		line, ok := p.line()
		if !ok {
			return
		}
		word, _, _ := strings.Cut(strings.ToUpper(line), " ")
		if word == "RCPT" {
			p.s.recipients.Add(1)
		}
		switch word {
		case "EHLO":
			p.say("250-test")
			for _, e := range extensions {
				p.say("250-%s", e)
			}
			p.say("250 8BITMIME")
		case "DATA":
			if !answer("DATA", "354 go on") {
				return
			}
			if a, ok := answers["DATA"]; ok && !strings.HasPrefix(a, "354") {
				continue
			}
			for line != "." {
				if line, ok = p.line(); !ok {
					return
				}
				if line == "" && answers["body"] == "cut" {
					p.Close()
					return
				}
			}
			p.s.bodies.Add(1)
			if !answer(".", "250 2.0.0 taken") {
				return
			}
		case "QUIT":
			p.say("221 bye")
			return
		default:
			if !answer(word, "250 2.0.0 fine") {
				return
			}
		}
	}
}

func TestAnswersMeanWhatTheyAreAbout(t *testing.T) {
	t.Parallel()
	const (
		yes   = channels.Accepted
		no    = channels.Rejected
		later = channels.Deferred
		who   = channels.Unknown
	)
	for _, c := range []struct {
		name, command, answer string
		state                 channels.State
		hard                  bool
		enhanced              string
	}{
		{"a good answer", ".", "250 2.0.0 taken", yes, false, "2.0.0"},
		{"a good answer without a status", ".", "250 OK", yes, false, ""},
		{"no such mailbox", "RCPT", "550 5.1.1 no such user", no, true, "5.1.1"},
		{"no such mailbox, said at the end", ".", "550 5.1.1 no such user", no, true, "5.1.1"},
		{"a domain without mail", "RCPT", "556 5.1.10 null MX", no, true, "5.1.10"},
		{"bare 550 to RCPT", "RCPT", "550 mailbox unavailable", no, true, ""},
		{"bare 550 at the end is about the message", ".", "550 mailbox unavailable", no, false, ""},
		{"bare 550 that speaks of spam", "RCPT", "550 blocked using zen.spamhaus.org", no, false, ""},
		{"a policy", "RCPT", "550 5.7.1 relaying denied", no, false, "5.7.1"},
		{"item 37: authentication", ".", "550 5.7.515 Access denied, sending domain does not meet the required authentication level", no, false, "5.7.515"},
		{"the sender's address", "MAIL", "553 5.1.8 bad sender", no, false, "5.1.8"},
		{"the sender's address, by a vague code", "MAIL", "550 5.1.1 who are you", no, false, "5.1.1"},
		{"the sender's address, said at RCPT", "RCPT", "550 5.1.7 bad sender syntax", no, false, "5.1.7"},
		{"a full mailbox", "RCPT", "552 5.2.2 mailbox full", no, false, "5.2.2"},
		{"a status that contradicts its code is not believed", "RCPT", "550 4.1.1 odd", no, true, ""},
		{"a status that is none", "RCPT", "550 5.1 odd", no, true, ""},
		{"item 38: greylisting", "RCPT", "451 4.7.1 greylisted", later, false, "4.7.1"},
		{"item 38: no space", "RCPT", "452 4.2.2 over quota", later, false, "4.2.2"},
		{"later, at the end", ".", "451 4.3.0 try again", later, false, "4.3.0"},
		{"refused DATA", "DATA", "554 5.5.1 no valid recipients", no, false, "5.5.1"},
		{"later, at DATA", "DATA", "421 4.3.2 shutting down", later, false, "4.3.2"},
		{"an answer of many lines", ".", "550-5.7.1 first\r\n550 5.7.1 second", no, false, "5.7.1"},
		{"cut at MAIL", "MAIL", "cut", later, false, ""},
		{"cut at RCPT", "RCPT", "cut", later, false, ""},
		{"cut at DATA", "DATA", "cut", later, false, ""},
		{"cut inside the message", "body", "cut", who, false, ""}, // we had sent it all: the server alone knows
		{"cut after the dot", ".", "cut", who, false, ""},
		{"nonsense after the dot", ".", "hello", who, false, ""},
		{"a wrong number after the dot", ".", "354 go on", who, false, ""},
		{"nonsense at RCPT", "RCPT", "hello", later, false, ""},
		{"a greeting that refuses", "greeting", "554 5.7.1 go away", later, false, ""},
		{"cut at the greeting", "greeting", "cut", later, false, ""},
	} {
		for _, extension := range []string{"PIPELINING", "SIZE 1000000"} {
			t.Run(c.name+", "+extension, func(t *testing.T) {
				t.Parallel()
				s := script(t, func(p *peer) { p.serve(map[string]string{c.command: c.answer}, extension) })
				ch := channel(t, email.Options{Addr: s.addr, Connections: 1})
				got := ch.Send(t.Context(), []channels.Message{channeltest.Message(1), channeltest.Message(2)})
				for i, o := range got {
					if o.State != c.state || o.Hard != c.hard || o.Enhanced != c.enhanced || o.Detail == "" {
						t.Errorf("message %d: %+v, want %s, hard %t, %q", i, o, c.state, c.hard, c.enhanced)
					}
					if (o.RetryAfter > 0) != (c.state == later) {
						t.Errorf("message %d: RetryAfter %v", i, o.RetryAfter)
					}
				}
				most := int64(0)
				if c.command == "." {
					most = 2
				}
				if n := s.bodies.Load(); n > most {
					t.Errorf("%d messages arrived whole, want at most %d", n, most)
				}
			})
		}
	}
}

// The heart of the matter: of messages in a row the one whose answer is lost is
// unknown, those before it are accepted, and those behind it, whose envelopes
// were on the wire already, go out once over a new connection.
func TestOneLostAnswerIsOneUnknown(t *testing.T) {
	t.Parallel()
	s := script(t, func(p *peer) {
		if p.n > 1 {
			p.serve(nil, "PIPELINING")
			return
		}
		p.say("220 test")
		for bodies := 0; ; {
			line, ok := p.line()
			switch {
			case !ok:
				return
			case strings.HasPrefix(line, "EHLO"):
				p.say("250-test\r\n250 PIPELINING")
			case line == "DATA":
				p.say("354 go on")
				for line != "." {
					if line, ok = p.line(); !ok {
						return
					}
				}
				p.s.bodies.Add(1)
				if bodies++; bodies == 3 {
					return // taken, and no answer
				}
				p.say("250 taken")
			default:
				p.say("250 fine")
			}
		}
	})
	ch := channel(t, email.Options{Addr: s.addr, Connections: 1})
	var batch []channels.Message
	for i := range 6 {
		batch = append(batch, channeltest.Message(i))
	}
	for i, o := range ch.Send(t.Context(), batch) {
		want := channels.Accepted
		if i == 2 {
			want = channels.Unknown
		}
		if o.State != want {
			t.Errorf("message %d: %+v, want %s", i, o, want)
		}
	}
	if n := s.bodies.Load(); n != 6 {
		t.Errorf("%d messages arrived, want 6: each once", n)
	}
}

func TestAConnectionClosedForIdlenessCostsNoMessage(t *testing.T) {
	t.Parallel()
	first := make(chan struct{})
	closing := script(t, func(p *peer) {
		p.say("220 test")
		for {
			line, ok := p.line()
			switch {
			case !ok:
				return
			case strings.HasPrefix(line, "EHLO"):
				p.say("250-test\r\n250 PIPELINING")
			case line == "DATA":
				p.say("354 go on")
				for line != "." {
					line, _ = p.line()
				}
				p.s.bodies.Add(1)
				p.say("250 taken")
				if p.n == 1 {
					p.say("421 4.4.2 idle")
					p.Close()
					close(first)
					return
				}
			default:
				p.say("250 fine")
			}
		}
	})
	ch := channel(t, email.Options{Addr: closing.addr, Connections: 1})
	if o := ch.Send(t.Context(), []channels.Message{channeltest.Message(1)}); o[0].State != channels.Accepted {
		t.Fatal(o)
	}
	<-first
	if o := ch.Send(t.Context(), []channels.Message{channeltest.Message(2)}); o[0].State != channels.Accepted {
		t.Fatalf("%+v, want accepted over a new connection", o)
	}
	if c, b := closing.connections.Load(), closing.bodies.Load(); c != 2 || b != 2 {
		t.Fatalf("%d connections, %d messages; want 2 and 2", c, b)
	}
}

// A server that refuses the recipient and asks for the message all the same must
// not get one.
func TestAMessageWithoutARecipientIsNotSent(t *testing.T) {
	t.Parallel()
	s := script(t, func(p *peer) { p.serve(map[string]string{"RCPT": "550 5.1.1 no"}, "PIPELINING") })
	ch := channel(t, email.Options{Addr: s.addr, Connections: 1})
	o := ch.Send(t.Context(), []channels.Message{channeltest.Message(1)})
	if o[0].State != channels.Rejected || !o[0].Hard || s.bodies.Load() != 0 {
		t.Fatalf("%+v, %d messages arrived", o, s.bodies.Load())
	}
}

// A refusal is an answer, also over a connection that had served before: the
// server is not asked twice.
func TestARefusedRecipientIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	s := script(t, func(p *peer) {
		p.say("220 test")
		for taken := 0; ; {
			line, ok := p.line()
			switch {
			case !ok:
				return
			case strings.HasPrefix(line, "EHLO"):
				p.say("250-test\r\n250 PIPELINING")
			case strings.HasPrefix(line, "RCPT") && taken > 0:
				p.s.recipients.Add(1)
				p.say("550 5.1.1 no")
			case line == "DATA":
				p.say("354 go on")
				for line != "." {
					if line, ok = p.line(); !ok {
						return
					}
				}
				taken++
				p.say("250 taken")
			default:
				p.say("250 fine")
			}
		}
	})
	ch := channel(t, email.Options{Addr: s.addr, Connections: 1})
	o := ch.Send(t.Context(), []channels.Message{channeltest.Message(1), channeltest.Message(2)})
	if o[0].State != channels.Accepted || o[1].State != channels.Rejected || s.recipients.Load() != 1 || s.connections.Load() != 1 {
		t.Fatalf("%+v after %d refusals over %d connections", o, s.recipients.Load(), s.connections.Load())
	}
}

func TestASlowAnswerIsUnknownAndASlowEnvelopeIsNot(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		at   string
		want channels.State
	}{{"DATA", channels.Deferred}, {".", channels.Unknown}} {
		done := make(chan struct{})
		s := script(t, func(p *peer) {
			p.say("220 test")
			for {
				line, ok := p.line()
				if !ok {
					return
				}
				if line == c.at {
					<-done
					return
				}
				if line == "DATA" {
					p.say("354 go on")
				} else if strings.HasPrefix(line, "EHLO") || strings.HasPrefix(line, "MAIL") || strings.HasPrefix(line, "RCPT") {
					p.say("250 fine")
				}
			}
		})
		ch := channel(t, email.Options{Addr: s.addr, Timeout: 50 * time.Millisecond, DataTimeout: 50 * time.Millisecond})
		o := ch.Send(t.Context(), []channels.Message{channeltest.Message(1)})
		close(done)
		if o[0].State != c.want {
			t.Errorf("silence at %q: %+v, want %s", c.at, o[0], c.want)
		}
	}
}
