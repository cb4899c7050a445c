package story

import "rapport/internal/site"

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
