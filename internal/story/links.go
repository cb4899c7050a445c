package story

import (
	"net/url"

	"rapport/internal/core/event"
	"rapport/internal/site"
	"rapport/internal/studio/code"
)

// links are the links of a story's messages: they lead nowhere and are the same
// every time.
type links struct{}

const nowhere = "https://story.example/"

func (links) Unsubscribe(d site.Delivery) string          { return nowhere + "u/" + d.ID }
func (links) Preferences(d site.Delivery) string          { return nowhere + "p/" + d.ID }
func (links) Address(site.Return, string, string) string  { return "" }
func (links) Click(_ site.Delivery, target string) string { return target }
func (links) Pixel(d site.Delivery) string                { return nowhere + "o/" + d.ID }
func (links) Honeypot(d site.Delivery) string             { return nowhere + "h/" + d.ID }
func (links) View(d site.Delivery) string                 { return nowhere + "v/" + d.ID }
func (links) Confirm(d site.Delivery, _ event.Time, _ []string) string {
	return nowhere + "s/" + d.ID
}

func (links) Picture(name string) string { return nowhere + "i/" + name }
func (links) Code(kind, text, level string) (string, error) {
	return nowhere + "k/" + kind + "/" + url.PathEscape(text) + ".png", code.Check(code.Kind(kind), text, level)
}
