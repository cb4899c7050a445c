package decision

import (
	"slices"

	"rapport/internal/core/event"
	"rapport/internal/core/profile"
)

// budget is what was said to a customer as far as it counts, for one question.
type budget struct {
	policy  *Policy
	channel string
	said    []said // newest first
}

type said struct {
	at      event.Time
	channel string
}

// budget collects the marketing messages that went out, and those that are
// claimed or started and so may be on their way: they count as of now.
func (e *asking) budget() budget {
	b := budget{e.manners(), e.a.Channel, make([]said, 0, len(e.p.Contacts)+2)}
	for i := range e.p.Contacts {
		if c := &e.p.Contacts[i]; c.Class == profile.Marketing && c.ID != e.a.Delivery {
			b.said = append(b.said, said{c.At, c.Channel})
		}
	}
	for i := range e.p.Open {
		o := &e.p.Open[i]
		if o.State != profile.Claimed && o.State != profile.Started || o.ID == e.a.Delivery {
			continue
		}
		other := Ask{Channel: o.Channel, Class: o.Class}
		if other.counts() && contactAt(e.p, o.ID) < 0 {
			b.said = append(b.said, said{e.r.Now, o.Channel})
		}
	}
	slices.SortStableFunc(b.said, func(x, y said) int {
		switch {
		case x.at > y.at:
			return -1
		case x.at < y.at:
			return 1
		}
		return 0
	})
	return b
}

// count returns how many messages lie in the cap's window (t − Per, t], and
// after t, should a clock have told so.
func (b *budget) count(c *Cap, t event.Time) int {
	n := 0
	for _, s := range b.said {
		if s.at <= t.Add(-c.Per) {
			break
		}
		if c.Channel == "" || c.Channel == s.channel {
			n++
		}
	}
	return n
}

// last returns when the last message went out; 0 if none did.
func (b *budget) last() event.Time {
	if len(b.said) == 0 {
		return 0
	}
	return b.said[0].at
}

// next returns the first instant from t on at which one more message keeps every
// cap and the gap, and false if a cap allows none ever.
func (b *budget) next(t event.Time) (event.Time, bool) {
	if last := b.last(); last != 0 {
		t = max(t, last.Add(b.policy.Gap))
	}
	for i := range b.policy.Caps {
		c := &b.policy.Caps[i]
		if c.Channel != "" && c.Channel != b.channel {
			continue
		}
		if c.Most == 0 {
			return 0, false
		}
		// There is room again when the Most-th newest leaves the window.
		n := 0
		for _, s := range b.said {
			if c.Channel != "" && c.Channel != s.channel {
				continue
			}
			if n++; n == c.Most {
				t = max(t, s.at.Add(c.Per))
				break
			}
		}
	}
	return t, true
}
