package intake

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"syscall"

	"rapport/internal/fault"
)

// ErrBroken marks, anywhere in the chain of an error of [Options.Append], that
// the log cannot be written until somebody has come to see: a failed fsync, a
// full disk. The answer is 503. Without it an Unavailable means that the log is
// only behind, and the answer is 429. SDKs send again after both; monitors and
// people read them differently.
var ErrBroken = errors.New("the log cannot be written")

// answer is the JSON of every answer but plain success.
type answer struct {
	Success       bool       `json:"success,omitempty"`
	Error         string     `json:"error,omitempty"`
	Field         string     `json:"field,omitempty"`
	MessageID     string     `json:"messageId,omitempty"`
	Index         *int       `json:"index,omitempty"`
	Rejected      []rejected `json:"rejected,omitempty"`
	RejectedTotal int        `json:"rejectedTotal,omitempty"` // only if more than maxListed
}

type rejected struct {
	Index     int    `json:"index"`
	MessageID string `json:"messageId,omitempty"`
	Field     string `json:"field,omitempty"`
	Error     string `json:"error"`
}

func (a *answer) list(rejects []Reject) {
	for _, r := range rejects[:min(len(rejects), maxListed)] {
		a.Rejected = append(a.Rejected, rejected{r.Index, r.MessageID, r.Field, r.Reason})
	}
	if len(rejects) > maxListed {
		a.RejectedTotal = len(rejects)
	}
}

// refusal is an error that already knows its answer.
type refusal struct {
	status int
	after  int // seconds for Retry-After; zero: none
	answer answer
	cause  error // for the log; may be nil
}

func (r *refusal) Error() string { return r.answer.Error }
func (r *refusal) Unwrap() error { return r.cause }

// refuseAll is the answer to a body of which nothing was taken. SDKs do not send
// again after a 400, which is right: it would fail again.
func refuseAll(rejects []Reject) *refusal {
	first := rejects[0]
	r := &refusal{status: http.StatusBadRequest, answer: answer{
		Error: first.Reason, Field: first.Field, MessageID: first.MessageID, Index: &first.Index,
	}}
	if len(rejects) > 1 {
		r.answer.list(rejects)
	}
	return r
}

// refusalOf turns an error into its answer: the only place that knows status
// codes for faults.
func refusalOf(err error) *refusal {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r
	}
	kind, message := fault.Of(err)
	r := &refusal{answer: answer{Error: message}, cause: err}
	switch kind {
	case fault.Invalid:
		r.status = http.StatusBadRequest
	case fault.Denied:
		r.status = http.StatusUnauthorized
	case fault.NotFound:
		r.status = http.StatusNotFound
	case fault.TooLarge:
		r.status = http.StatusRequestEntityTooLarge
	case fault.Conflict:
		// Another process has taken the log over; whoever sends again finds it.
		r.status, r.after = http.StatusServiceUnavailable, retryAfter
	case fault.Unavailable:
		r.status, r.after = http.StatusTooManyRequests, retryAfter
		if broken(err) {
			r.status, r.after = http.StatusServiceUnavailable, retryBroken
		}
	default:
		// Internal and Corrupt are ours: SDKs keep the messages and try again.
		r.status = http.StatusInternalServerError
	}
	return r
}

// broken reports whether err is of a log that waiting a second does not mend.
func broken(err error) bool {
	for _, cause := range [...]error{ErrBroken, syscall.ENOSPC, syscall.EIO, syscall.EROFS, syscall.EDQUOT} {
		if errors.Is(err, cause) {
			return true
		}
	}
	return false
}

var success = []byte(`{"success":true}`)

// write sends the answer.
func (r *refusal) write(w http.ResponseWriter) {
	if r.after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(r.after))
	}
	writeJSON(w, r.status, &r.answer)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil { // unreachable: the types always encode
		status, body = http.StatusInternalServerError, []byte(`{"error":"something went wrong on our side"}`)
	}
	writeBytes(w, status, body)
}

func writeBytes(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	// Answers repeat pieces of what strangers sent. A browser must not take them
	// for a page.
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // who is gone cannot be told
}
