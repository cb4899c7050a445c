package provider_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rapport/internal/channels"
	"rapport/internal/channels/channeltest"
	"rapport/internal/channels/provider"
)

// plain is the simplest protocol: one message a request, its delivery the body.
type plain struct {
	together   int
	repeatable bool
	pad        int // bytes of body beside the deliveries
	forgets    bool
}

func (p plain) Fit([]provider.Letter) int { return max(p.together, 1) }

func (p plain) Request(letters []provider.Letter) provider.Request {
	var body []byte
	for _, l := range letters {
		body = append(body, l.Message.Delivery+"\n"...)
	}
	return provider.Request{Path: "/send", ContentType: "text/plain", Body: append(body, make([]byte, p.pad)...), Repeatable: p.repeatable}
}

func (plain) Sign(r *http.Request, _ []byte) { r.Header.Set("Authorization", "Bearer key") }

func (p plain) Read(a *provider.Answer, letters []provider.Letter) provider.Reading {
	if p.forgets {
		return provider.Reading{}
	}
	return a.Reading(a.Means(), string(a.Body), letters)
}

func open(t *testing.T, p plain, o provider.Options, handler http.HandlerFunc) *provider.Channel {
	t.Helper()
	if handler != nil {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		o.Base = server.URL
	}
	c, err := provider.New(p, "https://api.provider.example", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func messages(n int) []channels.Message {
	batch := make([]channels.Message, n)
	for i := range batch {
		batch[i] = channeltest.Message(i)
	}
	return batch
}

func answer(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
	}
}

func TestAStatusMeansWhatItSays(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]channels.State{
		200: channels.Accepted, 202: channels.Accepted,
		400: channels.Rejected, 413: channels.Rejected, 422: channels.Rejected,
		408: channels.Deferred, 425: channels.Deferred, 429: channels.Deferred, 503: channels.Deferred,
		401: channels.Deferred, 402: channels.Deferred, 403: channels.Deferred, 404: channels.Deferred, 405: channels.Deferred, 301: channels.Deferred, 307: channels.Deferred,
		409: channels.Unknown, 500: channels.Unknown, 502: channels.Unknown, 504: channels.Unknown, 599: channels.Unknown,
	} {
		c := open(t, plain{}, provider.Options{}, answer(status))
		for _, o := range c.Send(t.Context(), messages(2)) {
			if o.State != want || o.Hard || (o.State == channels.Deferred) != (o.RetryAfter > 0) || o.State != channels.Accepted && o.Detail == "" {
				t.Errorf("%d: %+v, want %s", status, o, want)
			}
		}
	}
}

func TestNoConnectionDefersEverything(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	c := open(t, plain{}, provider.Options{Base: "http://" + l.Addr().String()}, nil)
	for _, o := range c.Send(t.Context(), messages(3)) {
		if o.State != channels.Deferred || o.RetryAfter <= 0 || strings.Contains(o.Detail, "http://") {
			t.Errorf("%+v", o)
		}
	}
}

// A body larger than every buffer on the way: the peer closes before it was read.
func TestARequestThatDidNotLeaveWholeIsDeferred(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			nc.(*net.TCPConn).SetLinger(0)
			io.ReadFull(nc, make([]byte, 1000))
			nc.Close()
		}
	}()
	c := open(t, plain{pad: 64 << 20}, provider.Options{Base: "http://" + l.Addr().String()}, nil)
	if o := c.Send(t.Context(), messages(1))[0]; o.State != channels.Deferred || o.RetryAfter <= 0 {
		t.Fatalf("%+v, want deferred", o)
	}
}

// Item 3: the provider is slower than we are patient.
func TestItem3AnAnswerThatComesTooLateIsUnknown(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	var taken atomic.Int64
	c := open(t, plain{}, provider.Options{}, func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		taken.Add(1)
		cancel() // the whole message is there, and its sender gives up
		<-release
	})
	defer close(release)
	if o := c.Send(ctx, messages(1))[0]; o.State != channels.Unknown || taken.Load() != 1 {
		t.Fatalf("%+v, taken %d times; want unknown", o, taken.Load())
	}
}

func TestWhatMayHaveBeenTakenIsNotAskedAgain(t *testing.T) {
	t.Parallel()
	for name, vanish := range map[string]http.HandlerFunc{
		"the connection broke": func(http.ResponseWriter, *http.Request) { channeltest.Vanish() },
		"the answer was a 500": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
	} {
		for repeatable, want := range map[bool]int64{false: 1, true: 3} {
			var asked atomic.Int64
			c := open(t, plain{repeatable: repeatable}, provider.Options{}, func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				asked.Add(1)
				vanish(w, r)
			})
			if o := c.Send(t.Context(), messages(1))[0]; o.State != channels.Unknown || asked.Load() != want {
				t.Errorf("%s, repeatable %t: %+v after %d requests, want unknown after %d", name, repeatable, o, asked.Load(), want)
			}
		}
	}
}

// Item 19: the provider refuses a batch because of one message in it and does not
// say which.
func TestItem19ARefusalOfTheWholeIsTracedToItsMessage(t *testing.T) {
	t.Parallel()
	batch := messages(100)
	bad := map[string]bool{batch[37].Delivery: true, batch[99].Delivery: true}
	var mu sync.Mutex
	taken := map[string]int{}
	c := open(t, plain{together: 100}, provider.Options{}, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		ids := strings.Fields(string(body))
		for _, id := range ids {
			if bad[id] {
				w.WriteHeader(http.StatusUnprocessableEntity)
				io.WriteString(w, "one of them is wrong")
				return
			}
		}
		mu.Lock()
		defer mu.Unlock()
		for _, id := range ids {
			taken[id]++
		}
	})
	for i, o := range c.Send(t.Context(), batch) {
		want, times := channels.Accepted, 1
		if bad[batch[i].Delivery] {
			want, times = channels.Rejected, 0
		}
		if o.State != want || taken[batch[i].Delivery] != times {
			t.Errorf("message %d: %+v, taken %d times", i, o, taken[batch[i].Delivery])
		}
	}
}

// Item 30: while a provider wants to be left alone nothing is asked of it.
func TestItem30ABusyProviderIsLeftAlone(t *testing.T) {
	t.Parallel()
	var clock atomic.Int64
	start := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	var asked atomic.Int64
	status := atomic.Int64{}
	status.Store(http.StatusTooManyRequests)
	c := open(t, plain{}, provider.Options{Requests: 1, Now: func() time.Time { return start.Add(time.Duration(clock.Load())) }}, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		asked.Add(1)
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(int(status.Load()))
	})
	for i, o := range c.Send(t.Context(), messages(10)) {
		if o.State != channels.Deferred || o.RetryAfter != time.Hour {
			t.Errorf("message %d: %+v", i, o)
		}
	}
	clock.Store(int64(59 * time.Minute))
	if o := c.Send(t.Context(), messages(1))[0]; o.State != channels.Deferred || o.RetryAfter != time.Minute || asked.Load() != 1 {
		t.Errorf("after 59 minutes: %+v, asked %d times", o, asked.Load())
	}
	clock.Store(int64(time.Hour))
	status.Store(http.StatusOK)
	if o := c.Send(t.Context(), messages(1))[0]; o.State != channels.Accepted {
		t.Errorf("after an hour: %+v", o)
	}
}

func TestTroubleIsToldOnceAndItsEndOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	var status atomic.Int64
	status.Store(http.StatusForbidden)
	c := open(t, plain{}, provider.Options{Requests: 1, Log: slog.New(slog.NewTextHandler(&log, nil))}, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(int(status.Load()))
		io.WriteString(w, "the domain is not verified")
	})
	c.Send(t.Context(), messages(5))
	if n := strings.Count(log.String(), "level=ERROR"); n != 1 || c.Trouble() != "the domain is not verified" {
		t.Errorf("told %d times, trouble %q", n, c.Trouble())
	}
	status.Store(http.StatusServiceUnavailable)
	c.Send(t.Context(), messages(1))
	if c.Trouble() == "" {
		t.Error("a provider that is away has mended nothing")
	}
	status.Store(http.StatusOK)
	c.Send(t.Context(), messages(5))
	if n := strings.Count(log.String(), "level=INFO"); n != 1 || c.Trouble() != "" {
		t.Errorf("the end was told %d times, trouble %q", n, c.Trouble())
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	c := open(t, plain{}, provider.Options{}, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	if o := c.Send(t.Context(), messages(1))[0]; o.State != channels.Deferred || elsewhere.Load() != 0 {
		t.Fatalf("%+v; the other server was asked %d times", o, elsewhere.Load())
	}
}

func TestAnAnswerIsReadWithinBounds(t *testing.T) {
	t.Parallel()
	c := open(t, plain{}, provider.Options{}, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusBadRequest)
		for range 64 {
			w.Write(bytes.Repeat([]byte("x"), 1<<20))
		}
	})
	if o := c.Send(t.Context(), messages(1))[0]; o.State != channels.Rejected || len(o.Detail) > channels.MaxDetail {
		t.Fatalf("%s with %d bytes of detail", o.State, len(o.Detail))
	}
}

func TestOnlyAsManyRequestsAreUnderWayAsAllowed(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int64
	c := open(t, plain{}, provider.Options{Requests: 3}, func(_ http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		io.Copy(io.Discard, r.Body)
		now.Add(-1)
	})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i, o := range c.Send(t.Context(), messages(50)) {
				if o.State != channels.Accepted {
					t.Errorf("message %d: %+v", i, o)
				}
			}
		})
	}
	wg.Wait()
	if most.Load() > 3 {
		t.Errorf("%d requests at once", most.Load())
	}
}

func TestAProtocolThatForgetsToAnswerPromisesNothing(t *testing.T) {
	t.Parallel()
	c := open(t, plain{forgets: true}, provider.Options{}, answer(200))
	if o := c.Send(t.Context(), messages(1))[0]; o.State != channels.Unknown {
		t.Fatalf("%+v", o)
	}
}

func TestAClosedChannelSendsNothing(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	c := open(t, plain{}, provider.Options{}, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	c.Close()
	if o := c.Send(t.Context(), messages(1))[0]; o.State != channels.Deferred || asked.Load() != 0 {
		t.Fatalf("%+v, asked %d times", o, asked.Load())
	}
}

func TestCertificatesAreChecked(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(answer(200))
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	for name, c := range map[string]struct {
		tls  *tls.Config
		want channels.State
	}{
		"a certificate that nobody vouches for": {nil, channels.Deferred},
		"one that is believed":                  {&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, channels.Accepted},
	} {
		ch := open(t, plain{}, provider.Options{Base: server.URL, TLSConfig: c.tls}, nil)
		if o := ch.Send(t.Context(), messages(1))[0]; o.State != c.want {
			t.Errorf("%s: %+v, want %s", name, o, c.want)
		}
	}
}

func TestASecretIsNotTold(t *testing.T) {
	t.Parallel()
	s := provider.Secret("hunter2")
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "options", struct{ Key provider.Secret }{s})
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "options", struct{ Key provider.Secret }{s})
	if text := fmt.Sprintf("%v %s %q %#v %+v", s, s, s, s, struct{ Key provider.Secret }{s}) + log.String(); strings.Contains(text, "hunter2") {
		t.Errorf("told: %s", text)
	}
}
