// Package api answers the shop's own servers and people at a terminal: campaigns
// are looked at and ordered here, and service messages asked for.
//
// Everything needs a secret key. An error is a problem document (RFC 9457) that
// says what is wrong and what to do. What changes something is durable in the log
// when it is answered, and is safe to repeat: a service message by its idempotency
// key, an order to a campaign because only the newest state counts.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/journey"
	"rapport/internal/fault"
	"rapport/internal/keys"
	"rapport/internal/run"
)

// Node is what the calls need; [run.Node] is one.
type Node interface {
	Campaigns(ctx context.Context) ([]run.CampaignStatus, error)
	Campaign(ctx context.Context, name string) (run.CampaignStatus, error)
	PreviewCampaign(ctx context.Context, name string) (run.Funnel, error)
	SendCampaign(ctx context.Context, name string, o run.SendOptions) (run.RunStatus, error)
	PauseCampaign(ctx context.Context, name string) (run.RunStatus, error)
	ResumeCampaign(ctx context.Context, name string) (run.RunStatus, error)
	RateCampaign(ctx context.Context, name string, perHour int64) (run.RunStatus, error)
	StopCampaign(ctx context.Context, name string) (run.RunStatus, error)
	SendService(ctx context.Context, name string, to run.Recipient, props event.Object, key string) (event.ID, error)
}

var _ Node = (*run.Node)(nil)

// Keys knows the keys of the shop; [keys.Ring] is one.
type Keys interface {
	Find(presented string) (keys.Key, bool)
}

// Calls are the calls about campaigns and service messages.
type Calls struct {
	node Node
	keys Keys
	log  *slog.Logger
	mux  *http.ServeMux
}

// CallPaths are the patterns below which [Calls] answers.
var CallPaths = []string{"/api/v1/campaigns", "/api/v1/campaigns/", "/api/v1/service/"}

// maxCall bounds the body of a call: some times what a service message may be told.
const maxCall = 64 << 10

// NewCalls returns the handler. Log may be nil.
func NewCalls(node Node, ring Keys, log *slog.Logger) *Calls {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Calls{node, ring, log, http.NewServeMux()}
	handle := func(pattern string, call func(r *http.Request) (int, any, error)) {
		c.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, maxCall)
			status, body, err := call(r)
			if err != nil {
				c.refuse(w, r, err)
				return
			}
			write(w, status, "application/json", body)
		})
	}
	handle("GET /api/v1/campaigns", c.list)
	handle("GET /api/v1/campaigns/{name}", func(r *http.Request) (int, any, error) {
		s, err := node.Campaign(r.Context(), r.PathValue("name"))
		return http.StatusOK, s, err
	})
	handle("GET /api/v1/campaigns/{name}/preview", func(r *http.Request) (int, any, error) {
		f, err := node.PreviewCampaign(r.Context(), r.PathValue("name"))
		return http.StatusOK, f, err
	})
	handle("POST /api/v1/campaigns/{name}/send", c.send)
	handle("POST /api/v1/campaigns/{name}/rate", c.rate)
	for verb, order := range map[string]func(context.Context, string) (run.RunStatus, error){
		"pause": node.PauseCampaign, "resume": node.ResumeCampaign, "stop": node.StopCampaign,
	} {
		handle("POST /api/v1/campaigns/{name}/"+verb, func(r *http.Request) (int, any, error) {
			s, err := order(r.Context(), r.PathValue("name"))
			return http.StatusAccepted, s, err
		})
	}
	handle("POST /api/v1/service/{name}", c.service)
	return c
}

// ServeHTTP answers whoever has a secret key.
func (c *Calls) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	key, known := c.keys.Find(strings.TrimSpace(text))
	if !ok || !known || key.Kind != keys.Secret {
		w.Header().Set("WWW-Authenticate", "Bearer")
		c.refuse(w, r, fault.New(fault.Denied, "this needs a secret key: Authorization: Bearer rp_s_…"))
		return
	}
	c.mux.ServeHTTP(w, r)
}

func (c *Calls) list(r *http.Request) (int, any, error) {
	all, err := c.node.Campaigns(r.Context())
	if all == nil {
		all = []run.CampaignStatus{}
	}
	return http.StatusOK, map[string]any{"campaigns": all}, err
}

func (c *Calls) send(r *http.Request) (int, any, error) {
	var o run.SendOptions
	if err := read(r, &o, true); err != nil {
		return 0, nil, err
	}
	s, err := c.node.SendCampaign(r.Context(), r.PathValue("name"), o)
	return http.StatusAccepted, s, err
}

func (c *Calls) rate(r *http.Request) (int, any, error) {
	var body struct {
		Rate string `json:"rate"`
	}
	if err := read(r, &body, false); err != nil {
		return 0, nil, err
	}
	perHour, ok := journey.ParseRate(body.Rate)
	if !ok {
		return 0, nil, fault.New(fault.Invalid, "rate is like 5000/h, 100/m, 20/s or none")
	}
	s, err := c.node.RateCampaign(r.Context(), r.PathValue("name"), perHour)
	return http.StatusAccepted, s, err
}

// service asks for a service message: 202 once that is durable.
func (c *Calls) service(r *http.Request) (int, any, error) {
	var body struct {
		To    run.Recipient   `json:"to"`
		Props json.RawMessage `json:"props"`
		Key   string          `json:"idempotency_key"`
	}
	if err := read(r, &body, false); err != nil {
		return 0, nil, err
	}
	if key := r.Header.Get("Idempotency-Key"); key != "" {
		body.Key = key
	}
	props, err := object(body.Props)
	if err != nil {
		return 0, nil, err
	}
	id, err := c.node.SendService(r.Context(), r.PathValue("name"), body.To, props, body.Key)
	return http.StatusAccepted, map[string]string{"id": string(id)}, err
}

// read reads the JSON body of a call into v; an empty one is allowed if there is
// nothing that must be said.
func read(r *http.Request, v any, empty bool) error {
	body, err := io.ReadAll(r.Body)
	if long, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fault.Wrap(fault.TooLarge, long, "the body is longer than "+strconv.Itoa(maxCall)+" bytes")
	}
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the body did not arrive")
	}
	if empty && len(strings.TrimSpace(string(body))) == 0 {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	err = d.Decode(v)
	wrong, ok := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case ok && wrong.Field == "":
		return fault.Wrap(fault.Invalid, err, "the body must be a JSON object, not a JSON "+wrong.Value)
	case ok:
		return fault.Wrap(fault.Invalid, err, wrong.Field+" cannot be a JSON "+wrong.Value)
	case errors.Is(err, io.EOF):
		return fault.New(fault.Invalid, "the body is empty: this call takes a JSON object")
	case err != nil:
		return fault.Wrap(fault.Invalid, err, "the body is not the JSON that this call takes: "+err.Error())
	}
	if d.More() {
		return fault.New(fault.Invalid, "something follows the JSON of the body")
	}
	return nil
}

// statuses are the answers to the kinds of fault. The only place that knows them.
var statuses = map[fault.Kind]int{
	fault.Invalid: http.StatusBadRequest, fault.NotFound: http.StatusNotFound, fault.Conflict: http.StatusConflict,
	fault.Unavailable: http.StatusServiceUnavailable, fault.Denied: http.StatusUnauthorized, fault.TooLarge: http.StatusRequestEntityTooLarge,
}

// refuse answers an error with a problem document.
func (c *Calls) refuse(w http.ResponseWriter, r *http.Request, err error) {
	kind, message := fault.Of(err)
	status, known := statuses[kind]
	if !known {
		status = http.StatusInternalServerError
		c.log.Error("a call failed", "path", r.URL.Path, "error", err)
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	write(w, status, "application/problem+json", map[string]any{"title": http.StatusText(status), "status": status, "detail": message})
}

func write(w http.ResponseWriter, status int, kind string, v any) {
	body, err := json.Marshal(v)
	if err != nil { // unreachable: the types always encode
		status, body = http.StatusInternalServerError, []byte(`{"status":500}`)
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body) // who is gone cannot be told
}
