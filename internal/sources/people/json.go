package people

import (
	"strconv"

	"github.com/valyala/fastjson"

	"rapport/internal/core/event"
	"rapport/internal/sources/table"
)

// The limits of JSON in a cell: as much as an event of the tracking API may hold.
const (
	maxJSON = 32 << 10
	maxDeep = 16
	maxKeys = 500
)

// parseJSON reads a JSON value, or says why it is none.
func parseJSON(b []byte) (event.Value, string) {
	if len(b) > maxJSON {
		return event.Value{}, "the JSON is longer than " + strconv.Itoa(maxJSON>>10) + " KB"
	}
	if table.TooDeep(b, maxDeep) {
		return event.Value{}, "the JSON is nested deeper than " + strconv.Itoa(maxDeep) + " levels"
	}
	var p fastjson.Parser
	v, err := p.ParseBytes(b)
	if err != nil {
		return event.Value{}, "it is no JSON: " + table.Clip(err.Error(), 80)
	}
	return valueOf(v)
}

func valueOf(v *fastjson.Value) (event.Value, string) {
	switch v.Type() {
	case fastjson.TypeString:
		b, _ := v.StringBytes() // it is a string
		return event.Text(string(b)), ""
	case fastjson.TypeNumber:
		text := string(v.MarshalTo(nil))
		if _, err := strconv.ParseFloat(text, 64); err != nil || len(text) > 64 || text[0] > '9' {
			return event.Value{}, strconv.Quote(table.Clip(text, 40)) + " is no number"
		}
		return event.Value{Kind: event.Number, Raw: text}, ""
	case fastjson.TypeTrue, fastjson.TypeFalse:
		return event.Yes(v.Type() == fastjson.TypeTrue), ""
	case fastjson.TypeArray:
		items, _ := v.Array() // it is a list
		var list []event.Value
		for _, item := range items {
			x, why := valueOf(item)
			if why != "" {
				return x, why
			}
			list = append(list, x)
		}
		return event.ListOf(list...), ""
	case fastjson.TypeObject:
		o, _ := v.Object() // it is an object
		if o.Len() > maxKeys {
			return event.Value{}, "an object has more than " + strconv.Itoa(maxKeys) + " keys"
		}
		var b event.Builder
		why := ""
		o.Visit(func(key []byte, v *fastjson.Value) {
			x, bad := valueOf(v)
			if why == "" {
				why = bad
			}
			b.Set(string(key), x)
		})
		return event.Nested(b.Object()), why
	}
	return event.Value{}, ""
}
