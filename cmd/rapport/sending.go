package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"rapport/internal/channels"
	"rapport/internal/channels/email"
	"rapport/internal/fault"
	"rapport/internal/inbound"
	"rapport/internal/mailcatcher"
	"rapport/internal/run"
	"rapport/internal/sender"
)

// What becomes of marketing from a domain that DNS has not proved.
const (
	unverifiedCatch  = "catch"  // it is kept in the mail catcher, and nobody gets it
	unverifiedRefuse = "refuse" // it is refused
	unverifiedSend   = "send"   // it leaves: something behind us signs, or this is a test
)

// sendingFlags are how mail leaves and comes back.
type sendingFlags struct {
	Unverified string `default:"catch" enum:"catch,refuse,send" help:"What becomes of marketing from a domain that is not verified: ${enum}. Only with --smtp."`
	MailListen string `placeholder:"HOST:PORT" help:"Take bounces, complaints and unsubscribes by mail here. Default: none are taken."`
	MailHost   string `placeholder:"NAME" help:"Name by which the door for mail greets: the one that MX names. Default: localhost."`
	Resolver   string `placeholder:"HOST:PORT" help:"DNS server to check sending domains with. Default: the machine's."`
}

// sending is what a server knows of its sending domains.
type sending struct {
	flags   sendingFlags
	book    *sender.Book
	traffic *sender.Traffic
	vouched bool // whoever carries proves and signs the domains itself
	inbound *inbound.Server
	catcher *email.Channel // to the catcher, for what may not leave
	stop    context.CancelFunc
	done    sync.WaitGroup
}

// The rhythms of a server.
const (
	trafficEvery = 10 * time.Second // counts of traffic
	recheckEvery = 6 * time.Hour    // domains: records are lost when somebody tidies DNS
)

// prepareSending opens the sending domains. It comes before mail, which signs.
func (s *server) prepareSending(flags sendingFlags) error {
	book, err := sender.Open(s.d.dir, s.d.key[:], time.Now)
	if err != nil {
		return err
	}
	traffic, err := sender.OpenTraffic(s.d.dir, book, func() time.Time { return s.clock.Now().Time() }, func(message, domain string, err error) {
		s.logger.Error(message, "domain", domain, "error", err)
	})
	if err != nil {
		return err
	}
	s.sending = &sending{flags: flags, book: book, traffic: traffic}
	return nil
}

// sign signs by the sending domains; nil where there are none, as in the demo.
func (s *server) sign() func(domain string, mail []byte) ([]byte, error) {
	if s.sending == nil {
		return nil
	}
	return s.sending.book.Sign
}

// outlet is what e-mail leaves by: the carrier, behind a guard if it reaches
// people.
func (s *server) outlet(world bool) (channels.Channel, error) {
	if s.sending == nil || !world || s.sending.flags.Unverified == unverifiedSend {
		return s.carrier, nil
	}
	g := &sender.Guard{Book: s.sending.book, Traffic: s.sending.traffic, Carrier: s.carrier, Vouched: s.sending.vouched}
	if s.sending.flags.Unverified == unverifiedCatch {
		if err := s.catch(nil); err != nil {
			return nil, err
		}
		c, err := email.New(email.Options{Addr: s.catcher.Addr()})
		if err != nil {
			return nil, err
		}
		s.sending.catcher, g.Catcher = c, c
	}
	return g, nil
}

// standing hears what is told of the sending domains; nil where there are none.
func (s *server) standing() run.Standing {
	if s.sending == nil {
		return nil
	}
	return s.sending.traffic
}

// pace is how fast the sending domains may go; nil where there are none.
func (s *server) pace() func(m *channels.Message) (time.Duration, string) {
	if s.sending == nil {
		return nil
	}
	return func(m *channels.Message) (time.Duration, string) {
		if m.Channel != "email" {
			return 0, ""
		}
		return s.sending.traffic.Wait(sender.DomainOf(m))
	}
}

// catch starts the built-in mail catcher.
func (s *server) catch(reject func(rcpt string) *mailcatcher.Reply) error {
	c, err := mailcatcher.New(mailcatcher.Options{Reject: reject, Keep: filepath.Join(s.d.dir, mailsFile), Now: func() time.Time { return s.clock.Now().Time() }})
	if err != nil {
		return err
	}
	s.catcher = c
	return c.Listen("127.0.0.1:0")
}

// startSending opens the door for mails that come back, once the node can take
// them, and keeps the domains' checks and counts fresh.
func (s *server) startSending(ctx context.Context) error {
	g := s.sending
	if g == nil {
		return nil
	}
	if addr := g.flags.MailListen; addr != "" {
		in, err := inbound.New(inbound.Options{Addresses: s.signer, Receiver: s.node, Hello: g.flags.MailHost, Log: s.logger})
		if err != nil {
			return err
		}
		if err := in.Listen(addr); err != nil {
			return err
		}
		g.inbound = in
	}
	ctx, g.stop = context.WithCancel(context.WithoutCancel(ctx))
	g.done.Go(func() { s.keepSending(ctx) })
	return nil
}

// keepSending saves counts and checks domains until ctx ends.
func (s *server) keepSending(ctx context.Context) {
	dns := sender.NewResolver(s.sending.flags.Resolver)
	save := time.NewTicker(trafficEvery)
	defer save.Stop()
	for ask := time.Now(); ; {
		if !time.Now().Before(ask) {
			s.recheck(ctx, dns)
			ask = time.Now().Add(recheckEvery)
		}
		select {
		case <-ctx.Done():
			return
		case <-save.C:
			if err := s.sending.traffic.Save(); err != nil {
				s.logger.Error("saving what was sent by domain", "error", err)
			}
		}
	}
}

// recheck asks DNS about every domain whose last answer is old. A new domain is
// left to the command that makes it.
func (s *server) recheck(ctx context.Context, dns sender.Resolver) {
	domains, err := s.sending.book.Domains()
	if err != nil {
		s.logger.Error("reading the sending domains", "error", err)
		return
	}
	for _, d := range domains {
		if d.Checked.IsZero() || time.Since(d.Checked) < recheckEvery {
			continue
		}
		after, err := s.sending.book.Check(ctx, dns, d.Name)
		switch {
		case err != nil:
			s.logger.Warn("checking a sending domain", "domain", d.Name, "error", err)
		case !d.Verified.IsZero() && after.Verified.IsZero():
			s.logger.Error("a sending domain is no longer verified, and its marketing is held back", "domain", d.Name, "problems", after.Problems)
		}
	}
}

// closeSending ends in order: no mail comes in any more, then the counts are kept.
func (s *server) closeSending(ctx context.Context) error {
	g := s.sending
	if g == nil {
		return nil
	}
	var errs []error
	if g.inbound != nil {
		errs = append(errs, g.inbound.Close(ctx))
	}
	if g.stop != nil {
		g.stop()
		g.done.Wait()
	}
	if g.catcher != nil {
		errs = append(errs, g.catcher.Close())
	}
	return errors.Join(append(errs, g.traffic.Save())...)
}

// sendingMetrics are what an operator watches of mail that comes back.
func (s *server) sendingMetrics(gauge func(name, help string, value func() float64)) {
	g := s.sending
	if g == nil {
		return
	}
	gauge("domains_paused", "Sending domains whose marketing is paused.", func() float64 {
		domains, err := g.book.Domains()
		if err != nil {
			return -1
		}
		n := 0
		for _, d := range domains {
			if !d.Paused.IsZero() {
				n++
			}
		}
		return float64(n)
	})
	gauge("notices_unknown", "Notices about no message of ours.", func() float64 { return float64(s.node.Told.Unknown.Load()) })
	if g.inbound == nil {
		return
	}
	c := &g.inbound.Counts
	for _, m := range []struct {
		name, help string
		value      interface{ Load() int64 }
	}{
		{"mail_bounces", "Bounces that came by mail.", &c.Bounces},
		{"mail_complaints", "Complaints that came by mail.", &c.Complaints},
		{"mail_unsubscribes", "Unsubscribes that came by mail.", &c.Unsubscribes},
		{"mail_ignored", "Mails that came back and told nothing.", &c.Ignored},
		{"mail_forged", "Mails to addresses like ours with a wrong signature, and reports without one.", &c.Forged},
		{"mail_refused", "Recipients that are not here.", &c.Refused},
	} {
		gauge(m.name, m.help, func() float64 { return float64(m.value.Load()) })
	}
}

// announce says where mail is taken, and where it is read if it leaves for nobody.
func (s *server) announce(e *env) {
	if s.catcher != nil {
		what := "all mail is kept here, the newest also after a stop, and leaves for nobody"
		if s.sending != nil && s.sending.catcher != nil {
			what = "marketing from a domain that is not verified is kept here"
		}
		fmt.Fprintf(e.out, "%s: read it on %s%s/\n", what, s.public, mailsPath)
	}
	if s.sending != nil && s.sending.inbound != nil {
		fmt.Fprintf(e.out, "bounces are taken on %s\n", s.sending.inbound.Addr())
	}
}

var errNoDomain = fault.New(fault.NotFound, "there are no sending domains yet: rapport domain add example.com")
