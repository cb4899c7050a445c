package site

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strconv"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
)

// source names the site in the events it makes.
const source = "site"

// fact returns an event about the customer of a token.
func (s *Site) fact(id event.ID, name string, t *Token, set func(*event.Builder)) identity.Addressed {
	now := s.o.Now()
	var b event.Builder
	b.SetText("delivery", t.ID).SetText("channel", t.Channel).SetText("purpose", t.Purpose)
	if set != nil {
		set(&b)
	}
	return identity.Addressed{To: t.Profile, Event: event.Event{
		ID: id, Type: event.System, Name: name, At: now, Raw: now, Origin: event.Live, Trust: event.Own, Source: source, Props: b.Object(),
	}}
}

// once returns an id for a hit: each hit is its own fact.
func once(what string, t *Token) event.ID {
	var b [12]byte
	rand.Read(b[:]) // it never fails: see its documentation
	return event.ID(what + ":" + t.ID + ":" + hex.EncodeToString(b[:]))
}

// hitOf returns what a request shows of who makes it.
func (s *Site) hitOf(r *http.Request, t *Token) Hit {
	return Hit{
		Delivery: t.ID + t.Profile.String(), // links without a delivery are told apart by their customer
		Link:     t.URL,
		At:       s.o.Wall(),
		Head:     r.Method == http.MethodHead,
		Prefetch: prefetch(r.Header),
		Honeypot: t.Kind == HoneypotLink,
		Agent:    r.UserAgent(),
	}
}

// prefetch reports whether a browser says that it fetches before anybody asked.
func prefetch(h http.Header) bool {
	for _, name := range [...]string{"Purpose", "Sec-Purpose", "X-Purpose", "X-Moz"} {
		for _, v := range h.Values(name) {
			if v != "" {
				return true
			}
		}
	}
	return false
}

// click leads to where the link was signed to lead, and nowhere else. A link that
// is not ours gets a page and no redirect, whatever it says.
func (s *Site) click(w http.ResponseWriter, r *http.Request) {
	t, ok := s.token(r, ClickLink, HoneypotLink)
	if !ok || t.Kind == ClickLink && CheckTarget(t.URL) != nil {
		v := s.visit(r, identity.ID{})
		s.show(w, &v, http.StatusBadRequest, "message", page{Title: v.Say("broken.title"), Text: v.Say("changed.text")})
		return
	}
	hit := s.hitOf(r, &t)
	s.outbox.hit(hit, s.fact(once("click", &t), event.MessageClicked, &t, func(b *event.Builder) {
		b.SetText("url", t.URL)
		if hit.Honeypot {
			b.Set("honeypot", event.Yes(true))
		}
	}))
	if hit.Honeypot {
		v := s.visit(r, identity.ID{})
		s.show(w, &v, http.StatusOK, "message", page{Title: v.Say("trap.title"), Text: v.Say("trap.text")})
		return
	}
	w.Header().Set("Location", t.URL) // as signed, byte for byte: http.Redirect would rewrite it
	w.WriteHeader(http.StatusFound)
}

// pixel is a transparent GIF of one dot.
var pixel = []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")

// open tells of an opening.
func (s *Site) open(w http.ResponseWriter, r *http.Request) {
	t, ok := s.token(r, OpenPixel)
	if !ok {
		s.missing(w, r)
		return
	}
	s.outbox.hit(s.hitOf(r, &t), s.fact(once("open", &t), event.MessageOpened, &t, nil))
	h := w.Header()
	h.Set("Content-Type", "image/gif")
	h.Set("Content-Length", strconv.Itoa(len(pixel)))
	h.Set("Cache-Control", "no-store, private")
	w.WriteHeader(http.StatusOK)
	w.Write(pixel) // an error means that the reader has gone
}
