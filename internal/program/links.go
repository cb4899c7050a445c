package program

import (
	"rapport/internal/core/content"
	"rapport/internal/core/event"
	"rapport/internal/site"
)

// Links makes the signed addresses in messages. [site.Signer] does. Each method
// returns the empty text if it cannot sign for the delivery; Click then returns
// the target as it is.
type Links interface {
	// Unsubscribe returns the way out: of List-Unsubscribe and of the footer.
	Unsubscribe(d site.Delivery) string
	// Preferences returns the page on which the customer chooses what to hear.
	Preferences(d site.Delivery) string
	// Confirm returns the link that confirms a sign-up, sent at the instant, for the
	// purposes.
	Confirm(d site.Delivery, at event.Time, purposes []string) string
	// View returns the link to the message in a browser.
	View(d site.Delivery) string
	// Click returns a link that tells of a click and leads to target.
	Click(d site.Delivery, target string) string
	// Pixel returns the address of the picture that tells of an opening.
	Pixel(d site.Delivery) string
	// Honeypot returns a link that no person sees: who follows it is a machine.
	Honeypot(d site.Delivery) string
	// Address returns the delivery's own address at a domain of ours, for bounces,
	// complaints or unsubscribes by mail.
	Address(kind site.Return, delivery, domain string) string
	Media
}

// Media makes the addresses of what messages show.
type Media interface {
	// Picture returns the address of a picture of the library by its name there.
	Picture(name string) string
	// Code returns the address of the picture of a code: ean13, code128 or qr. A text
	// of which none can be drawn is Invalid.
	Code(kind, text, level string) (string, error)
}

var _ Links = (*site.Signer)(nil)

// measure rewrites the links of an HTML part and adds the picture that tells of
// an opening and the link that only machines follow. It is called only for
// customers who agreed to being measured. The addresses in keep stay as they are.
func measure(html string, d site.Delivery, links Links, keep ...string) string {
	html = content.Links(html, func(target string) string { return links.Click(d, target) }, keep...)
	if trap := links.Honeypot(d); trap != "" {
		html = content.Trap(html, trap)
	}
	if pixel := links.Pixel(d); pixel != "" {
		html = content.Pixel(html, pixel)
	}
	return html
}
