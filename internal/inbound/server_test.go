package inbound_test

import (
	"context"
	"errors"
	"net"
	"net/smtp"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"rapport/internal/channels"
	"rapport/internal/inbound"
	"rapport/internal/site"
)

const delivery = "0102030405060708090a0b0c0d0e0f10"

// receiver notes what it is told.
type receiver struct {
	mu  sync.Mutex
	got []channels.Notice
	err error
}

// Receive notes.
func (r *receiver) Receive(_ context.Context, notices []channels.Notice) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.got = append(r.got, notices...)
	}
	return r.err
}

func (r *receiver) take() []channels.Notice {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.got
	r.got = nil
	return got
}

type door struct {
	*inbound.Server
	signer *site.Signer
	told   *receiver
}

func open(t *testing.T) *door {
	t.Helper()
	s, err := site.NewSigner("https://news.shop.example", "shop", site.Key{ID: 1, Secret: [32]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	d := &door{signer: s, told: &receiver{}}
	if d.Server, err = inbound.New(inbound.Options{Addresses: s, Receiver: d.told}); err != nil {
		t.Fatal(err)
	}
	if err := d.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		d.Close(ctx)
	})
	return d
}

func (d *door) address(kind site.Return) string {
	return d.signer.Address(kind, delivery, "bounces.shop.example")
}

// send brings a mail, as a server does.
func (d *door) send(to, mail string) error {
	return smtp.SendMail(d.Addr(), nil, "", []string{to}, []byte(strings.ReplaceAll(mail, "\n", "\r\n")))
}

func code(err error) int {
	var e *textproto.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

const dsn = `From: MAILER-DAEMON@mx.people.example
To: b@bounces.shop.example
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary="b"
MIME-Version: 1.0

--b
Content-Type: text/plain

It could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.people.example

Final-Recipient: rfc822; ada@people.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 user unknown

--b--
`

const complaint = `From: fbl@provider.example
To: fbl@bounces.shop.example
Subject: complaint
Content-Type: multipart/report; report-type=feedback-report; boundary="b"
MIME-Version: 1.0

--b
Content-Type: text/plain

This is a complaint.

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: FBL/1.0
Version: 1
Original-Mail-From: <RETURN>

--b
Content-Type: message/rfc822

From: news@shop.example
To: redacted@provider.example
Subject: News
Message-ID: <` + delivery + `@shop.example>

Hello
--b--
`

func TestABounceToASignedAddressIsTold(t *testing.T) {
	t.Parallel()
	d := open(t)
	if err := d.send(d.address(site.BounceReturn), dsn); err != nil {
		t.Fatal(err)
	}
	got := d.told.take()
	if len(got) != 1 || got[0].Told != channels.Bounced || got[0].Delivery != delivery || got[0].Status != "5.1.1" || got[0].Cause() != channels.Hard || d.Counts.Bounces.Load() != 1 {
		t.Errorf("told %+v", got)
	}
}

// Item 36: what is forged is ignored, and counted.
func TestItem36ForgedBouncesAndComplaintsAreIgnored(t *testing.T) {
	t.Parallel()
	d := open(t)
	good := d.address(site.BounceReturn)
	other, err := site.NewSigner("https://news.shop.example", "shop", site.Key{ID: 1, Secret: [32]byte{2}})
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{
		other.Address(site.BounceReturn, delivery, "bounces.shop.example"), "b+aaaa@bounces.shop.example", "u" + good[1:],
		"b+" + strings.Repeat("a", 44) + "@bounces.shop.example",
	} {
		if err := d.send(to, dsn); code(err) != 550 {
			t.Errorf("%s: %v, want 550", to, err)
		}
	}
	if n := d.Counts.Forged.Load(); n != 4 {
		t.Errorf("%d count as forged, want 4", n)
	}
	// A complaint to the mailbox of feedback loops needs a signed address in it; the
	// id of the message alone could be anybody's guess.
	for _, named := range []string{"news@shop.example", "b+" + strings.Repeat("a", 44) + "@bounces.shop.example"} {
		if err := d.send("fbl@bounces.shop.example", strings.ReplaceAll(complaint, "RETURN", named)); err != nil {
			t.Errorf("%s: %v", named, err)
		}
	}
	if got := d.told.take(); len(got) != 0 || d.Counts.Forged.Load() != 6 {
		t.Errorf("%d count as forged, told %+v", d.Counts.Forged.Load(), got)
	}
	if err := d.send("fbl@bounces.shop.example", strings.ReplaceAll(complaint, "RETURN", good)); err != nil {
		t.Fatal(err)
	}
	if got := d.told.take(); len(got) != 1 || got[0].Told != channels.Complained || got[0].Delivery != delivery {
		t.Errorf("with the signed address told %+v", got)
	}
}

func TestAComplaintToTheMailsOwnAddressIsTold(t *testing.T) {
	t.Parallel()
	d := open(t)
	if err := d.send(d.address(site.FeedbackReturn), complaint); err != nil {
		t.Fatal(err)
	}
	if got := d.told.take(); len(got) != 1 || got[0].Told != channels.Complained || got[0].Delivery != delivery {
		t.Errorf("told %+v", got)
	}
}

func TestAnyMailToTheUnsubscribeAddressUnsubscribes(t *testing.T) {
	t.Parallel()
	d := open(t)
	for _, mail := range []string{
		"From: ada@people.example\nSubject: unsubscribe\n\n", "From: ada@people.example\nSubject: \n\nplease stop\n",
		"From: ada@icloud.example\nSubject: unsubscribe\nAuto-Submitted: auto-replied\nX-Apple-Unsubscribe: true\n\nApple Mail sent this.\n",
	} {
		if err := d.send(d.address(site.LeaveReturn), mail); err != nil {
			t.Fatal(err)
		}
		if got := d.told.take(); len(got) != 1 || got[0].Told != channels.Unsubscribed || got[0].Delivery != delivery {
			t.Errorf("%q: told %+v", mail, got)
		}
	}
}

// Item 39: somebody's holiday is not a bounce, whatever numbers stand in it.
func TestItem39AnOutOfOfficeWithErrorsInItIsNoBounce(t *testing.T) {
	t.Parallel()
	d := open(t)
	for _, head := range []string{
		"Auto-Submitted: auto-replied\nSubject: Out of office: 550 5.1.1 user unknown", "Subject: Automatic reply: Undeliverable", "X-Auto-Response-Suppress: All\nSubject: Away",
		"Precedence: auto_reply\nSubject: Re: News", "Subject: Re: News", "Return-Path: <>\nAuto-Submitted: auto-replied\nSubject: Abwesenheit",
	} {
		mail := "From: Ada <ada@people.example>\n" + head + "\n\nI am away. My old address ada@old.example says 550 5.1.1 user unknown,\nmailbox does not exist. Sorry, delivery has failed.\n"
		if err := d.send(d.address(site.BounceReturn), mail); err != nil {
			t.Fatal(err)
		}
		if got := d.told.take(); len(got) != 0 {
			t.Errorf("%q: told %+v", head, got)
		}
	}
	if n := d.Counts.Ignored.Load(); n != 6 {
		t.Errorf("%d were ignored, want 6", n)
	}
}

func TestEverythingElseIsRefusedBeforeItIsRead(t *testing.T) {
	t.Parallel()
	d := open(t)
	for _, to := range []string{"postmaster@bounces.shop.example", "ada@people.example", "b@bounces.shop.example", "x+y@z.example"} {
		if err := d.send(to, dsn); code(err) != 550 {
			t.Errorf("%s: %v, want 550", to, err)
		}
	}
	if got := d.told.take(); len(got) != 0 || d.Counts.Refused.Load() != 4 {
		t.Errorf("%d refused, told %+v", d.Counts.Refused.Load(), got)
	}
}

func TestAMailThatCannotBeNotedComesAgain(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.told.err = errors.New("the disk is full")
	if err := d.send(d.address(site.BounceReturn), dsn); code(err) != 451 {
		t.Errorf("%v, want 451", err)
	}
	if d.Counts.Bounces.Load() != 0 {
		t.Error("it counts as told")
	}
}

func TestTheDoorHasLimits(t *testing.T) {
	t.Parallel()
	d := open(t)
	if err := d.send(d.address(site.BounceReturn), dsn+strings.Repeat(strings.Repeat("x", 900)+"\n", 12_000)); code(err) != 552 {
		t.Errorf("11 MB: %v, want 552", err)
	}
	guess, err := smtp.Dial(d.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer guess.Close()
	if err := guess.Mail("eve@evil.example"); err != nil {
		t.Fatal(err)
	}
	last := 0
	for range 25 {
		last = code(guess.Rcpt("b+guess@bounces.shop.example"))
	}
	if last != 421 {
		t.Errorf("the 25th guess on a connection is answered %d, want 421", last)
	}
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	refused := 0
	for range 20 {
		c, err := net.Dial("tcp", d.Addr())
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
		line, err := textproto.NewConn(c).ReadLine()
		if err != nil || strings.HasPrefix(line, "421") {
			refused++
		}
	}
	if refused < 9 || refused > 12 {
		t.Errorf("of 20 connections from one host %d were refused, want about 10", refused)
	}
}
