package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// member is one member of a JSON object, in the order in which it stands.
type member struct {
	key   string
	value any // nil, bool, json.Number, string, []any or []member
}

// printReport writes any report as people read it: what is said once as lines, a list
// of rows as a table, one after the other. Sums of money lose their millionths.
func printReport(w io.Writer, report any) error {
	b, err := json.Marshal(report)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	v, err := ordered(d)
	if err != nil {
		return err
	}
	top, _ := v.([]member)
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, m := range top { // one: the report
		section(out, "", m.value)
	}
	return out.Flush()
}

// ordered reads a value without losing the order of its members.
func ordered(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	open, nested := token.(json.Delim)
	if !nested {
		return token, nil
	}
	object, list := []member{}, []any{}
	for d.More() {
		key := ""
		if open == '{' {
			k, err := d.Token()
			if err != nil {
				return nil, err
			}
			key, _ = k.(string)
		}
		v, err := ordered(d)
		if err != nil {
			return nil, err
		}
		object, list = append(object, member{key, v}), append(list, v)
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if open == '{' {
		return object, nil
	}
	return list, nil
}

// section writes a value with what it is called.
func section(w io.Writer, name string, v any) {
	switch v := v.(type) {
	case []member:
		for _, m := range v { // what is said once comes first
			if !large(m.value) {
				fmt.Fprintf(w, "%s\t%s\n", title(m.key), written(m.key, m.value))
			}
		}
		for _, m := range v {
			if large(m.value) {
				section(w, m.key, m.value)
			}
		}
	case []any:
		rows(w, name, v)
	default:
		fmt.Fprintf(w, "%s\t%s\n", title(name), written(name, v))
	}
}

// large reports whether a value takes lines of its own.
func large(v any) bool {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			switch x.(type) {
			case []any, []member:
				return true
			}
		}
		return false
	case []member:
		return len(v) > 0
	}
	return false
}

// rows writes a list of objects, or of lists, as a table. Its columns are in the order
// in which they come first.
func rows(w io.Writer, name string, list []any) {
	fmt.Fprintf(w, "\n%s\n", title(name))
	var columns []string
	at := map[string]int{}
	var cells []map[string]string
	for _, v := range list {
		row := map[string]string{}
		flat("", v, func(key string, v any) {
			if _, known := at[key]; !known {
				at[key] = len(columns)
				columns = append(columns, key)
			}
			row[key] = written(key, v)
		})
		cells = append(cells, row)
	}
	var heads []string
	for _, c := range columns {
		heads = append(heads, title(c))
	}
	fmt.Fprintln(w, strings.Join(heads, "\t"))
	for _, row := range cells {
		line := make([]string, len(columns))
		for i, c := range columns {
			line[i] = row[c]
		}
		fmt.Fprintln(w, strings.TrimRight(strings.Join(line, "\t"), "\t"))
	}
}

// flat calls yield with what stands in a row, objects in objects with both names.
func flat(name string, v any, yield func(key string, v any)) {
	object, is := v.([]member)
	if !is {
		if list, several := v.([]any); several && name == "" {
			for i, x := range list {
				yield(strconv.Itoa(i), x)
			}
			return
		}
		yield(name, v)
		return
	}
	for _, m := range object {
		key := m.key
		if name != "" {
			key = name + " " + key
		}
		flat(key, m.value, yield)
	}
}

// micros ends the names of sums in millionths.
const micros = "_micros"

func title(key string) string { return strings.ReplaceAll(strings.TrimSuffix(key, micros), "_", " ") }

// written writes one value.
func written(key string, v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case json.Number:
		if strings.HasSuffix(key, micros) {
			n, err := v.Int64()
			if err == nil {
				return strconv.FormatFloat(float64(n)/1e6, 'f', 2, 64)
			}
		}
		if f, err := v.Float64(); err == nil && strings.ContainsAny(v.String(), ".eE") {
			return strconv.FormatFloat(f, 'f', 4, 64)
		}
		return v.String()
	case string:
		return strings.NewReplacer("\t", " ", "\n", " ").Replace(v)
	case []any:
		var words []string
		for _, x := range v {
			words = append(words, written(key, x))
		}
		return strings.Join(words, " ")
	case []member:
		var words []string
		for _, m := range v {
			words = append(words, title(m.key)+" "+written(m.key, m.value))
		}
		return strings.Join(words, ", ")
	}
	return fmt.Sprint(v)
}
