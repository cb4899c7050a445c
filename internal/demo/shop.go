package demo

import (
	"strconv"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
)

// Invented is the label that stands beside everything that this package made up,
// in JSON and in pages.
const Invented = "invented"

// The shop. It is an example: its domain is reserved (RFC 2606), and no mail can
// reach it.
const (
	ShopName   = "The Example Gift Shop"
	Domain     = "shop.example"
	SenderName = "The Example Gift Shop"
	Sender     = "hello@" + Domain
	Postal     = "The Example Gift Shop, 1 Example Street, London, United Kingdom (an invented address)"
)

// Currency is the currency of every order.
const Currency money.Currency = "GBP"

// GoLive is 2011-03-01 00:00 UTC. What is older is loaded as history and sends
// nothing: 1,682 of the 4,338 customers first appear in those three months and
// are new only to the file.
const GoLive event.Time = 1_298_937_600_000

// Honest says what a visitor of the demo must be told, a sentence each.
func Honest() []string {
	return []string{
		"The orders are real: every line of a UK gift shop's year (UCI Online Retail, Dr. Daqing Chen, doi 10.24432/C5BW33).",
		"The people are invented: names, addresses, consents, opens, clicks and unsubscribes follow a stated rule and a seed.",
		"By that rule " + percent(NoConsent) + " give no consent to e-mail, " + percent(Bouncing) + " have an address that bounces, " +
			percent(Scanned) + " sit behind a scanner that opens and clicks everything at once, and " + percent(1-Tracked) +
			" of those who take mail do not let it be measured.",
		"December to February are loaded as history and send nothing; the shop goes live on 1 March 2011.",
		"Categories come from the descriptions by a printed keyword rule; the file has none.",
		"Many customers are wholesalers: nobody orders on a Saturday, and all orders come between 6 and 21 o'clock.",
		"Lines without a customer become one anonymous profile for each invoice and count as rows, not as customers.",
		"Mails cannot change what people bought in 2011, so the lift of every journey is zero by construction.",
	}
}

func percent(share float64) string {
	return strconv.FormatFloat(100*share, 'f', -1, 64) + " %"
}
