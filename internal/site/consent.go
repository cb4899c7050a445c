package site

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
)

// unsubscribed is the reason of every suppression that a customer asks for.
const unsubscribed = "unsubscribed"

// confirm shows the way out. It changes nothing: scanners follow every link.
func (s *Site) confirm(w http.ResponseWriter, r *http.Request) {
	t, ok := s.token(r, UnsubscribeLink)
	if !ok {
		s.missing(w, r)
		return
	}
	v := s.visit(r, t.Profile)
	s.show(w, &v, http.StatusOK, "unsubscribe", page{
		Title: v.Say("out.title"), Text: v.Say("out.text"),
		More: s.o.Signer.Preferences(t.Delivery),
	})
}

// unsubscribe is RFC 8058's one click, and the button of the page above. Who
// holds the token may, so there is no cookie and no origin to check, and it does
// not matter what the body says: a client that spells it wrongly means the same.
// It answers 200 once the suppression is durable, any number of times.
func (s *Site) unsubscribe(w http.ResponseWriter, r *http.Request) {
	t, ok := s.token(r, UnsubscribeLink)
	if !ok {
		s.missing(w, r)
		return
	}
	io.Copy(io.Discard, r.Body) // a body that is too long is cut off; it changes nothing
	ctx := r.Context()
	purposes, err := s.ended(ctx, &t)
	if err != nil {
		s.o.Log.Error("finding out what an unsubscribe ends", "error", err)
		s.later(w, r)
		return
	}
	heard := make([]identity.Addressed, 0, len(purposes))
	for _, purpose := range purposes {
		if err := s.o.Suppressor.Suppress(ctx, s.suppression(&t, purpose)); err != nil {
			s.o.Log.Error("suppressing for an unsubscribe", "error", err)
			s.later(w, r)
			return
		}
		of := t
		of.Purpose = purpose
		heard = append(heard, s.fact(s.hourly("unsubscribe", &of, ""), event.Unsubscribed, &of, func(b *event.Builder) {
			b.SetText("evidence", "one-click link")
		}))
	}
	if err := s.o.Hearer.Hear(ctx, heard); err != nil {
		// They are safe already; the log may learn of it later.
		s.o.Log.Warn("an unsubscribe waits for the log", "error", err)
		s.outbox.later(heard...)
	}
	v := s.visit(r, t.Profile)
	s.show(w, &v, http.StatusOK, "unsubscribed", page{
		Title: v.Say("gone.title"), Text: v.Say("gone.text"),
		More: s.o.Signer.Preferences(t.Delivery),
	})
}

// ended returns the purposes that the link of a message ends. Below a message of
// service, such as the one that asks to confirm a sign-up, the link does not mean
// that no order is to be confirmed any more: it ends all that the customer can
// agree to, or for a brand's message all of the brand. Whether messages are
// measured is another question, which it does not answer.
func (s *Site) ended(ctx context.Context, t *Token) ([]string, error) {
	if !decision.ServicePurpose(t.Purpose) {
		return []string{t.Purpose}, nil
	}
	offered, err := s.o.Preferences.Preferences(ctx, t.Profile, t.Channel)
	if err != nil {
		return nil, err
	}
	brand := strings.TrimSuffix(t.Purpose, decision.PurposeService)
	var list []string
	for _, p := range offered {
		if strings.HasPrefix(p.Name, brand) && !strings.HasPrefix(p.Name, "track.") {
			list = append(list, p.Name)
		}
	}
	return list, nil
}

func (s *Site) suppression(t *Token, purpose string) Suppression {
	return Suppression{Profile: t.Profile, Delivery: t.ID, Channel: t.Channel, Purpose: purpose, Reason: unsubscribed, At: s.o.Now()}
}

// hourly returns an id that is the same within an hour for the same link and
// word: retries of a mail program are one fact, and a change of mind on another
// day is a new one.
func (s *Site) hourly(what string, t *Token, word string) event.ID {
	h := sha256.New()
	for _, part := range []string{t.ID, t.Profile.String(), t.Channel, t.Purpose, word} {
		io.WriteString(h, part+"\x00") // a hash takes everything
	}
	hour := int64(s.o.Now()) / time.Hour.Milliseconds()
	return event.ID(what + ":" + hex.EncodeToString(h.Sum(nil)[:12]) + ":" + strconv.FormatInt(hour, 36))
}

// parse reads a form of either kind.
func parse(r *http.Request) error {
	if err := r.ParseForm(); err != nil { // ParseMultipartForm would hide it
		return err
	}
	if err := r.ParseMultipartForm(maxBody); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return err
	}
	return nil
}
