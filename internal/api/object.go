package api

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"

	"rapport/internal/core/event"
	"rapport/internal/fault"
)

// maxDepth bounds how deep objects and lists may stand in one another: an order
// with its lines and their options is four.
const maxDepth = 16

// object turns a JSON object into the product's own encoding; nothing is the empty
// object.
func object(raw json.RawMessage) (event.Object, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", nil
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber() // money and large ids stay exact
	v, err := value(d, 0)
	switch {
	case err != nil:
		return "", err
	case v.Kind != event.Map:
		return "", fault.New(fault.Invalid, "props is an object")
	}
	return v.Object(), nil
}

// value reads one value of the stream.
func value(d *json.Decoder, depth int) (v event.Value, err error) {
	if depth > maxDepth {
		return v, fault.New(fault.Invalid, "props is nested deeper than "+strconv.Itoa(maxDepth)+" levels")
	}
	token, err := d.Token()
	if err != nil {
		return v, fault.Wrap(fault.Invalid, err, "props is not JSON")
	}
	switch t := token.(type) {
	case bool:
		return event.Yes(t), nil
	case json.Number:
		return event.Value{Kind: event.Number, Raw: t.String()}, nil
	case string:
		return event.Text(t), nil
	case json.Delim:
		return group(d, t, depth)
	}
	return v, nil // null
}

// group reads the rest of an object or a list.
func group(d *json.Decoder, open json.Delim, depth int) (v event.Value, err error) {
	var b event.Builder
	var items []event.Value
	for d.More() {
		key := ""
		if open == '{' {
			token, err := d.Token()
			if err != nil {
				return v, fault.Wrap(fault.Invalid, err, "props is not JSON")
			}
			key, _ = token.(string)
		}
		item, err := value(d, depth+1)
		if err != nil {
			return v, err
		}
		if open == '{' {
			b.Set(key, item)
		} else {
			items = append(items, item)
		}
	}
	if _, err := d.Token(); err != nil && err != io.EOF {
		return v, fault.Wrap(fault.Invalid, err, "props is not JSON")
	}
	if open == '{' {
		return event.Nested(b.Object()), nil
	}
	return event.ListOf(items...), nil
}
