package people

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/fault"
	"rapport/internal/sources/table"
)

// shownRows is how many rows are looked at to say how a file is understood.
const shownRows = 20

// dateRows is how many dates are looked at to find out their order.
const dateRows = 5000

// Shown is how a file was understood.
type Shown struct {
	From     Vendor
	Format   string
	Encoding table.Encoding
	Columns  []Column
	Mapping  table.Columns
	Dates    table.DateOrder
}

// Column is how one column was understood, by its first rows.
type Column struct {
	Name     string
	Field    string // empty: a trait or property of its own name, or nothing
	Type     string // text, number, yes or no, date, address, telephone, JSON; empty: no row has it
	Examples []string
	Read     string // the first date as it is read
}

// settle finds out what the options leave open, and refuses a file that lacks what
// its kind cannot do without.
func (r *run) settle() error {
	o, m := r.o, &r.m
	date := Date
	if o.Kind == Customers {
		date = Updated
	}
	if o.Dates == table.AnyOrder {
		var samples [][]byte
		for _, f := range []string{date, Created, Birthday, Opened, Clicked, Began} {
			i := m.At(f)
			if i < 0 {
				continue
			}
			r.t.Begin(dateRows, func(fields [][]byte) bool {
				if len(fields[i]) > 0 {
					samples = append(samples, fields[i])
				}
				return true
			})
		}
		var err error
		if o.Dates, err = table.OrderOf(samples); err != nil {
			return err
		}
	}
	r.dates = table.Dates{Zone: o.Zone, Order: o.Dates}
	missing := func(what string) error {
		return fault.New(fault.Invalid, "no column was found for "+what+"; the file has "+table.QuoteAll(m.Header)+". Say it with --map COLUMN=FIELD")
	}
	switch {
	case m.At(Email) < 0 && m.At(Phone) < 0 && (o.Kind == Suppressions || m.At(Customer) < 0 && m.At(Anonymous) < 0):
		return missing("an address or the customer's number")
	case o.Kind == Events && m.At(Event) < 0:
		return missing("the field event")
	case o.Kind == Events && m.At(Date) < 0:
		return missing("the field date")
	case o.Kind == Consents && m.At(State) < 0 && !o.Granted && o.From != Mailchimp:
		return fault.New(fault.Invalid, "no column was found for the field state, which says who agreed; the file has "+table.QuoteAll(m.Header)+". Say it with --map COLUMN=state, or with --granted that everybody in the file agreed")
	}
	return nil
}

// shown says how the file was understood.
func (r *run) shown() Shown {
	s := Shown{From: r.o.From, Format: r.t.Format, Encoding: r.o.Encoding, Mapping: r.m, Dates: r.o.Dates, Columns: make([]Column, len(r.m.Header))}
	values := make([][]string, len(r.m.Header))
	n := 0
	r.t.Begin(shownRows, func(fields [][]byte) bool {
		for i, f := range fields {
			if b, why := table.Text(f, r.o.Encoding); why == "" && len(b) > 0 {
				values[i] = append(values[i], table.Clip(string(b), 40))
			}
		}
		n++
		return n < shownRows
	})
	r.types = make([]string, len(r.m.Header))
	for i, h := range r.m.Header {
		c := Column{Name: h, Field: r.m.Field[i], Type: Guess(values[i], &r.dates), Examples: slices.Compact(slices.Clone(values[i]))}
		c.Examples = c.Examples[:min(len(c.Examples), 3)]
		if c.Type == "date" {
			if at, why := r.dates.Parse([]byte(values[i][0])); why == "" {
				c.Read = event.At(at).String()
			}
		}
		r.types[i] = c.Type
		s.Columns[i] = c
	}
	return s
}

// Guess guesses what the values of a column are, where dates are read so.
func Guess(values []string, dates *table.Dates) string {
	if len(values) == 0 {
		return ""
	}
	all := func(is func(string) bool) bool {
		return !slices.ContainsFunc(values, func(v string) bool { return !is(v) })
	}
	switch {
	case all(func(v string) bool { _, ok := identity.Normal(identity.Email, v); return ok }):
		return "address"
	case all(isNumber):
		return "number"
	case all(func(v string) bool { _, ok := isBool(v); return ok }):
		return "yes or no"
	case all(func(v string) bool { _, why := dates.Parse([]byte(v)); return why == "" }):
		return "date"
	case all(func(v string) bool { _, ok := identity.Normal(identity.Phone, v); return ok }):
		return "telephone"
	case all(func(v string) bool { return strings.HasPrefix(v, "{") || strings.HasPrefix(v, "[") }):
		return "JSON"
	}
	return "text"
}

// isNumber reports whether a text is a number and nothing else: what has zeros in
// front or is long is somebody's code.
func isNumber(v string) bool {
	digits := strings.TrimLeft(v, "-")
	if len(digits) > 15 || len(digits) > 1 && digits[0] == '0' && digits[1] != '.' || strings.ContainsAny(v, "eExXpPinfINFaA_") {
		return false
	}
	_, err := strconv.ParseFloat(v, 64)
	return err == nil
}

func isBool(v string) (bool, bool) {
	switch strings.ToLower(v) {
	case "true", "yes", "y":
		return true, true
	case "false", "no", "n":
		return false, true
	}
	return false, false
}

// slug writes the name of a column as the name of a trait.
func slug(column string) string {
	b := make([]byte, 0, len(column))
	for _, c := range []byte(strings.ToLower(column)) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c >= 0x80:
			b = append(b, c)
		case len(b) > 0 && b[len(b)-1] != '_':
			b = append(b, '_')
		}
	}
	return string(bytes.TrimRight(b, "_"))
}
