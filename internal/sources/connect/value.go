package connect

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"rapport/internal/core/event"
	"rapport/internal/core/money"
	"rapport/internal/fault"
)

// Text is a text, number or bool of a document as it was written: an id above
// 2^53 and a sum of money stay what they are. Null is empty.
type Text string

// UnmarshalJSON reads what it is.
func (t *Text) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	switch {
	case len(b) == 0 || b[0] == 'n':
		*t = ""
	case b[0] == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*t = Text(strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD"))
	case b[0] == '{' || b[0] == '[':
		return fault.New(fault.Invalid, "a text or a number is expected")
	default:
		*t = Text(b)
	}
	return nil
}

// String returns the text without the blanks around it.
func (t Text) String() string { return strings.TrimSpace(string(t)) }

// True reports whether the text means yes, in the words of settings and meta data.
func (t Text) True() bool {
	switch strings.ToLower(t.String()) {
	case "true", "1", "yes", "on", "subscribed":
		return true
	}
	return false
}

// Money returns the sum; an empty text is none, and field names it in the error.
func (t Text) Money(field string) (money.Micros, error) {
	if t.String() == "" {
		return 0, nil
	}
	m, err := money.Parse(t.String())
	if err != nil {
		_, why := fault.Of(err)
		return 0, fault.New(fault.Invalid, field+": "+why)
	}
	return m, nil
}

// Time reads an instant of RFC 3339, or one without an offset, which is UTC: such
// are the fields of WooCommerce that end with _gmt. Empty is zero.
func (t Text) Time(field string) (event.Time, error) {
	s := t.String()
	if s == "" {
		return 0, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		if at, err := time.Parse(layout, s); err == nil {
			return event.At(at), nil
		}
	}
	return 0, fault.New(fault.Invalid, field+": not an instant such as 2026-03-02T09:00:00Z: "+clip(s, 40))
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// Decode reads a document. What is wrong with it is Invalid, and says where.
func Decode(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		if _, ok := asFault(err); ok {
			return err
		}
		return fault.Wrap(fault.Invalid, err, "the document cannot be read: "+clip(err.Error(), 200))
	}
	return nil
}

func asFault(err error) (string, bool) {
	kind, message := fault.Of(err)
	return message, kind != fault.Internal
}

// Sums adds up sums of money and keeps the first error.
type Sums struct{ err error }

// Of returns the sum that a text says.
func (s *Sums) Of(t Text, field string) money.Micros {
	m, err := t.Money(field)
	if s.err == nil {
		s.err = err
	}
	return m
}

// Add returns a + b.
func (s *Sums) Add(a, b money.Micros) money.Micros {
	m, err := a.Plus(b)
	if s.err == nil {
		s.err = err
	}
	return m
}

// Times returns a × n.
func (s *Sums) Times(a money.Micros, n int64) money.Micros {
	m, err := a.Times(n)
	if s.err == nil {
		s.err = err
	}
	return m
}

// Err returns the first error.
func (s *Sums) Err() error { return s.err }
