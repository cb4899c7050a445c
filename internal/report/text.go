package report

import (
	"bytes"
	"encoding/csv"
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

// Write writes any report as people read it: what is said once as lines, a list
// of rows as a table, one after the other. Sums of money lose their millionths. The
// report is the one member of an object, under its name.
func Write(w io.Writer, report any) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if err := lay(report, aligned{out}); err != nil {
		return err
	}
	return out.Flush()
}

// WriteCSV writes any report as programs read it, with what [Write] says: a line for
// what is said once, and each table with its heads after an empty line and its name.
// A text that a spreadsheet would compute is marked as text.
func WriteCSV(w io.Writer, report any) error {
	out := &commas{csv.NewWriter(w), w}
	if err := lay(report, out); err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

// sheet is what a report is laid out on.
type sheet interface {
	pair(name, value string)
	table(name string, heads []string, rows [][]string)
}

// lay lays a report out on a sheet.
func lay(report any, on sheet) error {
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
	for _, m := range top { // one: the report
		section(on, "", m.value)
	}
	return nil
}

// aligned is a sheet for people.
type aligned struct{ w io.Writer }

func (a aligned) pair(name, value string) { fmt.Fprintf(a.w, "%s\t%s\n", name, value) }

func (a aligned) table(name string, heads []string, rows [][]string) {
	fmt.Fprintf(a.w, "\n%s\n%s\n", name, strings.Join(heads, "\t"))
	for _, row := range rows {
		fmt.Fprintln(a.w, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
}

// commas is a sheet for programs. What goes wrong, the writer keeps to the end.
type commas struct {
	*csv.Writer
	w io.Writer
}

func (c *commas) line(cells ...string) {
	safe := make([]string, len(cells))
	for i, s := range cells {
		if _, err := strconv.ParseFloat(s, 64); err != nil && s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
			s = "'" + s // names of events are written by strangers
		}
		safe[i] = s
	}
	c.Write(safe) //nolint:errcheck // the writer keeps the error
}

func (c *commas) pair(name, value string) { c.line(name, value) }

func (c *commas) table(name string, heads []string, rows [][]string) {
	c.Flush()
	fmt.Fprintln(c.w)
	c.line(name)
	c.line(heads...)
	for _, row := range rows {
		c.line(row...)
	}
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
func section(on sheet, name string, v any) {
	switch v := v.(type) {
	case []member:
		for _, m := range v { // what is said once comes first
			if !large(m.value) {
				on.pair(strings.TrimSpace(title(name)+" "+title(m.key)), written(m.key, m.value))
			}
		}
		for _, m := range v {
			if large(m.value) {
				section(on, m.key, m.value)
			}
		}
	case []any:
		tabulate(on, name, v)
	default:
		on.pair(title(name), written(name, v))
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

// tabulate writes a list of objects, or of lists, as a table. Its columns are in the
// order in which they come first.
func tabulate(on sheet, name string, list []any) {
	var columns, heads []string
	at := map[string]int{}
	var cells []map[string]string
	for _, v := range list {
		row := map[string]string{}
		flat("", v, func(key string, v any) {
			if _, known := at[key]; !known {
				at[key] = len(columns)
				columns, heads = append(columns, key), append(heads, title(key))
			}
			row[key] = written(key, v)
		})
		cells = append(cells, row)
	}
	rows := make([][]string, len(cells))
	for i, row := range cells {
		rows[i] = make([]string, len(columns))
		for k, c := range columns {
			rows[i][k] = row[c]
		}
	}
	on.table(title(name), heads, rows)
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

// millionths ends the names of sums in millionths.
const millionths = "_micros"

func title(key string) string {
	return strings.ReplaceAll(strings.TrimSuffix(key, millionths), "_", " ")
}

// written writes one value.
func written(key string, v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case json.Number:
		if strings.HasSuffix(key, millionths) {
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
