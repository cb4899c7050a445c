package imports

import (
	"slices"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/fault"
	"rapport/internal/sources/csv"
	"rapport/internal/sources/people"
	"rapport/internal/sources/table"
	"rapport/internal/store"
)

// OrdersKind is the kind of a file of orders; the others are those of [people].
const OrdersKind = "orders"

// Kinds are what an uploaded file can be about, in the order in which a shop should
// bring them: who must not be written to comes first.
var Kinds = []string{string(people.Suppressions), string(people.Consents), string(people.Customers), OrdersKind, string(people.Events)}

// How says how an uploaded file is to be read. The zero value of a field has it found out.
type How struct {
	Kind      string            `json:"kind"`
	Source    string            `json:"source,omitempty"`
	Map       map[string]string `json:"map,omitempty"`
	From      string            `json:"from,omitempty"`
	Zone      string            `json:"zone,omitempty"`
	Dates     string            `json:"dates,omitempty"`
	Delimiter string            `json:"delimiter,omitempty"`
	Encoding  string            `json:"encoding,omitempty"`
	Currency  string            `json:"currency,omitempty"`
	Decimal   string            `json:"decimal,omitempty"`
	Returns   string            `json:"returns,omitempty"`
	AsOf      string            `json:"as_of,omitempty"`
	Channel   string            `json:"channel,omitempty"`
	Purpose   string            `json:"purpose,omitempty"`
	Granted   bool              `json:"granted,omitempty"`
	List      string            `json:"list,omitempty"`
	Reason    string            `json:"reason,omitempty"`
}

func (h *How) check() error {
	bad := func(why string) error { return fault.New(fault.Invalid, why) }
	if !slices.Contains(Kinds, h.Kind) {
		return bad("a file holds " + strings.Join(Kinds, ", "))
	}
	if h.Zone != "" {
		if _, err := time.LoadLocation(h.Zone); err != nil {
			return bad(h.Zone + " is no time zone such as Europe/London")
		}
	}
	if h.Delimiter != "" && h.Delimiter != "tab" && len(h.Delimiter) != 1 {
		return bad("what stands between columns is one character, or tab")
	}
	if h.Decimal != "" && h.Decimal != "." && h.Decimal != "," {
		return bad("decimals are written with . or ,")
	}
	switch table.DateOrder(h.Dates) {
	case table.AnyOrder, table.DayFirst, table.MonthFirst:
	default:
		return bad("dates are dmy or mdy")
	}
	switch table.Encoding(h.Encoding) {
	case "", table.UTF8, table.Windows1252:
	default:
		return bad("the encoding is " + string(table.UTF8) + " or " + string(table.Windows1252))
	}
	if h.Currency != "" {
		if _, err := money.ParseCurrency(h.Currency); err != nil {
			return err
		}
	}
	if h.AsOf != "" {
		dates := table.Dates{Zone: h.zone()}
		if _, why := dates.Parse([]byte(h.AsOf)); why != "" {
			return bad("the date that rows without one have: " + why)
		}
	}
	if _, err := people.ParseVendor(h.From); err != nil {
		return err
	}
	if h.source() != h.Kind && len(h.source()) > 32 {
		return bad("the name of a source has at most 32 letters")
	}
	return nil
}

func (h *How) zone() *time.Location {
	if z, err := time.LoadLocation(h.Zone); err == nil {
		return z
	}
	return time.UTC
}

func (h *How) delimiter() byte {
	switch h.Delimiter {
	case "":
		return 0
	case "tab":
		return '\t'
	}
	return h.Delimiter[0]
}

func (h *How) source() string {
	if h.Source == "" {
		return h.Kind
	}
	return h.Source
}

// orders are the options of a file of orders. What found out the reading, the dates,
// is found out again from the same bytes.
func (h *How) orders() csv.Options {
	o := csv.Options{
		Source: h.source(), Map: h.Map, Zone: h.zone(), Dates: table.DateOrder(h.Dates), Delimiter: h.delimiter(), Encoding: table.Encoding(h.Encoding), ReturnsPrefix: h.Returns,
	}
	if h.Currency != "" {
		o.Currency, _ = money.ParseCurrency(h.Currency) // checked
	}
	if h.Decimal != "" {
		o.Decimal = h.Decimal[0]
	}
	return o
}

// people are the options of any other file.
func (h *How) people() people.Options {
	o := people.Options{
		Kind: people.Kind(h.Kind), From: people.Vendor(h.From), Source: h.source(), Map: h.Map, Zone: h.zone(), Dates: table.DateOrder(h.Dates), Delimiter: h.delimiter(),
		Encoding: table.Encoding(h.Encoding), Channel: h.Channel, Purpose: h.Purpose, Granted: h.Granted, List: h.List, Import: "dry-run",
		Reason: map[string]string{"bounced": store.Bounced, "complained": store.Complained, "manual": store.Manual}[h.Reason],
	}
	if h.AsOf != "" {
		dates := table.Dates{Zone: h.zone()}
		if at, why := dates.Parse([]byte(h.AsOf)); why == "" {
			o.AsOf = event.At(at)
		}
	}
	return o
}
