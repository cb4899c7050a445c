package admin

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"rapport/internal/admin/page"
	"rapport/internal/core/event"
	"rapport/internal/fault"
	"rapport/internal/program"
	"rapport/internal/report"
	"rapport/internal/run"
	"rapport/internal/store"
)

// Options are what the pages are made of.
type Options struct {
	// Node is the running product. Default: nil, it is not open yet: only the
	// demonstration and the overview have something to say.
	Node *run.Node

	// Store is where the node keeps its state. It is there whenever Node is.
	Store store.Store

	// Loader adds up the feed of the store. Default: one of our own, of one lane.
	Loader *report.Loader

	// Now is the clock of the data directory. Default: the wall's.
	Now func() event.Time

	// Demo tells how far the demonstration is; it is called for every page and must
	// answer at once. Default: nil, this is no demonstration. It may return nil
	// before there is anything to tell.
	Demo func() *DemoStatus

	// MailsPath is where the pages of the mail catcher are mounted, such as
	// "/mails". Default: empty, there is no catcher.
	MailsPath string

	// Logger is told of pages that could not be made. Default: nobody is told.
	Logger *slog.Logger
}

// policy lets a page load its style sheet and pictures of ours, and nothing else:
// no script of any origin, no frame, no form to elsewhere.
const policy = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// site serves the pages.
type site struct {
	o       Options
	mux     *http.ServeMux
	figures *figures
}

// New returns the pages, to be mounted at the root of the host. They answer GET
// and HEAD only. Nothing runs between requests.
func New(o Options) http.Handler {
	if o.Now == nil {
		o.Now = func() event.Time { return event.At(time.Now()) }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Loader == nil && o.Store != nil {
		o.Loader = report.New(o.Store, 1)
	}
	s := &site{o: o, mux: http.NewServeMux(), figures: newFigures(o.Store, o.Loader)}
	for pattern, show := range s.routes() {
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, show) })
	}
	name, css := page.Style()
	s.mux.HandleFunc("/assets/"+name, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable") // its name changes with its text
		w.Write(css)                                                           // an error means that the reader has gone
	})
	return s
}

// handler makes the view of a page. A redirect is an error of type moved.
type handler func(r *http.Request) (page.View, error)

// routes are the pages by their pattern. The pattern names no method:
// [site.ServeHTTP] lets only those pass that read.
func (s *site) routes() map[string]handler {
	return map[string]handler{
		"/{$}":             s.home,
		"/demo":            s.demo,
		"/customers":       s.customers,
		"/customers/{id}":  s.customer,
		"/messages/{id}":   s.message,
		"/segments":        s.segments,
		"/segments/{name}": s.segment,
		"/journeys":        s.journeys,
		"/journeys/{name}": s.journey,
		"/quarantine":      s.quarantine,
		"/": func(*http.Request) (page.View, error) {
			return nil, fault.New(fault.NotFound, "There is no such page.")
		},
	}
}

// ServeHTTP serves one page.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer") // addresses hold customers' ids, and searches their e-mails
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "interest-cohort=(), browsing-topics=()")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Cache-Control", "no-store") // personal data
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		s.trouble(w, r, http.StatusMethodNotAllowed, "This page only reads", "It changes nothing, so it takes GET and HEAD and no other request.")
		return
	}
	s.mux.ServeHTTP(w, r)
}

// moved is a redirect.
type moved string

// Error says where it leads.
func (m moved) Error() string { return "moved to " + string(m) }

// maxTime bounds how long a page may be in the making: a reader has gone by then.
const maxTime = 10 * time.Second

// answer makes a page and is the only place that turns an error into a status.
func (s *site) answer(w http.ResponseWriter, r *http.Request, show handler) {
	ctx, cancel := context.WithTimeout(r.Context(), maxTime)
	defer cancel()
	v, err := show(r.WithContext(ctx))
	var to moved
	switch kind, message := fault.Of(err); {
	case err == nil:
		s.write(w, r, http.StatusOK, v)
	case errors.As(err, &to):
		// Only paths that this package has made come here.
		w.Header().Set("Location", string(to))
		w.WriteHeader(http.StatusFound)
	case kind == fault.NotFound:
		s.trouble(w, r, http.StatusNotFound, "Nothing is here", message)
	case kind == fault.Invalid:
		s.trouble(w, r, http.StatusBadRequest, "That cannot be read", message)
	case kind == fault.Unavailable, errors.Is(err, context.DeadlineExceeded):
		w.Header().Set("Retry-After", "2")
		s.trouble(w, r, http.StatusServiceUnavailable, "Not just now", "This page could not be made in time, or the product is not ready yet. Please try again in a moment.")
	case errors.Is(err, context.Canceled):
		w.WriteHeader(http.StatusServiceUnavailable) // nobody reads it
	default:
		s.o.Logger.Error("making a page", "path", r.URL.Path, "error", err)
		s.trouble(w, r, http.StatusInternalServerError, "That went wrong", "Something is out of order on our side. It is in the log.")
	}
}

func (s *site) trouble(w http.ResponseWriter, r *http.Request, status int, title, text string) {
	s.write(w, r, status, &page.Trouble{Frame: s.frame(nil, title, ""), Text: text})
}

func (s *site) write(w http.ResponseWriter, r *http.Request, status int, v page.View) {
	body, err := page.Render(v)
	if err != nil {
		s.o.Logger.Error("drawing a page", "path", r.URL.Path, "error", err)
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(body) // an error means that the reader has gone
	}
}

// frame returns what stands around a page. The program may be nil.
func (s *site) frame(p *program.Program, title, section string) page.Frame {
	f := page.Frame{Title: title, Section: section, Demo: s.o.Demo != nil, Mails: s.o.MailsPath}
	if p != nil {
		f.Shop = p.Name
	}
	f.Now = s.clock(p).When(s.o.Now())
	return f
}

func (s *site) clock(p *program.Program) page.Clock {
	c := page.Clock{Now: s.o.Now()}
	if p != nil {
		c.Zone = p.Zone
	}
	return c
}

// program returns the program in force; nil before the first.
func (s *site) program(ctx context.Context) (*program.Program, error) {
	if s.o.Node == nil {
		return nil, nil
	}
	return s.o.Node.Program(ctx)
}

// inForce returns the program in force, or a fault of kind Unavailable.
func (s *site) inForce(ctx context.Context) (*program.Program, error) {
	p, err := s.program(ctx)
	if err == nil && p == nil {
		err = fault.New(fault.Unavailable, "no definitions are in force yet")
	}
	return p, err
}
