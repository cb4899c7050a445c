package hooks

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rapport/internal/channels"
	"rapport/internal/channels/provider"
	"rapport/internal/fault"
)

// Pattern is what the door answers to.
const Pattern = "POST /hooks/{provider}/{source}"

// Path returns where a source tells, below the server's public URL.
func Path(provider, source string) string { return "/hooks/" + provider + "/" + source }

// The limits of the door.
const (
	// MaxBody bounds a body. The largest are SendGrid's, of 768 kB.
	MaxBody = 2 << 20
	// maxAtOnce bounds the bodies in memory: 32 of the largest are 64 MB.
	maxAtOnce = 32
	// within is how long what a body tells may take to become durable. Providers
	// give up after ten seconds or more, and come again.
	within = 9 * time.Second
	// warnEvery keeps a stranger from filling the log.
	warnEvery = time.Minute
	// comeAgain is the answer's Retry-After, in seconds.
	comeAgain = 10
)

// Options are what the door is made of.
type Options struct {
	// Reader returns who reads what a source tells; a fault of kind NotFound if
	// there is no such source.
	Reader func(provider, source string) (provider.Reader, error)

	// Receiver takes what was told to the log.
	Receiver channels.Receiver

	// Log hears of forged bodies, at most once a minute. Default: nobody.
	Log *slog.Logger
}

// Server is the door.
type Server struct {
	o     Options
	slots chan struct{}

	posts   *prometheus.CounterVec
	notices *prometheus.CounterVec

	mu     sync.Mutex
	warned time.Time
}

// New returns a door.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Server{
		o: o, slots: make(chan struct{}, maxAtOnce),
		posts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "rapport", Name: "hooks_total", Help: "Webhooks that came in, by provider and by what became of them: taken, forged, unreadable, later.",
		}, []string{"provider", "result"}),
		notices: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "rapport", Name: "hook_notices_total", Help: "What genuine webhooks told of messages, by provider.",
		}, []string{"provider", "told"}),
	}
}

// Collectors returns the door's counters.
func (s *Server) Collectors() []prometheus.Collector {
	return []prometheus.Collector{s.posts, s.notices}
}

// ServeHTTP takes one body.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, source := r.PathValue("provider"), r.PathValue("source")
	result, err := s.take(w, r, name, source)
	if result != "" {
		s.posts.WithLabelValues(name, result).Inc()
	}
	if err == nil {
		w.WriteHeader(http.StatusOK)
		return
	}
	kind, message := fault.Of(err)
	status := http.StatusInternalServerError
	switch kind {
	case fault.Invalid:
		status = http.StatusBadRequest
	case fault.NotFound:
		status = http.StatusNotFound
	case fault.Denied:
		status = http.StatusUnauthorized // not 403, after which some come no more: our key may be the wrong one
	case fault.TooLarge:
		status = http.StatusRequestEntityTooLarge
	case fault.Unavailable, fault.Conflict:
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", strconv.Itoa(comeAgain))
	}
	http.Error(w, message, status)
}

// take reads, checks and receives one body. It returns how the body counts; empty
// if it is of no source of ours.
func (s *Server) take(w http.ResponseWriter, r *http.Request, name, source string) (result string, err error) {
	reader, err := s.o.Reader(name, source)
	if err != nil {
		return "", err // before the body is read: strangers get no memory
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		return "later", fault.New(fault.Unavailable, "too many webhooks at once")
	}
	body, err := Body(w, r)
	if err != nil {
		return "unreadable", err
	}
	ctx, cancel := context.WithTimeout(r.Context(), within)
	defer cancel()
	notices, err := reader.Read(ctx, r.Header, body)
	switch {
	case fault.Is(err, fault.Denied):
		s.warn(name, source, err)
		return "forged", err
	case fault.Is(err, fault.Unavailable):
		return "later", err
	case err != nil:
		s.warn(name, source, err)
		return "unreadable", err
	}
	if err := s.o.Receiver.Receive(ctx, notices); err != nil {
		s.o.Log.Error("what a provider told could not be kept, and it was asked to come again", "provider", name, "source", source, "error", err)
		if !fault.Is(err, fault.Unavailable) {
			err = fault.Wrap(fault.Unavailable, err, "it could not be kept now")
		}
		return "later", err
	}
	for i := range notices {
		s.notices.WithLabelValues(name, notices[i].Told.String()).Inc()
	}
	return "taken", nil
}

// warn tells of what is not believed.
func (s *Server) warn(name, source string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); now.Sub(s.warned) >= warnEvery {
		s.warned = now
		s.o.Log.Warn("a webhook was not believed", "provider", name, "source", source, "error", err)
	}
}

// Body reads the body of a webhook, as it came: signatures are over its bytes. It
// is bounded by [MaxBody]; a larger one is a fault of kind TooLarge.
func Body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, fault.Wrap(fault.TooLarge, err, "the body is larger than 2 MB")
	}
	return body, fault.Wrap(fault.Invalid, err, "the body was cut off")
}
