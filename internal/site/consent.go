package site

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
)

// unsubscribed is the reason of every suppression that a customer asks for.
const unsubscribed = "unsubscribed"

// confirm shows the way out. It changes nothing: scanners follow every link.
func (s *Site) confirm(w http.ResponseWriter, r *http.Request) {
	t, ok := s.token(r, UnsubscribeLink)
	if !ok {
		s.missing(w)
		return
	}
	s.show(w, http.StatusOK, "unsubscribe", page{
		Title: "Unsubscribe?", Text: "One click, and we stop writing to you about this.",
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
		s.missing(w)
		return
	}
	io.Copy(io.Discard, r.Body) // a body that is too long is cut off; it changes nothing
	ctx := r.Context()
	if err := s.o.Suppressor.Suppress(ctx, s.suppression(&t, t.Purpose)); err != nil {
		s.o.Log.Error("suppressing for an unsubscribe", "error", err)
		s.later(w)
		return
	}
	heard := s.fact(s.hourly("unsubscribe", &t, ""), event.Unsubscribed, &t, func(b *event.Builder) {
		b.SetText("evidence", "one-click link")
	})
	if err := s.o.Hearer.Hear(ctx, []identity.Addressed{heard}); err != nil {
		// They are safe already; the log may learn of it later.
		s.o.Log.Warn("an unsubscribe waits for the log", "error", err)
		s.outbox.later(heard)
	}
	s.show(w, http.StatusOK, "unsubscribed", page{
		Title: "You are unsubscribed", Text: "It works at once: nothing more of this kind will leave here.",
		More: s.o.Signer.Preferences(t.Delivery),
	})
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

// channelNames are the channels as people call them.
var channelNames = map[string]string{"email": "e-mail", "sms": "text message", "push": "app notification", "webpush": "browser notification", "whatsapp": "WhatsApp"}

// preferences shows what a customer gets. It changes nothing.
func (s *Site) preferences(w http.ResponseWriter, r *http.Request) {
	t, ok := s.token(r, PreferencesLink)
	if !ok {
		s.missing(w)
		return
	}
	s.choose(w, r, &t, "")
}

func (s *Site) choose(w http.ResponseWriter, r *http.Request, t *Token, said string) {
	purposes, err := s.o.Preferences.Preferences(r.Context(), t.Profile, t.Channel)
	if err != nil {
		s.o.Log.Error("reading preferences", "error", err)
		s.later(w)
		return
	}
	name := channelNames[t.Channel]
	if name == "" {
		name = t.Channel
	}
	s.show(w, http.StatusOK, "preferences", page{
		Title: "Your preferences", Text: said, Channel: name, Purposes: purposes,
	})
}

// prefer takes what the preference page sends: the purposes that shall be on, or
// all=off. What is switched off is durable before the answer; what is switched
// on is in the log before its suppression is lifted, so that no message leaves
// without a proof of consent.
func (s *Site) prefer(w http.ResponseWriter, r *http.Request) {
	t, ok := s.token(r, PreferencesLink)
	if !ok {
		s.missing(w)
		return
	}
	if err := parse(r); err != nil {
		s.show(w, http.StatusBadRequest, "message", page{Title: "That did not work", Text: "The form could not be read, and nothing was changed. Please try again."})
		return
	}
	ctx := r.Context()
	purposes, err := s.o.Preferences.Preferences(ctx, t.Profile, t.Channel)
	if err != nil {
		s.o.Log.Error("reading preferences", "error", err)
		s.later(w)
		return
	}
	all := r.PostForm.Get("all") == "off"
	var on, off []Purpose
	for _, p := range purposes {
		switch want := !all && slices.Contains(r.PostForm["on"], p.Name); {
		case want && !p.On:
			on = append(on, p)
		case all || !want && p.On:
			off = append(off, p)
		}
	}
	err = s.switchOff(ctx, &t, off)
	if err == nil {
		err = s.switchOn(ctx, &t, on)
	}
	if err != nil {
		s.o.Log.Error("changing preferences", "error", err)
		s.later(w)
		return
	}
	s.choose(w, r, &t, "Saved. It works at once.")
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

func (s *Site) switchOff(ctx context.Context, t *Token, off []Purpose) error {
	var heard []identity.Addressed
	for _, p := range off {
		if err := s.o.Suppressor.Suppress(ctx, s.suppression(t, p.Name)); err != nil {
			return err
		}
		heard = append(heard, s.consent(t, p, "withdrawn"))
	}
	if len(heard) == 0 {
		return nil
	}
	if err := s.o.Hearer.Hear(ctx, heard); err != nil {
		s.o.Log.Warn("withdrawals wait for the log", "error", err)
		s.outbox.later(heard...)
	}
	return nil
}

func (s *Site) switchOn(ctx context.Context, t *Token, on []Purpose) error {
	var heard []identity.Addressed
	for _, p := range on {
		heard = append(heard, s.consent(t, p, "granted"))
	}
	if len(heard) == 0 {
		return nil
	}
	if err := s.o.Hearer.Hear(ctx, heard); err != nil {
		return err
	}
	for _, p := range on {
		if err := s.o.Suppressor.Release(ctx, s.suppression(t, p.Name)); err != nil {
			return err
		}
	}
	return nil
}

// consent returns the event that proves a choice: what was asked, in the words
// of the page, and what was answered.
func (s *Site) consent(t *Token, p Purpose, state string) identity.Addressed {
	asked := *t
	asked.Purpose = p.Name
	return s.fact(once("consent", &asked), event.ConsentChanged, &asked, func(b *event.Builder) {
		b.SetText("state", state).SetText("evidence", "preference page").SetText("wording", p.Label)
	})
}
