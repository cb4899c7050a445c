package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"rapport/internal/fault"
)

// problem is the one shape of an error, a problem document of RFC 9457.
type problem struct {
	Title  string   `json:"title" doc:"The status in words."`
	Status int      `json:"status" doc:"The status of the answer."`
	Detail string   `json:"detail" doc:"What is wrong, and what to do."`
	Errors []defect `json:"errors,omitempty" doc:"What is wrong with the request, by place."`

	retry int // seconds after which the same request may succeed; 0: a second for what is not available
}

// defect is one thing that is wrong with a request.
type defect struct {
	Where string `json:"where" doc:"The place in the request, such as body.to.email."`
	What  string `json:"what" doc:"What is wrong there."`
}

// Error returns what is wrong.
func (p *problem) Error() string { return p.Detail }

// GetStatus returns the status of the answer.
func (p *problem) GetStatus() int { return p.Status }

// ContentType names the type of the document.
func (p *problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders says when to come back.
func (p *problem) GetHeaders() http.Header {
	if p.retry == 0 && p.Status != http.StatusServiceUnavailable {
		return nil
	}
	return http.Header{"Retry-After": {strconv.Itoa(max(1, p.retry))}}
}

var (
	_ huma.StatusError  = (*problem)(nil)
	_ huma.HeadersError = (*problem)(nil)
)

// statuses are the answers to the kinds of fault. The only place that knows them.
var statuses = map[fault.Kind]int{
	fault.Invalid: http.StatusBadRequest, fault.NotFound: http.StatusNotFound, fault.Conflict: http.StatusConflict,
	fault.Unavailable: http.StatusServiceUnavailable, fault.Denied: http.StatusUnauthorized, fault.TooLarge: http.StatusRequestEntityTooLarge,
}

// problem makes an error the problem that is answered. What nobody has thought
// about goes to the log, and says nothing about us.
func (a *API) problem(ctx context.Context, path string, err error) *problem {
	if p, ok := err.(*problem); ok {
		p.Title = http.StatusText(p.Status)
		return p
	}
	kind, message := fault.Of(err)
	status, known := statuses[kind]
	if !known {
		status = http.StatusInternalServerError
		a.o.Log.ErrorContext(ctx, "a call failed", "path", path, "error", err)
	}
	return &problem{Title: http.StatusText(status), Status: status, Detail: message}
}

// refuse answers a request that comes to no operation.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := a.problem(r.Context(), r.URL.Path, err)
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // who is gone cannot be told
}

// wrongRequest makes what huma finds wrong with a request a problem of ours. What
// was sent is not repeated: it may be an address.
func wrongRequest(status int, message string, errs ...error) huma.StatusError {
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest // one status for what cannot be right
	}
	p := &problem{Title: http.StatusText(status), Status: status, Detail: message}
	for _, err := range errs {
		if err == nil {
			continue
		}
		d, ok := err.(huma.ErrorDetailer)
		if !ok {
			continue
		}
		detail := d.ErrorDetail()
		p.Errors = append(p.Errors, defect{detail.Location, detail.Message})
	}
	switch {
	case status == http.StatusRequestEntityTooLarge:
		p.Detail = "the body is longer than this call takes"
	case status >= http.StatusInternalServerError:
		_, p.Detail = fault.Of(nil)
	case len(p.Errors) > 0:
		var list []string
		for _, d := range p.Errors[:min(len(p.Errors), shownDefects)] {
			list = append(list, strings.TrimSpace(d.Where+" "+d.What))
		}
		p.Detail = "the request is not what this call takes: " + strings.Join(list, "; ")
	}
	p.Errors = p.Errors[:min(len(p.Errors), maxDefects)]
	return p
}

// How many defects a problem names: in its sentence, and in its list. A body of
// ten thousand wrong fields is not answered by ten thousand sentences.
const (
	shownDefects = 3
	maxDefects   = 50
)

func init() {
	// The library's one place for it, for the whole process. Nobody else uses it.
	huma.NewError = wrongRequest
}
