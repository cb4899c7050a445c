package predict

import (
	"cmp"
	"context"
	"iter"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/money"
	"rapport/internal/core/profile"
)

// Model predicts something about customers. It is used by one goroutine at a
// time and keeps nothing between two fits.
type Model interface {
	// About says what the model is. It is the same at every call.
	About() About
	// Fit learns from what had happened before the moment and predicts as of it.
	// Too little to learn from is no error: the report's Refused says what is
	// missing, and there are no predictions. An error means that the source could
	// not be read, or that the context ended.
	Fit(ctx context.Context, src Source, m Moment) (*Result, error)
}

// About says what a model is.
type About struct {
	Name     string   `json:"name"`     // one word: "value", "rhythm"
	Title    string   `json:"title"`    // what it is, for people
	Predicts []string `json:"predicts"` // names of its predictions; one that ends in a dot has many: "best_hour."
	Needs    []Need   `json:"needs"`    // the least that it learns from
}

// Need is a least amount of data without which a model refuses.
type Need struct {
	What  string `json:"what"` // "customers who ordered twice or more"
	Least int    `json:"least"`
}

// Moment is when, and for which shop, a model is fitted.
type Moment struct {
	Now      event.Time
	Zone     *time.Location // the shop's days and hours; never nil
	Currency money.Currency // the shop's own: money in another is not predicted
	// Margin is which share of an order's sum is the shop's, for values. 1 values turnover.
	Margin float64
	// Discount is what money a year later is worth less, as a share.
	Discount float64
}

// Source is what models learn from: what had been heard before an instant, of
// live customers, under the profile that each is now. Everything comes ordered
// by profile, then by the instant at which it happened; what happened at or
// after `before` is left out. An error ends the sequence.
type Source interface {
	// Orders yields orders, refunds and cancellations.
	Orders(ctx context.Context, before event.Time) iter.Seq2[Order, error]
	// Lines yields the lines of all of them.
	Lines(ctx context.Context, before event.Time) iter.Seq2[Line, error]
	// Events yields events of the names; none means all. What machines opened or
	// clicked is among them: see [Event.Actor].
	Events(ctx context.Context, before event.Time, names ...string) iter.Seq2[Event, error]
}

// Order is an order, a refund or a cancellation.
type Order struct {
	Profile  identity.ID
	ID       string
	Kind     profile.OrderKind
	At       event.Time
	Net      money.Micros // negative on refunds and cancellations
	Currency money.Currency
	Units    int64  // thousandths of pieces, negative on refunds
	Channel  string // of the sale: "web", "till"; may be empty
	Device   string // class of the device; may be empty
	// Nobody: the customer is known by nothing but a device or a receipt, so nobody
	// could tell if they came back. Models of coming back leave them out.
	Nobody bool
}

// Line is one line of an order.
type Line struct {
	Profile  identity.ID
	Order    string
	Kind     profile.OrderKind
	At       event.Time
	SKU      string
	Product  string
	Name     string
	Category string
	Quantity int64 // thousandths of a piece
	Price    money.Micros
}

// Event is an event or receipt of a customer, as far as models look at it. What it
// does not say is empty.
type Event struct {
	Profile  identity.ID
	At       event.Time
	Name     string
	Origin   event.Origin
	Channel  string // of a message or sale
	Device   string // class of the device
	Product  string // that it is about: its id, else that of the variant
	Category string
	Campaign bool   // a campaign led here
	Delivery string // receipts: of the message
	Actor    string // of opens and clicks: "human", "machine", "unknown"
	Purpose  string // of a consent
	State    string // of a consent: "granted"
}

// Told returns an event of a customer as models look at it.
func Told(who identity.ID, e *event.Event) Event {
	return Event{
		Profile: who, At: e.At, Name: cmp.Or(e.Name, e.Type.String()), Origin: e.Origin, Channel: cmp.Or(e.Props.Text("channel"), e.Context.Text("channel")), Device: event.DeviceOf(e),
		Product: cmp.Or(e.Props.Text("product_id"), e.Props.Text("sku"), e.Props.Text("variant_id")), Category: e.Props.Text("category"),
		Campaign: e.Props.Text("utm_campaign") != "" || e.Props.Text("campaign") != "", Delivery: e.Props.Text("delivery"), Actor: e.Props.Text("actor"),
		Purpose: e.Props.Text("purpose"), State: e.Props.Text("state"),
	}
}

// Prediction is one value about one customer.
type Prediction struct {
	Name  string
	Value event.Value // null takes back what was said before
	// Until is when the prediction is too old to be used; zero: when the model speaks again.
	Until event.Time
	// Evidence is one plain sentence that says what the value rests on: "6 orders,
	// 31 days apart on average, the last 12 days ago".
	Evidence string
}

// Of is what a model predicts about one customer.
type Of struct {
	Profile     identity.ID
	Predictions []Prediction
}

// Result is what a model has to say as of a moment.
type Result struct {
	Report Report
	// People are those about whom there is something to say, in the order of their
	// ids. Whoever is missing, and was among them the last time, loses the model's
	// predictions.
	People []Of
}

// Report says what a model learned from and how far it can be believed.
type Report struct {
	Model     string     `json:"model"`
	At        event.Time `json:"at"`
	Customers int        `json:"customers"`         // that it learned from
	Predicted int        `json:"predicted"`         // about whom it has something to say
	Said      int        `json:"said"`              // whose predictions changed and were told to the log
	Refused   string     `json:"refused,omitempty"` // why it says nothing: what is missing
	Method    string     `json:"method,omitempty"`  // what was chosen, and among what
	Figures   []Figure   `json:"figures,omitempty"` // parameters and fit
	// Calibration compares what was predicted with what came, on data that the model
	// did not learn from.
	Calibration []Bin  `json:"calibration,omitempty"`
	Checked     string `json:"checked,omitempty"` // on which data: "orders of the last 90 days, fitted without them"
}

// Figure is a number with its name.
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// Bin is one group of customers, or of predictions, in a calibration table.
type Bin struct {
	Group     string  `json:"group"`
	N         int     `json:"n"`
	Predicted float64 `json:"predicted"` // mean of what was predicted
	Actual    float64 `json:"actual"`    // mean of what came
}
