package dispatch

import (
	"errors"

	"rapport/internal/channels"
	"rapport/internal/core/content"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/engine"
)

// unworded is the receipt of a message that could not be worded, or that its
// template gave up: nothing has left, and nobody will try again.
func unworded(err error, c *engine.Claim, now event.Time) identity.Addressed {
	var gone *content.Aborted
	if !errors.As(err, &gone) {
		return receipt(event.RenderFailed, c, now, channels.Outcome{Detail: channels.Clip(err.Error())})
	}
	r := receipt(event.MessageStopped, c, now, channels.Outcome{Detail: channels.Clip(gone.Reason)})
	r.Event.Props = r.Event.Props.With("by", event.Text(event.ByTemplate))
	return r
}
