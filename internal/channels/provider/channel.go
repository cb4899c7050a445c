package provider

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"rapport/internal/channels"
	"rapport/internal/channels/mail"
)

// Channel implements [channels.Channel] for a provider that is spoken to in a
// [Protocol].
type Channel struct {
	p     Protocol
	o     Options
	http  *http.Client
	slots chan struct{} // one token for each request under way

	mu      sync.Mutex
	until   time.Time // nothing is asked before: the provider wants to be left alone
	why     string    // its words
	trouble string    // what an operator must mend; empty: nothing
	closed  bool
}

// New returns a channel that speaks the protocol to the base URL, unless the
// options name another. It does not connect yet. Options that cannot work are
// Invalid.
func New(p Protocol, base string, o Options) (*Channel, error) {
	o, err := o.fill(base)
	if err != nil {
		return nil, err
	}
	return &Channel{p: p, o: o, http: o.client(), slots: make(chan struct{}, o.Requests)}, nil
}

// Close gives up the unused connections. A Send that runs goes on; later ones
// find their messages Deferred.
func (c *Channel) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.http.CloseIdleConnections()
	return nil
}

// Trouble returns what an operator must mend before anything is sent, in the
// provider's words; empty if nothing is known to be wrong.
func (c *Channel) Trouble() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.trouble
}

// Send keeps the promise of [channels.Channel].
func (c *Channel) Send(ctx context.Context, batch []channels.Message) []channels.Outcome {
	out := make([]channels.Outcome, len(batch))
	letters := make([]Letter, 0, min(len(batch), channels.MaxBatch))
	for i := range batch {
		if i >= channels.MaxBatch {
			out[i] = deferred("the batch is too large", retryConnection)
			continue
		}
		e, err := mail.Check(&batch[i])
		if err != nil {
			out[i] = mail.Refused(&batch[i], err)
			continue
		}
		out[i] = deferred("the sender is stopping", retryConnection) // until it is asked
		letters = append(letters, Letter{&batch[i], e, i})
	}
	var requests [][]Letter
	for len(letters) > 0 {
		n := min(max(c.p.Fit(letters), 1), len(letters))
		requests, letters = append(requests, letters[:n:n]), letters[n:]
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(c.o.Requests, len(requests)) {
		wg.Go(func() {
			select {
			case c.slots <- struct{}{}:
			case <-ctx.Done():
				return
			}
			defer func() { <-c.slots }()
			for {
				n := next.Add(1) - 1
				if n >= int64(len(requests)) {
					return
				}
				c.ask(ctx, requests[n], out)
			}
		})
	}
	wg.Wait()
	return out
}

// ask hands letters over in one request, and in halves where the provider refuses
// the whole because of one. Each outcome has one writer.
func (c *Channel) ask(ctx context.Context, letters []Letter, out []channels.Outcome) {
	if ctx.Err() != nil {
		return // Deferred already
	}
	r := c.exchange(ctx, letters)
	if r.Split && len(letters) > 1 {
		half := len(letters) / 2
		c.ask(ctx, letters[:half], out)
		c.ask(ctx, letters[half:], out)
		return
	}
	for i := range letters {
		var o channels.Outcome // Unknown: a protocol that forgets to answer has promised nothing
		o.Detail = "the provider's answer says nothing of this message"
		if i < len(r.Outcomes) {
			o = r.Outcomes[i]
		}
		out[letters[i].i] = o
	}
}

// maxTries is how often a request is asked that the provider does once: twice
// more than without a fault. An outage that outlives three requests outlives five.
const maxTries = 3

// exchange asks once, or again where that is safe, and says what came of it.
func (c *Channel) exchange(ctx context.Context, letters []Letter) Reading {
	if why, wait := c.paused(); wait > 0 {
		return Each(letters, deferred(why, wait))
	}
	req := c.p.Request(letters)
	for try := 1; ; try++ {
		again := req.Repeatable && try < maxTries && ctx.Err() == nil
		a, left, err := c.do(ctx, &req)
		if err != nil {
			switch {
			case !left && try == 1:
				return Each(letters, deferred("the request did not reach the provider: "+reason(err), retryConnection))
			case again:
				continue
			}
			return Each(letters, channels.Outcome{Detail: channels.Clip("the message left and no answer came: " + reason(err))})
		}
		r := c.p.Read(a, letters)
		if again && a.Means() == Lost {
			continue
		}
		c.note(a, &r)
		return r
	}
}

// reason returns what went wrong without the URL that net/http puts before it.
func reason(err error) string {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return err.Error()
}

// do makes one exchange. With an error, left says whether the whole request may
// have reached the provider.
func (c *Channel) do(ctx context.Context, req *Request) (a *Answer, left bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	var wrote atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(i httptrace.WroteRequestInfo) {
		if i.Err == nil {
			wrote.Store(true)
		}
	}})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.o.Base+req.Path, bytes.NewReader(req.Body))
	if err != nil {
		return nil, false, err
	}
	for name, values := range req.Header {
		r.Header[name] = values
	}
	r.Header.Set("Content-Type", req.ContentType)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "rapport")
	c.p.Sign(r, req.Body)
	res, err := c.http.Do(r)
	if err != nil {
		return nil, wrote.Load(), err
	}
	defer res.Body.Close()
	a = &Answer{Status: res.StatusCode, Header: res.Header, At: c.o.Now()}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	a.Whole = err == nil && len(body) <= maxAnswer
	a.Body = body[:min(len(body), maxAnswer)]
	return a, true, nil
}

// paused returns why nothing is asked now and for how long; zero: asking is fine.
func (c *Channel) paused() (why string, wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return "the channel is closed", retryConnection
	}
	return c.why, c.until.Sub(c.o.Now())
}

// note remembers for how long the provider wants to be left alone, and tells the
// operator of a trouble once when it begins and once when it is over.
func (c *Channel) note(a *Answer, r *Reading) {
	wait := time.Duration(0)
	switch {
	case a.Status == http.StatusUnauthorized:
		wait = pauseUnknown // the key is wrong for everybody; what else is ours may be one brand's domain
	case a.Status == http.StatusTooManyRequests, a.Means() == Later && a.Header.Get("Retry-After") != "":
		wait = RetryAfter(a.Header, a.At)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if until := a.At.Add(wait); wait > 0 && until.After(c.until) {
		c.until, c.why = until, "the provider wants to be left alone"
		if len(r.Outcomes) > 0 {
			c.why = r.Outcomes[0].Detail
		}
	}
	switch {
	case r.Trouble != "" && c.trouble == "":
		c.o.Log.Error("the e-mail provider refuses us: nothing is sent until this is mended", "provider", c.o.Base, "status", a.Status, "says", r.Trouble)
	case r.Trouble == "" && c.trouble != "" && a.Means() == Taken:
		c.o.Log.Info("the e-mail provider takes messages again", "provider", c.o.Base)
	case r.Trouble == "":
		return
	}
	c.trouble = r.Trouble
}

// deferred is the outcome of a message of which nothing was taken.
func deferred(why string, wait time.Duration) channels.Outcome {
	return channels.Outcome{State: channels.Deferred, Detail: channels.Clip(why), RetryAfter: wait}
}
