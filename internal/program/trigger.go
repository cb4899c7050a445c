package program

import (
	"bytes"
	"encoding/json"
	"strconv"

	"rapport/internal/core/event"
	"rapport/internal/fault"
)

// Limits of an example event: it is written by hand or copied from a browser.
const (
	maxExample      = 64 << 10
	maxExampleDepth = 16
)

// Example reads the properties of an event from JSON, for [Sample]. What is no
// object, or too large or deep, is a fault of kind Invalid.
func Example(raw []byte) (event.Object, error) {
	if len(raw) > maxExample {
		return "", fault.New(fault.Invalid, "the example event has more than "+strconv.Itoa(maxExample>>10)+" kB")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	v, err := example(d, 0)
	if err == nil && d.More() {
		err = fault.New(fault.Invalid, "something follows the object")
	}
	if err == nil && v.Kind != event.Map {
		err = fault.New(fault.Invalid, `it is no object; write {"order_id": "1001", "products": [{"sku": "LAMP-1", "name": "Lamp"}]}`)
	}
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "the example event cannot be read")
	}
	return v.Object(), nil
}

func example(d *json.Decoder, depth int) (event.Value, error) {
	if depth > maxExampleDepth {
		return event.Value{}, fault.New(fault.Invalid, "it is nested deeper than "+strconv.Itoa(maxExampleDepth)+" levels")
	}
	t, err := d.Token()
	if err != nil {
		return event.Value{}, err
	}
	switch t := t.(type) {
	case json.Delim:
		var b event.Builder
		var items []event.Value
		for d.More() {
			key := ""
			if t == '{' {
				k, err := d.Token()
				if err != nil {
					return event.Value{}, err
				}
				key, _ = k.(string)
			}
			v, err := example(d, depth+1)
			if err != nil {
				return event.Value{}, err
			}
			if t == '{' {
				b.Set(key, v)
			} else {
				items = append(items, v)
			}
		}
		if _, err := d.Token(); err != nil {
			return event.Value{}, err
		}
		if t == '{' {
			return event.Nested(b.Object()), nil
		}
		return event.ListOf(items...), nil
	case string:
		return event.Text(t), nil
	case json.Number:
		return event.Value{Kind: event.Number, Raw: t.String()}, nil
	case bool:
		return event.Yes(t), nil
	}
	return event.Value{}, nil
}
