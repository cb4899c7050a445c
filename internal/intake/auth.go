package intake

import (
	"net/http"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/fault"
	"rapport/internal/keys"
)

// Keys knows the keys of the shop; [keys.Ring] is one.
type Keys interface {
	// Find returns the active key whose text was presented, and whether there is one.
	Find(presented string) (keys.Key, bool)
}

// errDenied is the same whatever was wrong with the key.
var errDenied = fault.New(fault.Denied, "the key is missing or unknown")

// presented calls try with each text in the request's headers that may be a
// key, until it says yes: the user of basic authorization (Segment,
// RudderStack), a bearer token (our own), X-Write-Key (Jitsu, "id:secret").
func presented(r *http.Request, try func(string) bool) bool {
	if user, _, ok := r.BasicAuth(); ok && user != "" && try(user) {
		return true
	}
	const bearer = "Bearer "
	if h := r.Header.Get("Authorization"); len(h) > len(bearer) && strings.EqualFold(h[:len(bearer)], bearer) && try(strings.TrimSpace(h[len(bearer):])) {
		return true
	}
	if h := r.Header.Get("X-Write-Key"); h != "" {
		id, secret, _ := strings.Cut(h, ":")
		return try(id) || secret != "" && try(secret)
	}
	return false
}

// find returns the active key whose text was presented. A restricted key is for
// the management API: here it is no key.
func (s *Server) find(text string) (keys.Key, bool) {
	key, ok := s.opt.Keys.Find(text)
	return key, ok && key.Kind != keys.Restricted
}

// authorize returns the key in the headers.
func (s *Server) authorize(r *http.Request) (key keys.Key, ok bool) {
	ok = presented(r, func(text string) bool {
		var found bool
		key, found = s.find(text)
		return found
	})
	return key, ok
}

// trustOf returns how far a key is believed, and how large its bodies and
// messages may be. A kind that is not known is believed like a stranger.
func trustOf(kind keys.Kind) (trust event.Trust, body, message int) {
	if kind == keys.Secret {
		return event.Server, MaxBodyServer, MaxEventServer
	}
	return event.Public, MaxBodyPublic, MaxEventPublic
}
