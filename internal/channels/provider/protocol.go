package provider

import (
	"net/http"

	"rapport/internal/channels"
	"rapport/internal/channels/mail"
)

// Letter is a message that [mail.Check] let through.
type Letter struct {
	Message  *channels.Message
	Envelope mail.Envelope

	i int // its place in the batch
}

// Request is what one exchange asks of the provider.
type Request struct {
	Path        string // below the base URL, with its query
	ContentType string
	Header      http.Header // further headers; may be nil
	Body        []byte

	// Repeatable says that the provider remembers this request by a key in it and
	// does its work once, however often it comes: without an answer it is asked
	// again, at most twice.
	Repeatable bool
}

// Protocol is one provider's way to be asked and to answer. Its methods are
// called from many goroutines.
type Protocol interface {
	// Fit returns how many of the letters, counted from the first, may travel in
	// one request: at least 1. There is at least one letter.
	Fit(letters []Letter) int

	// Request words the request that hands the letters over. It does not fail:
	// everything that a provider could not carry was refused before.
	Request(letters []Letter) Request

	// Sign adds to a request who asks. The body is that of Request.
	Sign(r *http.Request, body []byte)

	// Read says what the answer means. It is asked about every answer with a
	// status; what a status means by itself, [Answer.Reading] knows.
	Read(a *Answer, letters []Letter) Reading
}

// Reading is what an answer means for the letters of its request.
type Reading struct {
	// Outcomes has one outcome for each letter, in their order.
	Outcomes []channels.Outcome

	// Split says that the provider took nothing of the request, because of one of
	// its letters and does not say which. With more than one letter in it the
	// request is asked again in two halves; Outcomes holds for a single one.
	Split bool

	// Trouble is what an operator must mend before anything can be sent, in the
	// provider's words; empty: nothing.
	Trouble string
}

// Each returns a reading in which every letter has the outcome.
func Each(letters []Letter, o channels.Outcome) Reading {
	r := Reading{Outcomes: make([]channels.Outcome, len(letters))}
	for i := range r.Outcomes {
		r.Outcomes[i] = o
	}
	return r
}
