// Package null is a channel that carries nothing: it counts, and answers as it
// is told. Benches use it to measure everything before the provider, rehearsals
// to speak without being heard.
package null

import (
	"context"
	"sync/atomic"
	"time"

	"rapport/internal/channels"
)

// retryAfter is what a Deferred outcome asks for if its maker forgot to say.
const retryAfter = time.Minute

// Channel implements [channels.Channel]. The zero Channel accepts every message
// that has a delivery id.
type Channel struct {
	// Answer decides what becomes of a message. Default: nil, which accepts. It
	// may be called from many goroutines.
	Answer func(channels.Message) channels.Outcome

	sent atomic.Int64
}

// Sent returns how many messages were accepted.
func (c *Channel) Sent() int64 { return c.sent.Load() }

// Send keeps the promise of [channels.Channel].
func (c *Channel) Send(ctx context.Context, batch []channels.Message) []channels.Outcome {
	out := make([]channels.Outcome, len(batch))
	for i := range batch {
		out[i] = c.send(ctx, i, &batch[i])
		if out[i].State == channels.Accepted {
			c.sent.Add(1)
		}
	}
	return out
}

func (c *Channel) send(ctx context.Context, i int, m *channels.Message) channels.Outcome {
	if ctx.Err() != nil {
		return channels.Outcome{State: channels.Deferred, Detail: "the sender is stopping", RetryAfter: retryAfter}
	}
	if i >= channels.MaxBatch {
		return channels.Outcome{State: channels.Deferred, Detail: "the batch is too large", RetryAfter: retryAfter}
	}
	if !channels.ValidDelivery(m.Delivery) {
		return channels.Outcome{State: channels.Rejected, Detail: "a delivery id is 32 hex digits"}
	}
	if c.Answer == nil {
		return channels.Outcome{State: channels.Accepted, Code: 250}
	}
	o := c.Answer(*m)
	if o.State != channels.Deferred {
		o.RetryAfter = 0
	} else if o.RetryAfter <= 0 {
		o.RetryAfter = retryAfter
	}
	o.Hard = o.Hard && o.State == channels.Rejected
	return o
}
