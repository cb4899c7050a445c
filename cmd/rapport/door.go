package main

import (
	"net"
	"net/http"
	"net/netip"
)

// routes is a mux that remembers what it was given, so that a test can ask
// something of every route.
type routes struct {
	mux      *http.ServeMux
	patterns []string
	open     []string // of those, the ones to which a page of another site may post
}

// Handle adds a route to which no page of another site may post.
func (r *routes) Handle(pattern string, h http.Handler) {
	r.patterns = append(r.patterns, pattern)
	r.mux.Handle(pattern, h)
}

// HandleFunc is Handle for a function.
func (r *routes) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	r.Handle(pattern, http.HandlerFunc(h))
}

// Open adds a route that trusts what a request shows and nothing that a browser adds
// by itself: the tracking API its key, webhooks their signature, and the one click
// to unsubscribe of RFC 8058, which mail clients send, the token of its address.
func (r *routes) Open(pattern string, h http.Handler) {
	r.open = append(r.open, pattern)
	r.Handle(pattern, h)
}

// guarded puts what holds for every route before the routes: a browser may not
// change anything because another site's page says so, and what no handler says
// otherwise about is neither framed, nor guessed at, nor told to others.
func (r *routes) guarded() http.Handler {
	cross := http.NewCrossOriginProtection()
	for _, pattern := range r.open {
		cross.AddInsecureBypassPattern(pattern)
	}
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "another site's page asked for this, so nothing was done", http.StatusForbidden)
	}))
	h := cross.Handler(r.mux)
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		secure(w.Header())
		h.ServeHTTP(w, q)
	})
}

// private lets only this machine see what h shows: pages about customers, caught
// mails and figures, which ask nobody who they are. What came over a proxy, and
// what was asked of a name that only leads here, did not begin on this machine.
func private(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !ownMachine(r) {
			http.Error(w, "These pages are for the machine that the server runs on: open them there at http://127.0.0.1, or by a tunnel. "+
				"Behind a proxy that asks who comes, start the server with --open-pages.", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

func ownMachine(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || proxied(r) || !from.Addr().Unmap().IsLoopback() || r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" {
		return false
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	asked, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && asked.Unmap().IsLoopback()
}

// yearLong is how long a browser that came by TLS comes by TLS only, in seconds.
const yearLong = "31536000"

// secure sets the headers that every answer begins with; a handler may replace
// them. Browsers heed Strict-Transport-Security by TLS alone, which ends before us.
func secure(h http.Header) {
	h.Set("Strict-Transport-Security", "max-age="+yearLong+"; includeSubDomains")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
}
