package connect

import (
	"context"
	"net/http"

	"rapport/internal/catalogue"
	"rapport/internal/core/event"
	"rapport/internal/core/money"
)

// Heard is what one document says.
type Heard struct {
	Events   []event.Event
	Products []catalogue.Update
	// Order is the id of an order that has to be asked for, because the document
	// speaks of it and says neither whose it is nor all of it.
	Order string
	// Ignored says why there is nothing, where there is nothing.
	Ignored string
}

// Platform is a kind of shop. Its methods keep nothing and may be called by many.
type Platform interface {
	// Name is the platform's, as it stands in paths and in the book: "shopify".
	Name() string

	// Signature returns what a webhook presents as the signature of its body, and its
	// topic. An empty signature is none.
	Signature(h http.Header) (signature, topic string)

	// Belongs reports whether a webhook, signed well, is one of this very shop: some
	// platforms sign for all shops of an app with one secret.
	Belongs(s *Source, h http.Header) bool

	// Hello reports whether a request without signature is the platform's question
	// whether anybody is there. It is answered, and changes nothing.
	Hello(h http.Header, body []byte) bool

	// Read returns what a document of a topic says, heard at an instant. The error is
	// Invalid if it cannot be read, now or ever.
	Read(s *Source, topic string, body []byte, heard event.Time) (Heard, error)

	// API returns the client of a shop's API. Get makes a call.
	API(s *Source, get Doer) (API, error)
}

// API is a shop's own API.
type API interface {
	// Order returns what the shop says of an order today: of its refunds too.
	Order(ctx context.Context, id string, heard event.Time) (Heard, error)

	// Resources are what can be read back, in the order in which they should be.
	Resources() []string

	// Page returns a page of a resource, with the cursor of the one behind it; an
	// empty cursor asks for the first page, and is returned behind the last. A cursor
	// that the shop does not take any more is a Conflict.
	Page(ctx context.Context, resource, cursor string, heard event.Time) (Page, error)

	// Coupon makes a coupon, unless one of its code is there: if that gives the same
	// it is returned, else the error is a Conflict.
	Coupon(ctx context.Context, c Coupon) (Issued, error)

	// Subscribe asks the shop to send its webhooks to an address, signed with the
	// secret where the shop takes one from us. What is there already stays.
	Subscribe(ctx context.Context, address, secret string) (made int, err error)

	// Currency is the shop's.
	Currency(ctx context.Context) (money.Currency, error)
}

// Page is one page of a shop's past.
type Page struct {
	Heard
	Next  string
	Items int   // documents on the page
	Total int64 // in all pages, if the shop tells; else 0
}

// Coupon is what a customer types into the basket.
type Coupon struct {
	Code    string
	Percent money.Micros // off the basket: 10 is ten per cent; zero: Amount
	Amount  money.Micros // off the basket, in the shop's currency
	Starts  event.Time
	Ends    event.Time   // zero: does not end
	Least   money.Micros // what the basket must be worth; zero: anything
	Uses    int          // how often it can be used in all; zero: as often as you like
	Once    bool         // by each customer
}

// Issued is a coupon that the shop knows.
type Issued struct {
	Code  string
	ID    string // the shop's
	Fresh bool   // it was made just now
}
