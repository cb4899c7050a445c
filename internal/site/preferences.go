package site

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"rapport/internal/core/decision"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
)

// PauseFor is how long a pause lasts.
const PauseFor = 30 * 24 * time.Hour

// PreferencesChanged is the event of a customer who chose how often to hear.
const PreferencesChanged = "Preferences Changed"

// preferences shows what a customer gets. It changes nothing.
func (s *Site) preferences(w http.ResponseWriter, r *http.Request) {
	t, ok := s.token(r, PreferencesLink)
	if !ok {
		s.missing(w, r)
		return
	}
	v := s.visit(r, t.Profile)
	s.choose(w, r, &t, &v, false)
}

// channelsOf returns the channels to choose on, that of the link first.
func (v *visit) channelsOf(t *Token) []string {
	list := []string{t.Channel}
	for _, c := range v.shop.Channels {
		if catalogue[v.lang]["channel."+c] != "" && c != t.Channel {
			list = append(list, c)
		}
	}
	return list
}

// field is the name of a channel's boxes. That of the link's own channel is "on",
// as in pages that were opened before there were others.
func field(t *Token, channel string) string {
	if channel == t.Channel {
		return "on"
	}
	return "on." + channel
}

func (s *Site) choose(w http.ResponseWriter, r *http.Request, t *Token, v *visit, saved bool) {
	p := page{Title: v.Say("prefs.title"), Pace: s.o.Customers != nobody{}, Fewer: v.customer.Fewer}
	if saved {
		p.Text = v.Say("prefs.saved")
	}
	if v.customer.PausedUntil > s.o.Now() {
		p.Paused = strings.ReplaceAll(v.Say("prefs.paused"), "%s", dayIn(v.lang, v.customer.PausedUntil))
	}
	for _, channel := range v.channelsOf(t) {
		purposes, err := s.o.Preferences.Preferences(r.Context(), t.Profile, channel)
		if err != nil {
			s.o.Log.Error("reading preferences", "error", err)
			s.later(w, r)
			return
		}
		for i := range purposes {
			purposes[i].Label = v.label(purposes[i])
		}
		name := v.Say("channel." + channel)
		if name == "" {
			name = channel
		}
		p.Channels = append(p.Channels, channelChoice{strings.ReplaceAll(v.Say("prefs.legend"), "%s", name), field(t, channel), purposes})
	}
	s.show(w, v, http.StatusOK, "preferences", p)
}

// prefer takes what the preference page sends: the purposes that shall be on, how
// often, or all=off. What is switched off is durable before the answer; what is
// switched on is in the log before its suppression is lifted, so that no message
// leaves without a proof of consent.
func (s *Site) prefer(w http.ResponseWriter, r *http.Request) {
	t, ok := s.token(r, PreferencesLink)
	if !ok {
		s.missing(w, r)
		return
	}
	v := s.visit(r, t.Profile)
	if err := parse(r); err != nil {
		s.show(w, &v, http.StatusBadRequest, "message", page{Title: v.Say("later.title"), Text: v.Say("unread.text")})
		return
	}
	ctx := r.Context()
	all := r.PostForm.Get("all") == "off"
	for _, channel := range v.channelsOf(&t) {
		on, off, err := s.wanted(r, &t, channel, all)
		here := t
		here.Channel = channel
		if err == nil {
			err = s.switchOff(r, &here, &v, off)
		}
		if err == nil {
			err = s.switchOn(r, &here, &v, on)
		}
		if err != nil {
			s.o.Log.Error("changing preferences", "error", err)
			s.later(w, r)
			return
		}
	}
	if r.PostForm.Get("pace") != "" && !all {
		if err := s.pace(ctx, &t, &v, r.PostForm.Get("fewer") != "", r.PostForm.Get("pause") != ""); err != nil {
			s.o.Log.Error("changing preferences", "error", err)
			s.later(w, r)
			return
		}
	}
	s.choose(w, r, &t, &v, true)
}

// wanted returns what is to be switched on and off on a channel. All=off means off
// whatever is thought to be on.
func (s *Site) wanted(r *http.Request, t *Token, channel string, all bool) (on, off []Purpose, err error) {
	purposes, err := s.o.Preferences.Preferences(r.Context(), t.Profile, channel)
	for _, p := range purposes {
		switch want := !all && slices.Contains(r.PostForm[field(t, channel)], p.Name); {
		case want && !p.On:
			on = append(on, p)
		case all || !want && p.On:
			off = append(off, p)
		}
	}
	return on, off, err
}

// pace takes how often a customer wants to hear. The gate reads it from the
// profile, so it is a fact like any other.
func (s *Site) pace(ctx context.Context, t *Token, v *visit, fewer, pause bool) error {
	now := s.o.Now()
	paused := v.customer.PausedUntil > now
	if fewer == v.customer.Fewer && pause == paused {
		return nil
	}
	until := v.customer.PausedUntil
	if pause != paused {
		until = 0
		if pause {
			until = now.Add(PauseFor)
		}
	}
	heard := s.fact(once("pace", t), PreferencesChanged, t, func(b *event.Builder) { b.SetText("evidence", "preference page") })
	heard.Event.Traits = (&event.Builder{}).Set(decision.TraitFewer, event.Yes(fewer)).Set(decision.TraitPausedUntil, event.Int(int64(until))).Object()
	if err := s.o.Hearer.Hear(ctx, []identity.Addressed{heard}); err != nil {
		return err
	}
	v.customer.Fewer, v.customer.PausedUntil = fewer, until
	return nil
}

func (s *Site) switchOff(r *http.Request, t *Token, v *visit, off []Purpose) error {
	var heard []identity.Addressed
	for _, p := range off {
		if err := s.o.Suppressor.Suppress(r.Context(), s.suppression(t, p.Name)); err != nil {
			return err
		}
		heard = append(heard, s.consent(r, t, v, p, "withdrawn"))
	}
	if len(heard) == 0 {
		return nil
	}
	if err := s.o.Hearer.Hear(r.Context(), heard); err != nil {
		s.o.Log.Warn("withdrawals wait for the log", "error", err)
		s.outbox.later(heard...)
	}
	return nil
}

func (s *Site) switchOn(r *http.Request, t *Token, v *visit, on []Purpose) error {
	var heard []identity.Addressed
	for _, p := range on {
		heard = append(heard, s.consent(r, t, v, p, "granted"))
	}
	if len(heard) == 0 {
		return nil
	}
	if err := s.o.Hearer.Hear(r.Context(), heard); err != nil {
		return err
	}
	for _, p := range on {
		if err := s.o.Suppressor.Release(r.Context(), s.suppression(t, p.Name)); err != nil {
			return err
		}
	}
	return nil
}

// consent returns the event that proves a choice: what was asked, in the words of
// the page, what was answered, where from and with what.
func (s *Site) consent(r *http.Request, t *Token, v *visit, p Purpose, state string) identity.Addressed {
	asked := *t
	asked.Purpose = p.Name
	return s.fact(once("consent", &asked), event.ConsentChanged, &asked, func(b *event.Builder) {
		b.SetText("state", state).SetText("evidence", "preference page").SetText("wording", v.label(p))
		b.SetText("ip", s.trace(r)).SetText("agent", clipText(r.UserAgent(), maxAgent)).SetText("language", v.lang)
	})
}
