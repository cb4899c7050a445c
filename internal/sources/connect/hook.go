package connect

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"rapport/internal/catalogue"
	"rapport/internal/core/event"
	"rapport/internal/fault"
)

// maxBody is the largest webhook that is read: an order of 500 lines, with every
// sum in two currencies, takes 3 MB.
const maxBody = 8 << 20

// inFlight is how many webhooks are read at once; more are asked to come again. A
// platform that sends a flood must not take the memory of the tracking API.
const inFlight = 16

// askFor is how long a webhook waits for what has to be asked of the shop. The
// platforms give us five seconds in all.
const askFor = 3500 * time.Millisecond

// Options are what the receiver of webhooks needs.
type Options struct {
	Book      *Book
	Platforms []Platform
	Keeper    *catalogue.Keeper
	// Append makes events durable. Required.
	Append func(ctx context.Context, events []event.Event) error
	// Refused reports whether the person of an event has refused, here or elsewhere
	// than at the event's own source, what the event says that they agreed to.
	// Required: without it no consent is taken.
	Refused func(ctx context.Context, e *event.Event) (bool, error)
	// Quarantine puts a body aside that cannot be read. Durable when it returns.
	Quarantine func(ctx context.Context, source, topic, reason string, body []byte) error
	// Get calls a shop's API.
	Get Doer
	Now func() event.Time
	Log *slog.Logger
}

// Hooks receives webhooks under /hooks/PLATFORM/SOURCE.
type Hooks struct {
	o    Options
	busy chan struct{}
}

// NewHooks returns a receiver.
func NewHooks(o Options) *Hooks {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Hooks{o: o, busy: make(chan struct{}, inFlight)}
}

// Patterns returns the patterns under which a receiver is to be mounted.
func (h *Hooks) Patterns() (list []string) {
	for _, p := range h.o.Platforms {
		list = append(list, "POST /hooks/"+p.Name()+"/{source}")
	}
	return list
}

// answered is what a webhook is told.
type answered struct {
	OK       bool   `json:"ok"`
	Events   int    `json:"events"`
	Products int    `json:"products,omitempty"`
	Ignored  string `json:"ignored,omitempty"`
	Kept     string `json:"put_aside,omitempty"`
	Error    string `json:"error,omitempty"`
}

// ServeHTTP answers one webhook.
func (h *Hooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, err := h.take(w, r)
	status := http.StatusOK
	if err != nil {
		kind, message := fault.Of(err)
		a = answered{Error: message}
		switch kind {
		case fault.Denied:
			status = http.StatusUnauthorized
		case fault.NotFound:
			status = http.StatusNotFound
		case fault.TooLarge:
			status = http.StatusRequestEntityTooLarge
		case fault.Invalid:
			status = http.StatusBadRequest
		case fault.Unavailable, fault.Conflict:
			status = http.StatusServiceUnavailable
			w.Header().Set("Retry-After", "5")
		default:
			status = http.StatusInternalServerError
		}
		if status >= http.StatusInternalServerError {
			h.o.Log.ErrorContext(r.Context(), "a webhook could not be taken", "path", r.URL.Path, "error", err)
		}
	}
	body, err := json.Marshal(a)
	if err != nil {
		return // unreachable: texts and numbers
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body) // who is gone cannot be told
}

func (h *Hooks) take(w http.ResponseWriter, r *http.Request) (a answered, err error) {
	select {
	case h.busy <- struct{}{}:
		defer func() { <-h.busy }()
	default:
		return a, fault.New(fault.Unavailable, "too many webhooks at once; send this again later")
	}
	p, src, err := h.source(r)
	if err != nil {
		return a, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return a, fault.New(fault.TooLarge, "a webhook of more than 8 MiB")
		}
		return a, fault.Wrap(fault.Invalid, err, "the body broke off")
	}
	signature, topic := p.Signature(r.Header)
	if signature == "" && p.Hello(r.Header, body) {
		return answered{OK: true, Ignored: "hello"}, nil
	}
	if !Signed(body, signature, src.Secrets) || !p.Belongs(&src, r.Header) {
		return a, errDenied
	}
	heard, err := p.Read(&src, topic, body, h.o.Now())
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.TooLarge) {
		_, why := fault.Of(err)
		h.o.Log.WarnContext(r.Context(), "a webhook cannot be read and is put aside", "source", src.Name, "topic", topic, "reason", why)
		if err := h.o.Quarantine(r.Context(), src.Name, topic, why, body); err != nil {
			return a, err
		}
		return answered{OK: true, Kept: why}, nil
	}
	if err != nil {
		return a, err
	}
	if heard.Order != "" {
		asked, err := h.ask(r.Context(), p, &src, heard.Order)
		// What is known is kept whatever becomes of the question.
		heard.Events, heard.Products = append(heard.Events, asked.Events...), append(heard.Products, asked.Products...)
		heard.Ignored = asked.Ignored
		if err != nil {
			_, kept := h.keep(r.Context(), &heard)
			return a, errors.Join(err, kept)
		}
	}
	return h.keep(r.Context(), &heard)
}

// errDenied is the same whatever was wrong.
var errDenied = fault.New(fault.Denied, "the signature is missing or wrong")

func (h *Hooks) source(r *http.Request) (Platform, Source, error) {
	rest, _ := strings.CutPrefix(r.URL.Path, "/hooks/")
	platform, name, _ := strings.Cut(rest, "/")
	for _, p := range h.o.Platforms {
		if p.Name() != platform {
			continue
		}
		src, err := h.o.Book.Find(strings.TrimSuffix(name, "/"))
		if err == nil && src.Platform != platform {
			err = fault.New(fault.NotFound, "no shop of this platform is connected under the name")
		}
		return p, src, err
	}
	return nil, Source{}, fault.New(fault.NotFound, "there is nothing at this path")
}

// Signed reports whether a body has the signature: base64 of HMAC-SHA256 of its
// bytes, by the current secret or the previous one. It takes as long whatever is
// wrong.
func Signed(body []byte, signature string, secrets Secrets) bool {
	given, err := base64.StdEncoding.DecodeString(signature)
	good := false
	for _, secret := range [...]string{secrets.Current, secrets.Previous} {
		m := hmac.New(sha256.New, []byte(secret))
		m.Write(body)
		if hmac.Equal(m.Sum(nil), given) && secret != "" {
			good = true
		}
	}
	return good && err == nil
}

// ask asks the shop for an order.
func (h *Hooks) ask(ctx context.Context, p Platform, src *Source, order string) (Heard, error) {
	if src.Token == "" || h.o.Get == nil {
		return Heard{Ignored: "the shop's API is not connected: the order itself tells this with its next update"}, nil
	}
	api, err := p.API(src, h.o.Get)
	if err != nil {
		return Heard{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	heard, err := api.Order(ctx, order, h.o.Now())
	if fault.Is(err, fault.NotFound) {
		return Heard{Ignored: "the shop does not know the order any more"}, nil
	}
	if err != nil {
		return heard, fault.Wrap(fault.Unavailable, err, "the shop could not be asked for the order")
	}
	return heard, nil
}

// keep makes what was heard durable.
func (h *Hooks) keep(ctx context.Context, heard *Heard) (answered, error) {
	events, err := Settle(ctx, heard.Events, h.o.Keeper, h.o.Refused)
	if err != nil {
		return answered{}, err
	}
	if len(heard.Products) > 0 {
		if _, err := h.o.Keeper.Apply(ctx, heard.Products); err != nil {
			return answered{}, err
		}
	}
	if len(events) > 0 {
		if err := h.o.Append(ctx, events); err != nil {
			return answered{}, err
		}
	}
	return answered{OK: true, Events: len(events), Products: len(heard.Products), Ignored: heard.Ignored}, nil
}

// Settle completes events by what the product knows: lines get the category of
// their product, and a consent that somebody has refused here becomes an entry
// that says so and permits nothing.
func Settle(ctx context.Context, events []event.Event, k *catalogue.Keeper, refused func(context.Context, *event.Event) (bool, error)) ([]event.Event, error) {
	if err := categories(ctx, events, k); err != nil {
		return nil, err
	}
	for i := range events {
		e := &events[i]
		if e.Name != event.ConsentChanged || e.Props.Text("state") != "granted" {
			continue
		}
		no, err := refused(ctx, e)
		if err != nil {
			return nil, err
		}
		if no {
			// An entry of a state that permits nothing, for whoever asks why.
			e.Props = e.Props.With("state", event.Text("not taken")).With("why", event.Text("she has refused this here; only she can take that back"))
		}
	}
	return events, nil
}

// categories fills in what the lines of orders do not say.
func categories(ctx context.Context, events []event.Event, k *catalogue.Keeper) error {
	if k == nil {
		return nil
	}
	var keys []string
	seen := map[string]bool{}
	each := func(visit func(key string, line event.Object) event.Object) {
		for i := range events {
			v, ok := events[i].Props.Get("products")
			if !ok || v.Kind != event.List {
				continue
			}
			var list []event.Value
			changed := false
			for item := range v.Items {
				line := item.Object()
				for _, field := range [...]string{"variant_id", "sku", "product_id"} {
					if key := line.Text(field); key != "" && line.Text("category") == "" {
						if next := visit(key, line); next != line {
							line, changed = next, true
						}
					}
				}
				list = append(list, event.Nested(line))
			}
			if changed {
				events[i].Props = events[i].Props.With("products", event.ListOf(list...))
			}
		}
	}
	each(func(key string, line event.Object) event.Object {
		if !seen[key] {
			seen[key] = true
			keys = append(keys, key)
		}
		return line
	})
	if len(keys) == 0 {
		return nil
	}
	found, err := k.Categories(ctx, keys)
	if err != nil {
		return err
	}
	each(func(key string, line event.Object) event.Object {
		if c := found[key]; c != "" {
			return line.With("category", event.Text(c))
		}
		return line
	})
	return nil
}
