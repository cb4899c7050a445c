package demo

import (
	"strings"
)

// The shares of the rule by which people are invented, each of all customers
// unless it says otherwise. [Honest] prints them.
const (
	NoConsent = 0.08  // do not consent to marketing by e-mail
	Tracked   = 0.60  // of those who do consent: let the shop measure opens and clicks
	Bouncing  = 0.02  // have an address that is refused at SMTP time
	Scanned   = 0.05  // sit behind a scanner that opens and clicks everything at once
	Leaves    = 0.004 // of mails that a person opens: answered by a one-click unsubscribe
)

// Person is an invented customer around a real customer number and country.
// Whatever shows a Person shows its Label.
type Person struct {
	Label     string `json:"label"` // always [Invented]
	Customer  string `json:"customer"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Email     string `json:"email"`
	Place

	Marketing bool `json:"marketing"` // consents to marketing by e-mail
	Track     bool `json:"track"`     // consents to opens and clicks being measured; never without Marketing

	Bounces bool `json:"bounces"` // the address is refused at SMTP time
	Scanner bool `json:"scanner"` // a machine opens and clicks everything before the person sees it

	Opens  float64 `json:"opens"`  // the chance that the person opens a mail
	Clicks float64 `json:"clicks"` // the chance that a person who has opened it clicks
}

// Invent returns the invented person behind a customer number, whose orders name
// the country as the file writes it. The same arguments always give the same person.
func Invent(seed uint64, customer, country string) Person {
	place, _ := PlaceOf(country)
	list := names[place.language]
	u := func(what string) float64 { return draw(seed, customer, what) }
	p := Person{
		Label: Invented, Customer: customer, Place: place,
		FirstName: pick(list.first, seed, customer, "first name"),
		LastName:  pick(list.last, seed, customer, "last name"),
		Email:     Address(customer),
		Marketing: u("marketing") >= NoConsent,
		Bounces:   bounces(seed, customer),
		Scanner:   u("scanner") < Scanned,
		// Some hardly ever look, some nearly always do. The conversions keep a
		// machine that fuses multiply and add from giving another last bit.
		Opens:  0.05 + float64(0.55*u("opens")),
		Clicks: 0.02 + float64(0.28*u("clicks")),
	}
	p.Track = p.Marketing && u("track") < Tracked
	return p
}

// addressPrefix begins the local part of every invented address.
const addressPrefix = "customer-"

// Address returns the invented address of a customer. Its domain is reserved:
// a mail that leaves the machine by mistake reaches nobody.
func Address(customer string) string { return addressPrefix + customer + "@" + Domain }

// CustomerOf returns the customer number of an invented address, and whether it is one.
func CustomerOf(address string) (string, bool) {
	address = strings.ToLower(strings.Trim(strings.TrimSpace(address), "<>"))
	local, ok := strings.CutSuffix(address, "@"+Domain)
	if !ok {
		return "", false
	}
	customer, ok := strings.CutPrefix(local, addressPrefix)
	return customer, ok && customer != ""
}

// Bounces returns the reject rule of the mail catcher: whether an address is
// refused at RCPT TO. Addresses that are not invented here are taken.
func Bounces(seed uint64) func(rcpt string) bool {
	return func(rcpt string) bool {
		customer, ok := CustomerOf(rcpt)
		return ok && bounces(seed, customer)
	}
}

func bounces(seed uint64, customer string) bool { return draw(seed, customer, "bounces") < Bouncing }
