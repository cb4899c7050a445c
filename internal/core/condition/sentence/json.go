package sentence

import (
	"encoding/json"
	"strings"

	"rapport/internal/core/spec"
)

// JSON writes a tree as the API takes it.
func JSON(n spec.Node) []byte { return appendJSON(nil, n) }

// appendJSON writes a tree as JSON.
func appendJSON(dst []byte, n spec.Node) []byte {
	quoted := func(dst []byte, s string) []byte {
		var b strings.Builder
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false) // ">=" is a key
		if err := e.Encode(s); err != nil {
			return append(dst, `""`...) // unreachable: a string can be encoded
		}
		return append(dst, strings.TrimSuffix(b.String(), "\n")...)
	}
	switch n.Kind {
	case spec.Bool, spec.Number:
		return append(dst, n.Text...)
	case spec.Text:
		return quoted(dst, n.Text)
	case spec.List:
		dst = append(dst, '[')
		for i, item := range n.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendJSON(dst, item)
		}
		return append(dst, ']')
	case spec.Map:
		dst = append(dst, '{')
		for i, f := range n.Fields {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendJSON(append(quoted(dst, f.Key), ':'), f.Value)
		}
		return append(dst, '}')
	}
	return append(dst, "null"...)
}
