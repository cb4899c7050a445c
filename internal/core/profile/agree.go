package profile

import "rapport/internal/core/event"

// Agrees reports whether the customer's last word on a purpose, whatever the channel
// over which it was said, is that they agree, as of now. It is for purposes that
// are not about writing to somebody, such as what may be concluded of them. Of two
// words of one instant the stricter counts.
func (p *Profile) Agrees(purpose string, now event.Time) bool {
	var last *Consent
	for i := range p.Consents {
		c := &p.Consents[i]
		if c.Purpose == purpose && (last == nil || c.At > last.At || c.At == last.At && !c.Granted) {
			last = c
		}
	}
	return last != nil && last.Granted && (last.Expires == 0 || now < last.Expires)
}
