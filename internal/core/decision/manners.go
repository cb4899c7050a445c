package decision

import (
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// Traits by which a customer says how often to hear. Only the product itself and
// the shop's own servers may set them.
const (
	TraitFewer       = "$fewer"        // at most one marketing message in FewerPer
	TraitPausedUntil = "$paused_until" // no marketing before the instant, in Unix milliseconds
)

// FewerPer is the window in which whoever asked for fewer messages gets one: it
// is what the preference page promises.
const FewerPer = 7 * 24 * time.Hour

// The names of the checks of this rule.
const (
	CheckPaused = "paused" // At: until when
	CheckFewer  = "fewer"  // Got, Limit, Span: the window
)

// Reasons of this rule.
const (
	Paused     Reason = "paused" // the customer asked for a pause
	AskedFewer Reason = "fewer"  // the customer asked for fewer messages
)

// fewer is the cap of whoever asked for fewer messages.
var fewer = Cap{Per: FewerPer, Most: 1}

// asked is what the customer asked for, before the shop's own attention budget:
// a pause, and fewer messages. Service messages pass.
func (e *asking) asked() bool {
	if !e.a.counts() {
		return true
	}
	if until := pausedUntil(e.p); until > e.at {
		return e.hold(Paused, e.Policy.AtCap, until, Check{Rule: RuleAttention, Name: CheckPaused, At: until})
	}
	if !e.set(TraitFewer) {
		return true
	}
	b := e.budget()
	n := b.count(&fewer, e.at)
	check := Check{Rule: RuleAttention, Name: CheckFewer, Got: int64(n), Limit: int64(fewer.Most), Span: fewer.Per}
	if n < fewer.Most {
		return e.pass(check)
	}
	until, _ := b.next(e.at)
	return e.hold(AskedFewer, e.Policy.AtCap, until, check)
}

// pausedUntil returns until when a customer asked for a pause; 0 if they did not.
func pausedUntil(p *profile.Profile) event.Time {
	v, ok := p.Trait(TraitPausedUntil)
	if !ok {
		return 0
	}
	f, ok := v.Float()
	if !ok || f < 0 || f > float64(event.Never)/2 {
		return 0
	}
	return event.Time(f)
}

// manners returns the policy with what the customer asked for, so that a message
// that is deferred waits for that too.
func (e *asking) manners() *Policy {
	if !e.set(TraitFewer) {
		return &e.Policy
	}
	own := e.Policy
	own.Caps = append(append([]Cap(nil), own.Caps...), fewer)
	return &own
}
