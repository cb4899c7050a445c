package table

import (
	"slices"
	"strconv"
	"strings"

	"rapport/internal/fault"
)

// Ignore is what a column is mapped to that means nothing here.
const Ignore = "-"

// Plain writes the name of a column so that spelling does not matter: small
// letters and digits only.
func Plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 0x7f {
			return r
		}
		return -1
	}, strings.ToLower(name))
}

// Find returns the place of the column that is named as somebody wrote it.
func Find(header []string, name string) (int, error) {
	at := -1
	for i, h := range header {
		if h == name || Plain(h) == Plain(name) && Plain(name) != "" {
			if at >= 0 && header[at] != name && h != name || at >= 0 && header[at] == h {
				return 0, fault.New(fault.Invalid, "two columns are called "+strconv.Quote(h)+": rename one in the file")
			}
			if at < 0 || h == name {
				at = i
			}
		}
	}
	if at < 0 {
		return 0, fault.New(fault.Invalid, "there is no column "+strconv.Quote(name)+"; the file has "+QuoteAll(header))
	}
	return at, nil
}

// maxShown bounds the columns that an error names.
const maxShown = 40

// QuoteAll writes a list for people.
func QuoteAll(list []string) string {
	var b strings.Builder
	for i, s := range list {
		if i == maxShown {
			b.WriteString(", …")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(Clip(s, 60)))
	}
	return b.String()
}

// Columns says which column holds which field; Ignore and the empty field hold
// nothing that has a name.
type Columns struct {
	Header []string
	Field  []string // of each column
}

// MapColumns maps the columns of a header: first what the caller says (column to
// field), then what the names tell, the surest name of a field first. It is Invalid,
// with the columns that there are, if a column or field does not exist.
func MapColumns(header []string, said map[string]string, fields []string, known map[string][]string) (Columns, error) {
	c := Columns{Header: header, Field: make([]string, len(header))}
	for _, name := range sortedKeys(said) {
		i, err := Find(header, name)
		if err != nil {
			return c, err
		}
		f := strings.ToLower(strings.TrimSpace(said[name]))
		if f != Ignore && !slices.Contains(fields, f) {
			return c, fault.New(fault.Invalid, strconv.Quote(said[name])+" is not a field; there are "+strings.Join(fields, ", ")+", and "+Ignore+" for nothing")
		}
		if f != Ignore && slices.Contains(c.Field, f) {
			return c, fault.New(fault.Invalid, "two columns are mapped to "+f)
		}
		c.Field[i] = f
	}
	if len(header) > 2 && header[0] == reportLine && header[1] == reportReason {
		for i := range 2 { // a mended report: what was wrong with its rows says nothing of them
			if c.Field[i] == "" {
				c.Field[i] = Ignore
			}
		}
	}
	written := make([]string, len(header))
	for i, name := range header {
		written[i] = Plain(name)
	}
	for _, f := range fields {
		for _, name := range known[f] {
			if slices.Contains(c.Field, f) {
				break
			}
			for i := range written {
				if written[i] == name && c.Field[i] == "" {
					c.Field[i] = f
					break
				}
			}
		}
	}
	return c, nil
}

// At returns the place of a field's column; −1 if the file has none.
func (c *Columns) At(field string) int { return slices.Index(c.Field, field) }

// Name returns the name of a field's column; empty if the file has none.
func (c *Columns) Name(field string) string {
	if i := c.At(field); i >= 0 {
		return c.Header[i]
	}
	return ""
}

// Said returns the mapping as it can be said again, for a file of the same columns.
func (c *Columns) Said() map[string]string {
	said := map[string]string{}
	for i, f := range c.Field {
		if f != "" {
			said[c.Header[i]] = f
		}
	}
	return said
}

// String returns the mapping for people: "email=Email Address, …".
func (c *Columns) String() string {
	var parts []string
	for i, f := range c.Field {
		if f != "" && f != Ignore {
			parts = append(parts, f+"="+c.Header[i])
		}
	}
	return strings.Join(parts, ", ")
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
