package dispatch

import (
	"time"

	"rapport/internal/channels"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/engine"
)

// pace asks how long a message must wait for its sender's sake. A service message
// never does.
func (d *Dispatch) pace(m *channels.Message) (time.Duration, string) {
	if d.o.Pace == nil || m.Service {
		return 0, ""
	}
	return d.o.Pace(m)
}

// putOffByPace is the receipt of a claim that is given back: nothing was begun,
// and the core plans the delivery anew for when its time has come. It is no
// provider's word, so it does not count towards giving up.
func putOffByPace(c *engine.Claim, now event.Time, wait time.Duration, why string) identity.Addressed {
	r := receipt(event.MessageDeferred, c, now, channels.Outcome{State: channels.Deferred, Detail: channels.Clip(why), RetryAfter: wait})
	r.Event.Props = r.Event.Props.With("paced", event.Yes(true))
	return r
}
