package site

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
)

// Suppression forbids messages of a purpose over a channel to a customer.
type Suppression struct {
	Profile  identity.ID
	Delivery string // the delivery whose link was used, 32 hex digits; empty if it was none's
	Channel  string
	Purpose  string // never empty: what people need to get, such as a receipt, is not stopped by the way
	Reason   string // always "unsubscribed": the person asked, and may ask for messages again
	At       event.Time
}

// Suppressor keeps what may not be sent.
type Suppressor interface {
	// Suppress returns nil only once the suppression is durable, and no hand-over
	// that begins later can miss it. Suppressing twice is once. An error means
	// that it may not be durable: the customer is told to try again.
	Suppress(ctx context.Context, s Suppression) error

	// Release takes back what Suppress did for exactly this profile, channel and
	// purpose, after the person asked for messages again. It takes nothing else
	// back: not a bounce, a complaint or an erasure. Releasing what is not
	// suppressed does nothing.
	Release(ctx context.Context, s Suppression) error
}

// Hearer takes events to the log.
type Hearer interface {
	// Hear returns nil only once the entries are durable. An error means that they
	// may not be; the site hears them again, with the same ids.
	Hear(ctx context.Context, entries []identity.Addressed) error
}

// Purpose is one reason to write to a customer, as the preference page shows it.
type Purpose struct {
	Name  string // in the program: "marketing"
	Label string // for people: "News and offers"
	On    bool   // they would get it now: consent, and no suppression

	About string // a sentence or two on what it means; may be empty

	// Labels and Abouts are both in other languages, by "de". Where there is a label
	// and no sentence, there is none: two languages on one page are read by nobody.
	Labels, Abouts map[string]string
}

// Preferences knows what a customer may be sent.
type Preferences interface {
	// Preferences returns the purposes that a customer may switch on the channel,
	// in the order to show them. Unknown profiles have them all, as they are by
	// default: a link never tells whether somebody is known.
	Preferences(ctx context.Context, profile identity.ID, channel string) ([]Purpose, error)
}

// Options are what the site is made of. Signer, Suppressor, Hearer and
// Preferences are required.
type Options struct {
	Signer      *Signer
	Suppressor  Suppressor
	Hearer      Hearer
	Preferences Preferences

	// Customers knows the shop and its customers. Default: nobody; the pages are in
	// the browser's language and our own look, and there is no form to sign up.
	Customers Customers

	// Home returns where what is heard of an identifier arrives. Required for the
	// form to sign up.
	Home func(identity.Identifier) identity.ID

	// Pictures is the shop's library. Default: none, and no picture is found.
	Pictures Pictures

	// Brand is the shop's name on the pages, where Customers does not know it.
	// Default: empty, no name.
	Brand string

	// Trace says what is kept of the address that a person came from, as evidence of
	// consent. Default: the network.
	Trace Trace

	// Now is the clock of events. Default: the wall clock.
	Now func() event.Time

	// Wall is the clock by which hits are judged: two links within two seconds are
	// a machine's. It is the wall's even where Now is virtual. Default: time.Now.
	Wall func() time.Time

	// Hold is how long an opening or click waits for what follows it, before it is
	// judged and heard. Default: 2 s. Less than 0 does not wait: the first click of
	// a scanner is then taken for a person's.
	Hold time.Duration

	// Log is told of events that could not be heard. Default: slog.Default().
	Log *slog.Logger
}

// maxBody bounds what is read of a form: the preference page sends a few names,
// one-click a few words.
const maxBody = 16 << 10

//go:embed pages.html style.css
var files embed.FS

var (
	pages = template.Must(template.ParseFS(files, "pages.html"))
	style = string(must(files.ReadFile("style.css")))
)

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err) // unreachable: the file is part of the program
	}
	return b
}

// Site serves the pages. Make one with [New].
type Site struct {
	o         Options
	secure    bool // the public address is https
	mux       *http.ServeMux
	outbox    *outbox
	networks  *limiter // of sign-ups, by network
	addresses *limiter // of sign-ups, by address
}

// New returns the site: an [http.Handler] for the paths /c/, /o/, /u/, /p/, /signup,
// /s/, /v/, /own-copy, /i/ and /k/. Close it before the program ends, so that held clicks are
// heard. Missing parts are Invalid.
func New(o Options) (*Site, error) {
	if o.Signer == nil || o.Suppressor == nil || o.Hearer == nil || o.Preferences == nil {
		return nil, fault.New(fault.Invalid, "the site needs a signer, a suppressor, a hearer and preferences")
	}
	if o.Now == nil {
		o.Now = func() event.Time { return event.At(time.Now()) }
	}
	if o.Wall == nil {
		o.Wall = time.Now
	}
	if o.Hold == 0 {
		o.Hold = burst
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Customers == nil {
		o.Customers = nobody{}
	}
	s := &Site{
		o: o, secure: strings.HasPrefix(o.Signer.base, "https:"), mux: http.NewServeMux(),
		networks: newLimiter(perNetwork, time.Hour), addresses: newLimiter(perAddress, 24*time.Hour),
	}
	s.outbox = newOutbox(o)
	s.mux.HandleFunc("GET /c/{token}", s.click)
	s.mux.HandleFunc("GET /o/{token}", s.open)
	s.mux.HandleFunc("GET /u/{token}", s.confirm)
	s.mux.HandleFunc("POST /u/{token}", s.unsubscribe)
	s.mux.HandleFunc("GET /p/{token}", s.preferences)
	s.mux.HandleFunc("POST /p/{token}", s.prefer)
	s.mux.HandleFunc("GET /signup", s.signup)
	s.mux.HandleFunc("POST /signup", s.request)
	s.mux.HandleFunc("GET /s/{token}", s.askConfirm)
	s.mux.HandleFunc("POST /s/{token}", s.confirmSignup)
	s.mux.HandleFunc("GET /v/{token}", s.view)
	s.mux.HandleFunc("GET "+ownCopyPath, s.ownCopy)
	s.mux.HandleFunc("GET /i/{name}", s.picture)
	s.mux.HandleFunc("GET /k/{name}", s.code)
	s.mux.HandleFunc("GET /", s.missing)
	return s, nil
}

// Close hears everything that is held, judged by what is known, and returns what
// could not be heard as an error.
func (s *Site) Close(ctx context.Context) error { return s.outbox.close(ctx) }

// ServeHTTP serves one page.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", plainPolicy) // a page with a look of its own replaces it
	h.Set("X-Content-Type-Options", "nosniff")
	// The address holds a token, which nobody else may see. Our own forms say where
	// they come from: with no-referrer a browser would say "null", like a stranger's.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Cache-Control", "no-store")
	h.Set("Permissions-Policy", "interest-cohort=(), browsing-topics=()")
	if s.secure {
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	s.mux.ServeHTTP(w, r)
}

// page is what a page shows.
type page struct {
	Title, Text string
	More        string
	Channels    []channelChoice
	Pace        bool   // the page asks how often
	Fewer       bool   // and what was chosen
	Paused      string // until when, in words; empty: not paused
	Wrong       string
	Email       string
	Choices     []choice
}

// choice is a purpose with what it means.
type choice struct {
	Purpose
	About string
}

// channelChoice is what may be chosen on one channel.
type channelChoice struct {
	Legend   string
	Field    string // name of its boxes in the form
	Purposes []Purpose
}

// show writes a page. It is made in memory first, so that a mistake in it cannot
// leave half a page behind a 200.
func (s *Site) show(w http.ResponseWriter, v *visit, status int, name string, p page) {
	css, policy := sheet(v.shop.Look)
	data := struct {
		page
		*visit
		Lang, Brand, Logo string
		Style             template.CSS
	}{p, v, v.lang, v.shop.Name, "", template.CSS(css)}
	if _, ok := safeLogo(v.shop.Look.Logo); ok {
		data.Logo = v.shop.Look.Logo
	}
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		s.o.Log.Error("making a page", "page", name, "error", err)
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", v.lang)
	w.Header().Set("Vary", "Accept-Language")
	w.WriteHeader(status)
	w.Write(b.Bytes()) // an error means that the reader has gone
}

// missing is the one answer to every link that is not ours, so that a guess
// learns nothing.
func (s *Site) missing(w http.ResponseWriter, r *http.Request) {
	v := s.visit(r, identity.ID{})
	s.show(w, &v, http.StatusNotFound, "message", page{Title: v.Say("broken.title"), Text: v.Say("broken.text")})
}

// later asks to try again; retryAfter is in seconds.
func (s *Site) later(w http.ResponseWriter, r *http.Request) {
	const retryAfter = "30"
	v := s.visit(r, identity.ID{})
	w.Header().Set("Retry-After", retryAfter)
	s.show(w, &v, http.StatusServiceUnavailable, "message", page{Title: v.Say("later.title"), Text: v.Say("later.text")})
}

// token returns the verified token of the path if it is of one of the kinds.
func (s *Site) token(r *http.Request, kinds ...Kind) (Token, bool) {
	t, err := s.o.Signer.Verify(r.PathValue("token"))
	if err != nil {
		return Token{}, false
	}
	for _, k := range kinds {
		if t.Kind == k {
			return t, true
		}
	}
	return Token{}, false
}
